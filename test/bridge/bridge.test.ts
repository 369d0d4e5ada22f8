import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundle } from '../fixtures/bundle.ts';
import { startHost, textOf, type Host, type JsonRpcMessage } from '../fixtures/host.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { startRelayRig, type RelayRig } from '../fixtures/relay-rig.ts';
import { until } from '../fixtures/wait.ts';

// The whole BRIDGE PATH: a host, a bridge as a process, the broker and its relay, a real MCP server.
// The other files of this folder test the bridge alone; test/relay tests the relay alone.

let built: string;
let bridge: string;
beforeAll(async () => {
  built = mkdtempSync(path.join(os.tmpdir(), 'keybridge-bridge-built-'));
  bridge = await bundle(path.join(import.meta.dirname, '../../electron/bridge.ts'), built);
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

let base: string;
let dataDir: string;
let mcp: RunningMcpServer;
let rig: RelayRig;
const hosts: Host[] = [];
beforeEach(async () => {
  base = mkdtempSync(path.join(os.tmpdir(), 'keybridge-bridge-'));
  dataDir = path.join(base, 'data');
  mcp = await startMcpServer();
  rig = await startRelayRig({ dataDir });
  rig.addServer('work', mcp.url);
});
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.kill()));
  await rig.close();
  await mcp.close();
  rmSync(base, { recursive: true, force: true });
});

/** A host app that starts a bridge as a process. */
function start(server = 'work'): Host {
  const host = startHost(process.execPath, [bridge, server], {
    PATH: process.env['PATH'],
    KEYBRIDGE_DATA_DIR: dataDir,
  });
  hosts.push(host);
  return host;
}

const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

describe('the path from the host to the server', () => {
  it('opens a session, and ends it when the host ends the bridge', async () => {
    const host = start();
    expect((await host.initialize()).result).toMatchObject({ serverInfo: { name: 'fixture-2025' } });
    expect(textOf(await host.call('echo', { text: 'through' }))).toBe('through');
    expect(await host.close()).toBe(0);
    await until(() => mcp.counts.delete === 1);
    expect(mcp.counts).toMatchObject({ initialize: 1, toolRuns: 1 });
  });

  it('frees connections and streams when the bridge is killed (SI06)', async () => {
    const host = start();
    await host.initialize();
    await until(() => mcp.openAnswers === 1);
    await host.kill();
    await until(() => rig.broker.connections === 0 && mcp.openAnswers === 0, 'the end of connections and streams');
  });

  it('passes megabytes unchanged in both directions, and 64 calls at once', async () => {
    const host = start();
    await host.initialize();
    const text = 'ä€😀"\\'.repeat(200_000);
    expect(textOf(await host.call('echo', { text }))).toBe(text);
    const responses = await Promise.all(
      Array.from({ length: 64 }, (_, n) => host.call('echo', { text: `${n}:${'x'.repeat(20_000)}` })),
    );
    expect(responses.map((response) => textOf(response).split(':')[0])).toEqual(
      Array.from({ length: 64 }, (_, n) => String(n)),
    );
  });

  it('passes requests of the server to the host, and its responses back', async () => {
    const host = start();
    host.answers.set('sampling/createMessage', () => ({
      model: 'm',
      role: 'assistant',
      content: { type: 'text', text: 'heard' },
    }));
    await host.initialize({ capabilities: { sampling: {} } });
    expect(textOf(await host.call('ask', { what: 'sampling' }))).toContain('heard');
  });

  it('reports an unknown server with what to do, and exit code 2 (SI09)', async () => {
    const host = start('typo');
    const response = await host.initialize();
    expect(codeOf(response)).toBe('E_SERVER_UNKNOWN');
    expect(response.error?.message).toContain('keybridge status');
    expect(await host.close()).toBe(2);
  });
});

describe('a restart of the broker', () => {
  it('fails running calls at once and continues the session with the server (LS11)', async () => {
    const host = start();
    await host.initialize();
    const slow = host.call('slow', { ms: 60_000 });
    await until(() => mcp.counts.toolCalls === 1);
    await rig.stopBroker();
    expect(codeOf(await slow)).toBe('E_OUTCOME_UNKNOWN');
    const waiting = host.call('echo', { text: 'while it is away' }, 20_000);
    await rig.startBroker();
    expect(textOf(await waiting)).toBe('while it is away');
    expect(host.lines.filter((line) => line.includes('serverInfo'))).toHaveLength(1);
    expect(mcp.counts).toMatchObject({ initialize: 2, notifications: 2, toolRuns: 2 });
  });
});
