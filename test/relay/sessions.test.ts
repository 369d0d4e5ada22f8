import { describe, expect, it } from 'vitest';
import { textOf } from '../fixtures/host.ts';
import { type RunningMcpServer, startMcpServer } from '../fixtures/mcp-server.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { codeOf, createRelayServers, respondJson } from '../fixtures/relay-servers.ts';

const closing = closeAfterEach();
const { rig, onServer, byHand } = createRelayServers(closing);

describe.each([{ json: true }, { json: false }, { json: true, sessions: false }])(
  'a server with initialize, %o',
  (options) => {
    it('gets one session, lists its tools after three requests, and gets a DELETE at the end', async () => {
      const { mcp, relay, server, host } = await onServer(options);
      const { result } = await host.initialize();
      expect(result).toMatchObject({ protocolVersion: '2025-11-25', serverInfo: { name: 'fixture-2025' } });
      expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
      expect(textOf(await host.call('echo', { text: 'hello' }))).toBe('hello');
      await until(() => mcp.counts.get === 1);
      expect(mcp.counts).toMatchObject({ initialize: 1, notifications: 1, toolsList: 1, toolCalls: 1, requests: 5 });
      const call = mcp.seen.find(({ body }) => body.includes('tools/call'));
      expect(call?.headers).toMatchObject({
        'mcp-protocol-version': '2025-11-25',
        accept: 'application/json, text/event-stream',
      });
      expect(server.hosts).toEqual(['rig']);
      host.end();
      await until(() => server.connections === 0);
      if (options.sessions !== false) await until(() => mcp.counts.delete === 1 && mcp.liveSessions === 0);
      expect(relay.log.join('')).not.toContain('call_failed');
    });
  },
);

describe('a session', () => {
  it('HT15 is opened again once when ten calls find it lost, and the host does not notice', async () => {
    const { mcp, host } = await onServer();
    await host.initialize();
    await host.call('echo', { text: 'before' });
    await mcp.forgetSessions();
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => host.call('echo', { text: `after ${n}` })));
    expect(answers.map(textOf)).toEqual(Array.from({ length: 10 }, (_, n) => `after ${n}`));
    expect(mcp.counts).toMatchObject({ initialize: 2, toolRuns: 11 });
    expect(host.lines.filter((line) => line.includes('serverInfo'))).toHaveLength(1);
    const [first, second] = mcp.seen.filter(({ body }) => body.includes('"initialize"'));
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['mcp-session-id']).toBeUndefined();
  });

  it('gets the log level again after it was lost', async () => {
    const { mcp, host } = await onServer();
    await host.initialize();
    await host.request('logging/setLevel', { level: 'error' });
    await mcp.forgetSessions();
    await host.call('echo', { text: 'x' });
    await until(() => mcp.seen.filter(({ body }) => body.includes('logging/setLevel')).length === 2);
  });

  it('HT35 HT14 is never used for another host or server', async () => {
    const [one, two] = [await startMcpServer(), await startMcpServer()];
    closing.push(
      () => one.close(),
      () => two.close(),
    );
    const relay = await rig();
    relay.addServer('one', one.url);
    relay.addServer('two', two.url);
    const hosts = await Promise.all(Array.from({ length: 200 }, (_, n) => relay.host(n % 2 ? 'one' : 'two')));
    await Promise.all(hosts.map((host) => host.initialize()));
    const answers = await Promise.all(hosts.map((host, n) => host.call('echo', { text: `host ${n}` })));
    expect(answers.map(textOf)).toEqual(hosts.map((_, n) => `host ${n}`));
    const sessionsOf = (server: RunningMcpServer) =>
      new Set(server.seen.map(({ headers }) => headers['mcp-session-id']).filter(Boolean));
    expect(sessionsOf(one).size).toBe(100);
    expect([...sessionsOf(one)].some((id) => sessionsOf(two).has(id))).toBe(false);
  });

  it('is refused if its id does not fit into a header', async () => {
    const { host, bodies } = await byHand((_, response) => {
      response.setHeader('mcp-session-id', 'a b');
      respondJson(
        response,
        '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},' +
          '"serverInfo":{"name":"x","version":"1"}}}',
      );
    });
    await host.initialize();
    expect(codeOf(await host.call('echo'))).toBe('E_SERVER_ANSWER');
    expect(bodies.length).toBeLessThan(4);
  });
});
