import { describe, expect, it } from 'vitest';
import { textOf } from '../fixtures/host.ts';
import { readBody, sendJson, startListener } from '../fixtures/listener.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { tokenAnswer } from '../fixtures/relay-rig.ts';
import { clientByHand } from '../fixtures/sign-in-by-hand.ts';
import { until } from '../fixtures/wait.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { AppError } from '../../electron/core/base/errors.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { codeOf, createRelayServers } from '../fixtures/relay-servers.ts';

const closing = closeAfterEach();
const { rig, protectedServer } = createRelayServers(closing);

describe('a host before the sign-in', () => {
  it('gets a local response to initialize, empty lists, and an error for each call that says what to do', async () => {
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

  it('gets the tools after the sign-in without a restart', async () => {
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

  it('waits with a call for a sign-in that the core starts, and asks for it once', async () => {
    const { relay, server } = await protectedServer();
    const host = await relay.host('work');
    await host.initialize();
    let challenges = 0;
    server.onChallenge = async () => {
      challenges += 1;
      return challenges === 1 ? 'retry' : 'refused';
    };
    // The second attempt has no token either, so the call fails.
    expect(codeOf(await host.call('echo'))).toBe('E_SIGN_IN_NEEDED');
    expect(challenges).toBe(1);
  });

  it('gets the core’s error when the sign-in has ended or the keychain is locked, until that changes', async () => {
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
    await host.line((message) => message.method === 'notifications/tools/list_changed');
    expect(textOf(await host.call('echo', { text: 'x' }))).toBe('x');
  });
});

describe('another sign-in', () => {
  it('as another user opens a new session, and the host does not notice', async () => {
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
    // Without a new sign-in it stays an error.
    expect(codeOf(await host.call('whoami'))).toBe('E_SERVER_REFUSED');
    server.signedIn();
    expect(textOf(await host.call('whoami'))).toBe('bob');
    expect(opened).toBe(2);
  });

  it('started by the core for a call knows the server’s challenge, and the call waits for it', async () => {
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

  it('is asked for once by a call, which fails if nobody signs in', async () => {
    const { relay, server } = await protectedServer();
    const refused = new AppError('E_SIGN_IN_AGAIN', 'The sign-in has ended.');
    server.token = () => ({ kind: 'refused', error: refused });
    const host = await relay.host('work');
    await host.initialize();
    expect(codeOf(await host.call('echo', { text: 'x' }))).toBe('E_SIGN_IN_AGAIN');
    expect(server.challenges).toHaveLength(1);
  });

  it('opens the notification stream again, which stays closed until then', async () => {
    const { as, mcp, relay, server } = await protectedServer();
    const client = await clientByHand(as.issuer, mcp.url);
    closing.push(() => client.close());
    let token = (await client.signIn(httpBrowser())).access_token;
    server.token = () => tokenAnswer(token);
    const host = await relay.host('work');
    await host.initialize();
    // Responses to POSTs are streams too, so wait until only that of the GET is open.
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
