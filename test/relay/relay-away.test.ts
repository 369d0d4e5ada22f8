import { describe, expect, it } from 'vitest';
import { AppError } from '../../electron/core/base/errors.ts';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { textOf, type JsonRpcMessage } from '../fixtures/host.ts';
import { readBody, sendJson, startListener } from '../fixtures/listener.ts';
import { startMcpServer, type McpServerOptions, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { startRelayRig, tokenAnswer, type RelayRig } from '../fixtures/relay-rig.ts';
import { clientByHand } from '../fixtures/sign-in-by-hand.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

async function rig(): Promise<RelayRig> {
  const one = await startRelayRig();
  closing.push(() => one.close());
  return one;
}

/** A server that wants a sign-in, and nobody signed in. */
async function protectedServer(options: McpServerOptions = {}) {
  const as = await startAuthorizationServer();
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as, ...options });
  closing.push(() => mcp.close());
  const relay = await rig();
  const server = relay.addServer('work', mcp.url);
  return { as, mcp, relay, server };
}

const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

describe('before the sign-in', () => {
  it('answers initialize itself, lists nothing, and tells each call what to do', async () => {
    const { relay, server, mcp } = await protectedServer();
    const host = await relay.host('work');
    const answer = await host.initialize();
    expect(answer.result).toMatchObject({
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'work' },
      capabilities: { tools: { listChanged: true } },
    });
    expect((await host.request('tools/list')).result).toEqual({ tools: [] });
    expect((await host.request('resources/templates/list')).result).toEqual({ resourceTemplates: [] });
    expect((await host.request('ping')).result).toEqual({});
    const call = await host.call('echo', { text: 'x' });
    expect(codeOf(call)).toBe('E_SIGN_IN_NEEDED');
    expect(call.error?.message).toMatch(/work: .* sign in/i);
    expect(server.challenges[0]).toMatchObject({ status: 401, challenge: { scope: 'mcp:tools' } });
    expect(server.hosts).toEqual(['rig']);
    expect(mcp.counts.toolRuns).toBe(0);
  });

  it('shows the tools after the sign-in, without a restart of the host', async () => {
    const mcp = await startMcpServer();
    closing.push(() => mcp.close());
    const relay = await rig();
    let signedIn = false;
    const refused = new AppError('E_SIGN_IN_NEEDED', 'Nobody is signed in.');
    const server = relay.addServer('work', mcp.url, () =>
      signedIn ? tokenAnswer('t') : { kind: 'refused', error: refused },
    );
    const host = await relay.host('work');
    await host.initialize();
    expect(codeOf(await host.call('echo', { text: 'early' }))).toBe('E_SIGN_IN_NEEDED');
    expect(mcp.counts.requests).toBe(0);
    signedIn = true;
    server.signedIn();
    await host.line((message) => message.method === 'notifications/tools/list_changed');
    expect(JSON.stringify(await host.request('tools/list'))).toContain('echo');
    expect(textOf(await host.call('echo', { text: 'late' }))).toBe('late');
    // The server offers no prompts, but the host was promised a list.
    expect((await host.request('prompts/list')).result).toEqual({ prompts: [] });
    expect(mcp.counts).toMatchObject({ initialize: 1, notifications: 1 });
    expect(mcp.seen[0]?.body).toContain('"rig"');
    expect(host.lines.some((line) => line.includes('fixture-2025'))).toBe(false);
  });

  it('lets a call wait for a sign-in that the core starts by itself', async () => {
    const { relay, server } = await protectedServer();
    const host = await relay.host('work');
    await host.initialize();
    let asked = 0;
    server.onChallenge = async () => {
      asked += 1;
      return asked === 1 ? 'retry' : 'refused';
    };
    // It was asked again, without a token all the same, and said so.
    expect(codeOf(await host.call('echo'))).toBe('E_SIGN_IN_NEEDED');
    expect(asked).toBe(1);
  });

  it('says what the core says when the stored sign-in is over or cannot be read', async () => {
    const mcp = await startMcpServer();
    closing.push(() => mcp.close());
    const relay = await rig();
    const server = relay.addServer('work', mcp.url, () => ({
      kind: 'refused',
      error: new AppError('E_SIGN_IN_AGAIN', 'The sign-in has ended.'),
    }));
    const host = await relay.host('work');
    await host.initialize();
    expect(codeOf(await host.call('echo'))).toBe('E_SIGN_IN_AGAIN');
    server.token = () => ({ kind: 'unavailable', error: new AppError('E_STORE_LOCKED', 'The keychain is locked.') });
    expect(codeOf(await host.call('echo'))).toBe('E_STORE_LOCKED');
    server.token = () => tokenAnswer('t');
    // It heals by itself.
    await host.line((message) => message.method === 'notifications/tools/list_changed');
    expect(textOf(await host.call('echo', { text: 'x' }))).toBe('x');
  });
});

describe('after another sign-in', () => {
  it('a session that the server no longer grants is opened anew, unseen by the host', async () => {
    let owner = 'ada';
    let opened = 0;
    const owners = new Map<string, string>();
    const listener = await startListener((request, response) => {
      void readBody(request).then((body) => {
        const session = String(request.headers['mcp-session-id'] ?? '');
        const { id, method } = (body === '' ? {} : JSON.parse(body)) as { id?: number; method?: string };
        if (session !== '' && owners.get(session) !== owner)
          return sendJson(response, 403, { error: 'not your session' });
        if (request.method !== 'POST' || id === undefined)
          return response.writeHead(request.method === 'POST' ? 202 : 405).end();
        if (method !== 'initialize')
          return sendJson(response, 200, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: owner }] } });
        opened += 1;
        owners.set(`s${opened}`, owner);
        return sendJson(
          response,
          200,
          { jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25', capabilities: {} } },
          { 'mcp-session-id': `s${opened}` },
        );
      });
    });
    closing.push(() => listener.close());
    const relay = await rig();
    const server = relay.addServer('work', listener.origin, () => tokenAnswer('t'));
    const host = await relay.host('work');
    await host.initialize();
    expect(textOf(await host.call('whoami'))).toBe('ada');
    owner = 'bob';
    // Without a new sign-in this is what it says: refused.
    expect(codeOf(await host.call('whoami'))).toBe('E_SERVER_REFUSED');
    server.signedIn();
    expect(textOf(await host.call('whoami'))).toBe('bob');
    expect(opened).toBe(2);
  });

  it('a call that finds the sign-in ended waits for the one that starts by itself, which knows what the server asked for', async () => {
    const { as, mcp, relay, server } = await protectedServer();
    const client = await clientByHand(as.issuer, mcp.url);
    closing.push(() => client.close());
    const refused = new AppError('E_SIGN_IN_AGAIN', 'The sign-in has ended.');
    server.token = (rejected) => (rejected ? { kind: 'refused', error: refused } : tokenAnswer('an old one'));
    server.onChallenge = async () => {
      const token = (await client.signIn(httpBrowser())).access_token;
      server.token = () => tokenAnswer(token);
      return 'retry';
    };
    const host = await relay.host('work');
    await host.initialize();
    expect(textOf(await host.call('echo', { text: 'x' }))).toBe('x');
    expect(server.challenges).toMatchObject([{ status: 401, challenge: { scope: 'mcp:tools' } }]);
  });

  it('a call that finds the sign-in ended asks once, and says so when nobody signs in', async () => {
    const { relay, server } = await protectedServer();
    const refused = new AppError('E_SIGN_IN_AGAIN', 'The sign-in has ended.');
    server.token = () => ({ kind: 'refused', error: refused });
    const host = await relay.host('work');
    await host.initialize();
    expect(codeOf(await host.call('echo', { text: 'x' }))).toBe('E_SIGN_IN_AGAIN');
    expect(server.challenges).toHaveLength(1);
  });

  it('the server’s own stream is opened again, and not before', async () => {
    const { as, mcp, relay, server } = await protectedServer();
    const client = await clientByHand(as.issuer, mcp.url);
    closing.push(() => client.close());
    let token = (await client.signIn(httpBrowser())).access_token;
    server.token = () => tokenAnswer(token);
    const host = await relay.host('work');
    await host.initialize();
    // The answers to the opening's POSTs are streams too: only the GET is meant.
    await until(() => mcp.counts.get === 1 && mcp.openAnswers === 1);
    const refused = new AppError('E_SIGN_IN_AGAIN', 'The sign-in has ended.');
    server.token = () => ({ kind: 'refused', error: refused });
    mcp.cutConnections();
    await until(() =>
      relay.log.some((line) => line.includes('server_stream_lost') && line.includes('E_SIGN_IN_AGAIN')),
    );
    const { get } = mcp.counts;
    token = (await client.signIn(httpBrowser())).access_token;
    server.token = () => tokenAnswer(token);
    server.signedIn();
    await until(() => mcp.counts.get > get && mcp.openAnswers === 1);
    expect(mcp.counts.get).toBe(get + 1);
  });
});

describe('a server that is away', () => {
  it('is answered for at the start, and is there by itself within 5 s of its return (HT32)', async () => {
    const mcp = await startMcpServer();
    closing.push(() => mcp.close());
    await mcp.stop();
    const relay = await rig();
    relay.addServer('work', mcp.url);
    const host = await relay.host('work');
    expect((await host.initialize()).result).toMatchObject({ serverInfo: { name: 'work' } });
    expect((await host.request('tools/list')).result).toEqual({ tools: [] });
    expect(codeOf(await host.call('echo'))).toBe('E_CONNECT');
    await mcp.start();
    await host.line((message) => message.method === 'notifications/tools/list_changed', 5_000);
    expect(textOf(await host.call('echo', { text: 'back' }))).toBe('back');
    await until(() => mcp.openAnswers === 1);
  });

  it('gives errors while it is away in the middle, and works again afterwards', async () => {
    const mcp = await startMcpServer();
    closing.push(() => mcp.close());
    const relay = await rig();
    relay.addServer('work', mcp.url);
    const host = await relay.host('work');
    await host.initialize();
    // At any time, also while `notifications/initialized` is on its way.
    await mcp.stop();
    expect(codeOf(await host.call('echo', { text: 'x' }))).toMatch(/^E_(?:CONNECT|CONNECTION_LOST|OUTCOME_UNKNOWN)$/);
    await mcp.start();
    await until(async () => (await host.call('echo', { text: 'x' })).result);
    expect(textOf(await host.call('echo', { text: 'x' }))).toBe('x');
    await until(() => mcp.openAnswers === 1, 'the stream is open again', 6_000);
  });

  it('is told to be removed', async () => {
    const mcp = await startMcpServer();
    closing.push(() => mcp.close());
    const relay = await rig();
    relay.addServer('work', mcp.url);
    const host = await relay.host('work');
    await host.initialize();
    const running = host.call('slow', { ms: 60_000 });
    await until(() => mcp.counts.toolCalls === 1);
    relay.removeServer('work');
    expect(codeOf(await running)).toBe('E_SERVER_UNKNOWN');
    expect(codeOf(await host.call('echo'))).toBe('E_SERVER_UNKNOWN');
    await expect(relay.host('work')).rejects.toThrow('E_SERVER_UNKNOWN');
  });
});

describe('generations', () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'modern host', version: '1' },
  };
  async function onServer(
    options: McpServerOptions,
  ): Promise<{ mcp: RunningMcpServer; host: Awaited<ReturnType<RelayRig['host']>>; hosts: string[] }> {
    const mcp = await startMcpServer(options);
    closing.push(() => mcp.close());
    const relay = await rig();
    const server = relay.addServer('work', mcp.url);
    return { mcp, host: await relay.host('work'), hosts: server.hosts };
  }

  it.each([true, false])(
    'a modern host and a modern server (json: %s): passed, with the headers of each message',
    async (asJson) => {
      const { mcp, host, hosts } = await onServer({ era: '2026', json: asJson });
      expect((await host.request('server/discover', { _meta: meta })).result).toMatchObject({
        supportedVersions: expect.arrayContaining(['2026-07-28']),
      });
      expect(textOf(await host.request('tools/call', { name: 'echo', arguments: { text: 'é' }, _meta: meta }))).toBe(
        'é',
      );
      expect(mcp.seen.at(-1)?.headers).toMatchObject({
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'echo',
      });
      expect((await host.request('tools/call', { name: 'café\n', arguments: {}, _meta: meta })).error).toBeDefined();
      expect(mcp.seen.at(-1)?.headers['mcp-name']).toBe(`=?base64?${Buffer.from('café\n').toString('base64')}?=`);
      expect((await host.request('no/such', { _meta: meta })).error).toMatchObject({ code: -32_601 });
      expect(hosts).toEqual(['modern host']);
      expect(mcp.counts).toMatchObject({ initialize: 0, get: 0 });
    },
  );

  it('cancelling closes the stream and sends nothing', async () => {
    const { mcp, host } = await onServer({ era: '2026' });
    host.sendLine(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 90,
        method: 'tools/call',
        params: { name: 'slow', arguments: { ms: 60_000 }, _meta: { ...meta, progressToken: 1 } },
      }),
    );
    await until(() => mcp.openAnswers === 1);
    host.notify('notifications/cancelled', { requestId: 90 });
    await until(() => mcp.openAnswers === 0);
    expect(mcp.counts.notifications).toBe(0);
    expect(host.lines.some((line) => line.includes('"id":90'))).toBe(false);
  });

  it('a listen stream is opened again after a break, unseen by the host (HT32)', async () => {
    const { mcp, host } = await onServer({ era: '2026' });
    host.sendLine(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 91,
        method: 'subscriptions/listen',
        params: { notifications: { toolsListChanged: true }, _meta: meta },
      }),
    );
    await host.line((message) => message.method === 'notifications/subscriptions/acknowledged');
    mcp.cutConnections();
    await until(() => mcp.seen.filter(({ body }) => body.includes('subscriptions/listen')).length === 2);
    await until(() => mcp.openAnswers === 1);
    await mcp.announce('x');
    await host.line((message) => message.method === 'notifications/tools/list_changed');
    expect(host.lines.filter((line) => line.includes('acknowledged'))).toHaveLength(1);
  });

  it('server/discover waits for the sign-in that starts by itself: a modern host would take the server for an old one', async () => {
    const { as, mcp, relay, server } = await protectedServer({ era: '2026' });
    const client = await clientByHand(as.issuer, mcp.url);
    closing.push(() => client.close());
    server.onChallenge = async () => {
      const token = (await client.signIn(httpBrowser())).access_token;
      server.token = () => tokenAnswer(token);
      return 'retry';
    };
    const host = await relay.host('work');
    expect((await host.request('server/discover', { _meta: meta })).result).toMatchObject({
      supportedVersions: expect.arrayContaining(['2026-07-28']),
    });
    expect(server.challenges).toHaveLength(1);
  });

  it('a version that the server does not have: its own list reaches the host (HT29)', async () => {
    const { host } = await onServer({ era: '2026' });
    const answer = await host.request('server/discover', {
      _meta: { ...meta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' },
    });
    expect(answer.error).toMatchObject({ code: -32_022, data: { supported: expect.arrayContaining(['2026-07-28']) } });
  });

  it.each([400, 404, 405])(
    'a modern host on a server that answers %i without words of its own gets a clear error',
    async (status) => {
      const listener = await startListener((_, response) => response.writeHead(status).end());
      closing.push(() => listener.close());
      const relay = await rig();
      relay.addServer('work', listener.origin);
      const host = await relay.host('work');
      expect(codeOf(await host.request('server/discover', { _meta: meta }))).toBe('E_PROTOCOL_ERA');
    },
  );

  it('a legacy host on a server that has no initialize fails with a clear error', async () => {
    const { host } = await onServer({ era: '2026' });
    const answer = await host.initialize();
    expect(codeOf(answer)).toBe('E_PROTOCOL_ERA');
  });

  it.each([{ json: true }, { json: true, sessions: false }])(
    'a host of both generations falls back on a legacy server %o',
    async (options) => {
      const { host } = await onServer(options);
      const probe = await host.request('server/discover', { _meta: meta });
      expect(probe.error).toBeDefined();
      expect([-32_020, -32_021, -32_022]).not.toContain(probe.error?.code);
      expect((await host.initialize()).result).toMatchObject({ serverInfo: { name: 'fixture-2025' } });
      expect(textOf(await host.call('echo', { text: 'x' }))).toBe('x');
    },
  );
});
