import { afterEach, describe, expect, it } from 'vitest';
import { startMcpServer, type McpServerOptions, type RunningMcpServer } from './fixtures/mcp-server.ts';
import { startRelayRig, type RelayRig, type RigServer, type SocketHost } from './fixtures/relay-rig.ts';
import { textOf } from './fixtures/host.ts';
import { until } from './fixtures/wait.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function rig(): Promise<RelayRig> {
  const one = await startRelayRig();
  closing.push(() => one.close());
  return one;
}

async function onServer(options: McpServerOptions = {}): Promise<{ mcp: RunningMcpServer; relay: RelayRig; server: RigServer; host: SocketHost }> {
  const mcp = await startMcpServer(options);
  closing.push(() => mcp.close());
  const relay = await rig();
  const server = relay.addServer('work', mcp.url);
  return { mcp, relay, server, host: await relay.host('work') };
}

describe.each([{ json: true }, { json: false }, { json: true, sessions: false }])('a server of the legacy generation, %o', (options) => {
  it('opens one session, in three requests until the tools are there, and ends it', async () => {
    const { mcp, relay, server, host } = await onServer(options);
    const answer = await host.initialize();
    expect(answer.result).toMatchObject({ protocolVersion: '2025-11-25', serverInfo: { name: 'fixture-2025' } });
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
    expect(textOf(await host.call('echo', { text: 'hello' }))).toBe('hello');
    await until(() => mcp.counts.get === 1);
    expect(mcp.counts).toMatchObject({ initialize: 1, notifications: 1, toolsList: 1, toolCalls: 1, requests: 5 });
    const call = mcp.seen.find(({ body }) => body.includes('tools/call'));
    expect(call?.headers).toMatchObject({ 'mcp-protocol-version': '2025-11-25', accept: 'application/json, text/event-stream' });
    expect(server.hosts).toEqual(['rig']);
    host.end();
    await until(() => server.connections === 0);
    if (options.sessions !== false) await until(() => mcp.counts.delete === 1 && mcp.liveSessions === 0);
    expect(relay.log.join('')).not.toContain('call_failed');
  });
});
