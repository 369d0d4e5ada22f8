// The servers that all other tests stand on are what they claim to be.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import * as oauth from 'openid-client';
import { afterEach, describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServerOptions } from '../fixtures/authorization-server.ts';
import { browserProgram, httpBrowser, withParameter } from '../fixtures/browser.ts';
import { startHost, textOf as textOfAnswer, type JsonRpcMessage } from '../fixtures/host.ts';
import { startMcpServer, type McpServerOptions } from '../fixtures/mcp-server.ts';
import { clientByHand } from '../fixtures/sign-in-by-hand.ts';
import { until } from '../fixtures/wait.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function pair(options: AuthorizationServerOptions = {}, mcpOptions: McpServerOptions = {}) {
  const authorizationServer = await startAuthorizationServer(options);
  closers.push(authorizationServer.close);
  const mcp = await startMcpServer({ authorizationServer, ...mcpOptions });
  closers.push(mcp.close);
  const client = await clientByHand(authorizationServer.issuer, mcp.url, 'mcp:tools offline_access');
  closers.push(client.close);
  return { authorizationServer, mcp, client, browser: httpBrowser() };
}

/** Text of a tool's result, from the host's answer or from the body of an HTTP answer (JSON or one event). */
function textOf(answer: JsonRpcMessage | { text: string }): string {
  if (!('text' in answer)) return textOfAnswer(answer);
  const data = /^data: (\{.*)$/m.exec(answer.text)?.[1] ?? answer.text;
  return textOfAnswer(JSON.parse(data) as JsonRpcMessage);
}

async function call(url: string, token: string | undefined, name: string, input: Record<string, unknown> = {}) {
  const headers: Record<string, string> = {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const post = async (message: unknown, extra: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      headers: { ...headers, ...extra },
      body: JSON.stringify({ jsonrpc: '2.0', ...(message as object) }),
    });
  const clientInfo = { name: 'by-hand', version: '0' };
  const first = await post({
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
  });
  if (first.status !== 200)
    return { status: first.status, text: await first.text(), challenge: first.headers.get('www-authenticate') };
  await first.text();
  const session: Record<string, string> = { 'mcp-session-id': first.headers.get('mcp-session-id') ?? '' };
  const answer = await post({ id: 1, method: 'tools/call', params: { name, arguments: input } }, session);
  return { status: answer.status, text: await answer.text(), challenge: answer.headers.get('www-authenticate') };
}

describe('the authorization server', () => {
  it('signs a person in with PKCE, gives a token for the resource, and the MCP server takes it', async () => {
    const { authorizationServer, mcp, client, browser } = await pair();
    const tokens = await client.signIn(browser);
    expect(tokens.expires_in).toBe(60);
    expect(tokens.refresh_token).toBeTypeOf('string');
    expect(textOf(await call(mcp.url, tokens.access_token, 'whoami'))).toBe('ada');
    expect(browser.last).toMatchObject({ status: 200, text: 'You can close this page.' });
    expect(authorizationServer.counts).toMatchObject({
      authorizations: 1,
      loginPages: 1,
      consentPages: 1,
      registrations: 1,
      codeExchanges: 1,
    });
    expect(authorizationServer.seen.token[0]).toMatchObject({ resource: mcp.url });
    expect(authorizationServer.secrets()).toEqual(expect.arrayContaining([tokens.access_token, tokens.refresh_token]));
    expect(authorizationServer.issuedTokens()).toEqual({
      access: [tokens.access_token],
      refresh: [tokens.refresh_token],
    });
  });

  it('announces PKCE S256, RFC 9207 iss, registration and revocation', async () => {
    const { authorizationServer } = await pair();
    const metadata = (await (
      await fetch(`${authorizationServer.issuer}/.well-known/oauth-authorization-server`)
    ).json()) as object;
    expect(metadata).toMatchObject({
      issuer: authorizationServer.issuer,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      registration_endpoint: `${authorizationServer.issuer}/reg`,
      revocation_endpoint: `${authorizationServer.issuer}/token/revocation`,
    });
  });

  it('refuses an authorization request without PKCE', async () => {
    const { client, browser } = await pair();
    const url = oauth.buildAuthorizationUrl(client.config, { redirect_uri: client.redirectUri, scope: 'mcp:tools' });
    const visit = await browser.open(url);
    expect(new URL(visit.lastUrl).searchParams.get('error')).toBe('invalid_request');
  });

  it('rotates refresh tokens and revokes the whole sign-in when an old one comes again', async () => {
    const { authorizationServer, mcp, client, browser } = await pair();
    const first = await client.signIn(browser);
    const second = await client.refresh(first.refresh_token ?? '');
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(textOf(await call(mcp.url, second.access_token, 'whoami'))).toBe('ada');
    await expect(client.refresh(first.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(client.refresh(second.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await call(mcp.url, second.access_token, 'whoami')).status).toBe(401);
    expect(authorizationServer.counts).toMatchObject({ refreshes: 3, refreshesGranted: 1, refreshReuses: 1 });
  });

  it('takes a rotated refresh token again inside the grace window, and not after it', async () => {
    const { authorizationServer, client, browser } = await pair({ graceMs: 60_000 });
    const first = await client.signIn(browser);
    await client.refresh(first.refresh_token ?? '');
    const again = await client.refresh(first.refresh_token ?? '');
    expect(again.refresh_token).toBeTypeOf('string');
    expect(authorizationServer.counts.refreshReuses).toBe(0);
    expect(authorizationServer.graceReuses).toBe(1);
    authorizationServer.setGraceMs(-1);
    await expect(client.refresh(first.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(authorizationServer.counts.refreshReuses).toBe(1);
  });

  it('can leave refresh tokens as they are', async () => {
    const { client, browser } = await pair({ rotate: false });
    const first = await client.signIn(browser);
    expect((await client.refresh(first.refresh_token ?? '')).refresh_token).toBe(first.refresh_token);
  });

  it('can give no refresh tokens, or only those who asked for offline access', async () => {
    const never = await pair({ refreshTokens: 'never' });
    expect((await never.client.signIn(never.browser)).refresh_token).toBeUndefined();
    const offline = await pair({ refreshTokens: 'offline_access' });
    expect((await offline.client.signIn(offline.browser)).refresh_token).toBeUndefined();
    expect((await offline.client.signIn(offline.browser, { prompt: 'consent' })).refresh_token).toBeTypeOf('string');
  });

  it('revokes a sign-in on request (RFC 7009)', async () => {
    const { authorizationServer, mcp, client, browser } = await pair();
    const tokens = await client.signIn(browser);
    await oauth.tokenRevocation(client.config, tokens.refresh_token ?? '');
    await expect(client.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await call(mcp.url, tokens.access_token, 'whoami')).status).toBe(401);
    expect(authorizationServer.counts.revocations).toBe(1);
  });

  it.each(['opaque', 'jwt'] as const)(
    'makes live %s access tokens worthless early: the MCP server answers 401',
    async (accessTokens) => {
      const { authorizationServer, mcp, client, browser } = await pair({ accessTokens });
      const tokens = await client.signIn(browser);
      expect(tokens.access_token.split('.').length).toBe(accessTokens === 'jwt' ? 3 : 1);
      expect((await call(mcp.url, tokens.access_token, 'whoami')).status).toBe(200);
      authorizationServer.revokeAccessTokens();
      expect((await call(mcp.url, tokens.access_token, 'whoami')).status).toBe(401);
      const next = await client.refresh(tokens.refresh_token ?? '');
      expect((await call(mcp.url, next.access_token, 'whoami')).status).toBe(200);
    },
  );

  it('lets access tokens expire', async () => {
    const { authorizationServer, mcp, client, browser } = await pair({ accessTokenSeconds: 1 });
    const tokens = await client.signIn(browser);
    await until(
      async () => (await call(mcp.url, tokens.access_token, 'whoami')).status === 401,
      'the token expires',
      5_000,
    );
    authorizationServer.setAccessTokenSeconds(60);
    expect((await client.refresh(tokens.refresh_token ?? '')).expires_in).toBe(60);
  });

  it('ends a sign-in for good, and forgets clients', async () => {
    const { authorizationServer, client, browser } = await pair();
    const tokens = await client.signIn(browser);
    authorizationServer.revokeRefreshTokens();
    await expect(client.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    authorizationServer.forgetClients();
    await expect(client.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('is away while stopped and back at the same port with everything it issued', async () => {
    const { authorizationServer, client, browser } = await pair();
    const tokens = await client.signIn(browser);
    await authorizationServer.stop();
    await expect(client.refresh(tokens.refresh_token ?? '')).rejects.toThrow(/fetch failed|something went wrong/);
    await authorizationServer.start();
    expect((await client.refresh(tokens.refresh_token ?? '')).access_token).toBeTypeOf('string');
  });

  it('issues tokens for one resource only', async () => {
    const { authorizationServer, client, browser } = await pair();
    const other = await startMcpServer({ authorizationServer });
    closers.push(other.close);
    const tokens = await client.signIn(browser);
    expect((await call(other.url, tokens.access_token, 'whoami')).status).toBe(401);
  });
});

describe('the browser', () => {
  it('stays signed in at the second opening, and signs in again without its cookies', async () => {
    const { authorizationServer, client, browser } = await pair();
    await client.signIn(browser);
    await client.signIn(browser);
    expect(authorizationServer.counts).toMatchObject({ loginPages: 1, consentPages: 2 });
    browser.clearCookies();
    await client.signIn(browser);
    expect(authorizationServer.counts.loginPages).toBe(2);
    expect(browser.openings).toBe(3);
  });

  it.each(['deny', 'denyLogin'] as const)('can press Cancel (%s)', async (option) => {
    const { client, browser } = await pair();
    browser.options = { [option]: true };
    await expect(client.signIn(browser)).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('can change the final redirect, deliver it twice, or never finish', async () => {
    const { client, browser } = await pair();
    browser.options = { tamper: withParameter('state', 'another') };
    await expect(client.signIn(browser)).rejects.toThrow(/state|invalid response/i);
    browser.options = { tamper: withParameter('iss', 'https://evil.example') };
    await expect(client.signIn(browser)).rejects.toThrow(/iss|invalid response/i);
    browser.options = { deliveries: 2 };
    await client.signIn(browser);
    browser.options = { neverFinish: true };
    void client.signIn(browser);
    await until(() => browser.last?.status === 0, 'the browser has left');
  });

  it('stops at a wrong password', async () => {
    const { client, browser } = await pair();
    browser.options = { login: { user: 'ada', password: 'wrong' } };
    void client.signIn(browser);
    await until(() => browser.last, 'the login page came back');
    expect(browser.last).toMatchObject({ status: 401, text: expect.stringContaining('do not match') as string });
  });

  it('also runs as a program, as $BROWSER', async () => {
    const { client } = await pair();
    let exit: number | null = null;
    const program = {
      ...httpBrowser(),
      open: (url: URL | string) =>
        new Promise<never>((resolve) => {
          const child = spawn(process.execPath, [browserProgram, String(url)], { stdio: 'ignore' });
          child.once('exit', (code) => {
            exit = code;
            resolve(undefined as never);
          });
        }),
    };
    expect((await client.signIn(program)).access_token).toBeTypeOf('string');
    expect(exit).toBe(0);
  });
});

describe('the MCP server', () => {
  it('names its metadata and scope in the challenge', async () => {
    const { authorizationServer, mcp } = await pair();
    const refused = await call(mcp.url, undefined, 'whoami');
    const metadataUrl = mcp.url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp');
    expect(refused).toMatchObject({
      status: 401,
      challenge: `Bearer scope="mcp:tools", resource_metadata="${metadataUrl}"`,
    });
    expect(await (await fetch(metadataUrl)).json()).toMatchObject({
      resource: mcp.url,
      authorization_servers: [authorizationServer.issuer],
    });
    expect((await call(mcp.url, 'not-a-token', 'whoami')).challenge).toContain('error="invalid_token"');
  });

  it('wants more scope for some tools', async () => {
    const { mcp, client, browser } = await pair();
    const tokens = await client.signIn(browser);
    const refused = await call(mcp.url, tokens.access_token, 'admin');
    expect(refused.status).toBe(403);
    expect(refused.challenge).toContain('error="insufficient_scope", scope="mcp:tools mcp:admin"');
    const more = await client.signIn(browser, { scope: 'mcp:tools mcp:admin' });
    expect(textOf(await call(mcp.url, more.access_token, 'admin'))).toBe('done as admin');
  });

  it.each([true, false])(
    'answers the official client (json: %s): tools, progress, notifications, questions',
    async (json) => {
      const mcp = await startMcpServer({ json });
      closers.push(mcp.close);
      const client = new Client({ name: 'official', version: '1' }, { capabilities: { sampling: {}, roots: {} } });
      closers.push(() => client.close());
      const logged: unknown[] = [];
      client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logged.push(params.data));
      client.setRequestHandler(CreateMessageRequestSchema, () => ({
        model: 'none',
        role: 'assistant',
        content: { type: 'text', text: 'mine' },
      }));
      const transport = new StreamableHTTPClientTransport(new URL(mcp.url));
      await client.connect(transport);
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
        'echo',
        'whoami',
        'add',
        'slow',
        'big',
        'notify',
        'admin',
        'ask',
      ]);
      expect(await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } })).toMatchObject({
        content: [{ text: '5' }],
      });
      expect(await client.callTool({ name: 'big', arguments: { bytes: 5_000_000 } })).toMatchObject({
        content: [{ text: 'x'.repeat(5_000_000) }],
      });
      await until(() => mcp.counts.get === 1, 'the GET stream');
      await client.callTool({ name: 'notify', arguments: { text: 'news' } });
      await until(() => logged.includes('news'), 'the notification');
      const asked = await client.callTool({ name: 'ask', arguments: { what: 'sampling', onStream: json } });
      expect(JSON.stringify(asked)).toContain('mine');
      if (!json) {
        const progress: number[] = [];
        await client.callTool({ name: 'slow', arguments: { ms: 20 } }, undefined, {
          onprogress: (step) => void progress.push(step.progress),
        });
        expect(progress).toEqual([1, 2, 3, 4]);
      }
      expect(mcp.counts).toMatchObject({ initialize: 1, get: 1, sessions: 1 });
      await transport.terminateSession();
      expect(mcp.counts.delete).toBe(1);
      expect(mcp.liveSessions).toBe(0);
    },
  );

  it('can forget its sessions, cut streams, stop and start again', async () => {
    const mcp = await startMcpServer();
    closers.push(mcp.close);
    const client = new Client({ name: 'official', version: '1' });
    closers.push(() => client.close());
    await client.connect(new StreamableHTTPClientTransport(new URL(mcp.url)));
    await until(() => mcp.openAnswers === 1, 'the GET stream');
    mcp.cutConnections();
    await until(() => mcp.openAnswers === 0, 'the stream is cut');
    await mcp.forgetSessions();
    await expect(client.callTool({ name: 'echo', arguments: { text: 'x' } })).rejects.toThrow(/Session not found/);
    await mcp.stop();
    await expect(fetch(mcp.url)).rejects.toThrow('fetch failed');
    await mcp.start();
    expect((await call(mcp.url, undefined, 'echo', { text: 'back' })).text).toContain('back');
  });

  it('speaks the stateless protocol of 2026-07-28, and only that', async () => {
    const mcp = await startMcpServer({ era: '2026' });
    closers.push(mcp.close);
    const modern = async (
      method: string,
      params: Record<string, unknown> = {},
      headers: Record<string, string> = {},
    ) => {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': { sampling: {} },
        'io.modelcontextprotocol/clientInfo': { name: 'by-hand', version: '0' },
      };
      const answer = await fetch(mcp.url, {
        method: 'POST',
        headers: {
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': method,
          ...headers,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { ...params, _meta } }),
      });
      return { status: answer.status, text: await answer.text() };
    };
    expect((await modern('server/discover')).text).toContain('2026-07-28');
    const echo = { name: 'echo', arguments: { text: 'modern' } };
    expect((await modern('tools/call', echo, { 'mcp-name': 'echo' })).text).toContain('modern');
    expect((await modern('tools/call', { name: 'ask', arguments: {} }, { 'mcp-name': 'ask' })).text).toContain(
      'input_required',
    );
    expect((await modern('no/such')).status).toBe(404);
    expect((await call(mcp.url, undefined, 'echo', { text: 'old' })).status).toBe(400);
    expect(mcp.counts).toMatchObject({ discover: 1, toolRuns: 2 });
  });
});

describe('the host', () => {
  const server = fileURLToPath(new URL('../fixtures/stdio-echo.mjs', import.meta.url));

  it('speaks JSON-RPC lines with a process and sees how it ends', async () => {
    const host = startHost(process.execPath, [server], {});
    closers.push(() => host.kill());
    expect((await host.initialize()).result).toMatchObject({ serverInfo: { name: 'stdio-echo' } });
    expect(textOf(await host.call('echo', { text: 'hello' }))).toBe('hello');
    expect((await host.request('no/such')).error).toMatchObject({ code: -32_601 });
    await host.notification('notifications/message');
    expect(host.lines[0]).toContain('stdio-echo');
    host.sendLine('this is not JSON');
    await until(() => host.stderr.includes('not JSON'), 'the complaint on stderr');
    expect(await host.close()).toBe(0);
    expect(host.exit).toBe(0);
  });

  it('fails a request when the process ends, and kills one that does not end', async () => {
    const gone = startHost(process.execPath, ['-e', 'process.exit(3)'], {});
    await expect(gone.request('initialize')).rejects.toThrow('the process ended with 3');
    const stubborn = startHost(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {});
    await expect(stubborn.close(200)).rejects.toThrow('did not end');
    expect(stubborn.exit).toBe('SIGKILL');
    expect(startHost('/no/such/program', [], {}).pid).toBeNaN();
  });
});
