import { beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../fixtures/clock.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { textOf, type JsonRpcMessage } from '../fixtures/host.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';
import type { SocketHost } from '../fixtures/socket-host.ts';
import { startScriptedMcp, type McpPost, type ScriptedMcp } from '../fixtures/scripted-mcp.ts';
import { until } from '../fixtures/wait.ts';

// Servers that begin a response and never end it.

const closing = closeAfterEach();
const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

let clock: FakeClock;
let mcp: ScriptedMcp;
let host: SocketHost;

beforeEach(async () => {
  clock = createFakeClock();
  mcp = await startScriptedMcp();
  closing.push(() => mcp.listener.close());
  const relay = await startRelayRig({ clock });
  closing.push(async () => {
    const closed = relay.close();
    await clock.advance(60_000);
    await closed;
  });
  relay.addServer('work', mcp.url);
  host = await relay.host('work');
});

/** Resolves as the promise does, while the clock runs. */
async function whileTimePasses<Value>(promise: Promise<Value>, mostMs: number, stepMs = 1_000): Promise<Value> {
  let over = false;
  void promise.finally(() => (over = true)).catch(() => {});
  for (let passed = 0; passed < mostMs; passed += stepMs) {
    await until(() => over, 'the answer', 20).catch(() => {});
    if (over) break;
    await clock.advance(stepMs);
  }
  await until(() => over, `a response within ${mostMs} ms`, 200);
  return promise;
}

/** Responds to one method with the fault, and to all others normally. */
const only = (method: string, fault: (post: McpPost) => void) =>
  (mcp.fault = (post) => (post.message.method === method ? fault(post) : post.serve()));

const stalls: readonly (readonly [string, (post: McpPost) => void])[] = [
  [
    'a head of JSON without a body',
    ({ response }) => response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders(),
  ],
  [
    'half of a JSON body',
    ({ response }) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":"2.0",'),
  ],
  [
    'a stream without an event',
    ({ response }) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
  ],
  [
    'a stream of comments',
    ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const beat = () => {
        response.write(': alive\n\n');
        stop = clock.after(5_000, beat);
      };
      let stop = clock.after(5_000, beat);
      response.on('close', () => stop());
    },
  ],
];

describe.each(stalls)('a server that answers with %s', (_name, stall) => {
  it('to initialize does not keep the host without a response, and the session opens later', async () => {
    only('initialize', stall);
    expect((await whileTimePasses(host.initialize(), 60_000)).result).toBeDefined();
    mcp.fault = undefined;
    // The next attempt is allowed a second later.
    await clock.advance(3_300);
    expect(textOf(await whileTimePasses(host.call('act'), 10_000))).toBe('run 1');
  });

  it('when a lost session is opened again fails the call, and a later one runs', async () => {
    await host.initialize();
    await host.call('act');
    mcp.sessions.clear();
    only('initialize', stall);
    expect((await whileTimePasses(host.request('tools/call', { name: 'act' }, 60_000), 50_000)).error).toBeDefined();
    mcp.fault = undefined;
    // The next attempt is allowed a second later.
    await clock.advance(3_300);
    expect(textOf(await whileTimePasses(host.call('act'), 10_000))).toBe('run 2');
  });
});

describe.each(stalls.slice(0, 3))('a server that answers with %s', (_name, stall) => {
  it('to a list fails the call', async () => {
    await host.initialize();
    only('tools/list', stall);
    expect(codeOf(await whileTimePasses(host.request('tools/list', undefined, 90_000), 90_000))).toBe('E_TIMEOUT');
  });
});

it('reports an unknown outcome and does not repeat a call whose JSON response stops in the middle', async () => {
  await host.initialize();
  only('tools/call', stalls[1]?.[1] ?? (() => {}));
  expect(codeOf(await whileTimePasses(host.request('tools/call', { name: 'act' }, 90_000), 610_000, 30_000))).toBe(
    'E_OUTCOME_UNKNOWN',
  );
  expect(mcp.count('tools/call')).toBe(1);
});

describe('the connection of an endless refusal', () => {
  it.each([400, 403, 429, 500, 503])('is closed after a %i', async (status) => {
    await host.initialize();
    let closed = false;
    only('tools/call', ({ response }) => {
      response.on('close', () => (closed = true));
      response.writeHead(status, { 'content-type': 'text/plain', 'retry-after': '0' });
      const more = () => void (response.destroyed || (response.write('x'.repeat(65_536)) && setImmediate(more)));
      response.on('drain', more);
      more();
    });
    expect((await whileTimePasses(host.call('act'), 10_000)).error).toBeDefined();
    await until(() => closed, 'the connection is closed');
  });
});
