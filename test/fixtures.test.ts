// The servers that all other tests stand on are what they claim to be.
import { afterEach, describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServerOptions } from './fixtures/authorization-server.ts';
import { httpBrowser, withParameter } from './fixtures/browser.ts';
import { startMcpServer, type McpServerOptions } from './fixtures/mcp-server.ts';
import { clientByHand } from './fixtures/sign-in-by-hand.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
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

async function call(url: string, token: string | undefined, name: string, input: Record<string, unknown> = {}) {
  const headers: Record<string, string> = {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const post = async (message: unknown, extra: Record<string, string> = {}) =>
    fetch(url, { method: 'POST', headers: { ...headers, ...extra }, body: JSON.stringify({ jsonrpc: '2.0', ...(message as object) }) });
  const clientInfo = { name: 'by-hand', version: '0' };
  const first = await post({ id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } });
  if (first.status !== 200) return { status: first.status, text: await first.text(), challenge: first.headers.get('www-authenticate') };
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
    expect(await call(mcp.url, tokens.access_token, 'whoami')).toMatchObject({ status: 200, text: expect.stringContaining('ada') as string });
    expect(browser.last).toMatchObject({ status: 200, text: 'You can close this page.' });
    expect(authorizationServer.counts).toMatchObject({ authorizations: 1, loginPages: 1, consentPages: 1, registrations: 1, codeExchanges: 1 });
    expect(authorizationServer.seen.token[0]).toMatchObject({ resource: mcp.url });
    expect(authorizationServer.secrets()).toEqual(expect.arrayContaining([tokens.access_token, tokens.refresh_token]));
  });
});
