import { describe, expect, it } from 'vitest';
import { textOf } from '../fixtures/host.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { codeOf, createRelayServers } from '../fixtures/relay-servers.ts';

const closing = closeAfterEach();
const { rig } = createRelayServers(closing);

describe('a server that is unreachable', () => {
  it('HT32 is replaced by local responses at the start, and its tools appear when it returns', async () => {
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
    await host.line((message) => message.method === 'notifications/tools/list_changed');
    expect(textOf(await host.call('echo', { text: 'back' }))).toBe('back');
    await until(() => mcp.openAnswers === 1);
  });

  it('gives errors to calls until it returns', async () => {
    const mcp = await startMcpServer();
    closing.push(() => mcp.close());
    const relay = await rig();
    relay.addServer('work', mcp.url);
    const host = await relay.host('work');
    await host.initialize();
    // `notifications/initialized` may still be on its way.
    await mcp.stop();
    expect(codeOf(await host.call('echo', { text: 'x' }))).toMatch(/^E_(?:CONNECT|CONNECTION_LOST|OUTCOME_UNKNOWN)$/);
    await mcp.start();
    await until(async () => (await host.call('echo', { text: 'x' })).result);
    expect(textOf(await host.call('echo', { text: 'x' }))).toBe('x');
    await until(() => mcp.openAnswers === 1, 'the notification stream is open again');
  });

  it('fails running and later calls with E_SERVER_UNKNOWN after it was removed', async () => {
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
