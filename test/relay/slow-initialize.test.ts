import { beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../electron/core/base/errors.ts';
import type { FakeClock } from '../fixtures/clock.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { textOf, type JsonRpcMessage } from '../fixtures/host.ts';
import { sendJson } from '../fixtures/listener.ts';
import type { RelayRig, RigServer } from '../fixtures/relay-rig.ts';
import type { SocketHost } from '../fixtures/socket-host.ts';
import type { ScriptedMcp } from '../fixtures/scripted-mcp.ts';
import { startScriptedRelay } from '../fixtures/scripted-relay.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();
const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

let clock: FakeClock;
let mcp: ScriptedMcp;
let relay: RelayRig;
let server: RigServer;
let host: SocketHost;

beforeEach(async () => {
  ({ clock, mcp, relay, server } = await startScriptedRelay(closing, { token: true }));
  host = await relay.host('work');
});

/** The result of a promise, and how long it took on the fake clock, in steps of 100 ms. */
async function timed<Value>(promise: Promise<Value>, mostMs = 60_000): Promise<{ value: Value; ms: number }> {
  let value: Value | undefined;
  void promise.then((got) => (value = got));
  for (let ms = 0; ms <= mostMs; ms += 500) {
    await until(() => value !== undefined, 'the answer', 40).catch(() => {});
    if (value !== undefined) return { value, ms };
    await clock.advance(500);
  }
  throw new Error(`nothing within ${mostMs} ms`);
}

describe('a server that never answers notifications/initialized', () => {
  it('gets the first call after three seconds, which is logged', async () => {
    mcp.fault = ({ message, serve }) => (message.method === 'notifications/initialized' ? undefined : serve());
    await host.initialize();
    const call = host.call('act');
    await until(() => mcp.count('notifications/initialized') === 1);
    expect(mcp.runs).toBe(0);
    await clock.advance(3_000);
    expect(textOf(await call)).toBe('run 1');
    expect(relay.log.some((line) => line.includes('initialized_unanswered'))).toBe(true);
    expect(textOf(await host.call('act'))).toBe('run 2');
    expect(mcp.count('initialize')).toBe(1);
  });

  it('delays a call by at most five seconds when a new session replays requests', async () => {
    await host.initialize();
    await host.request('resources/subscribe', { uri: 'file:///a' });
    mcp.sessions.clear();
    mcp.fault = ({ message, session, serve }) =>
      session === 'session-2' && message.method !== 'tools/call' ? undefined : serve();
    const call = host.call('act');
    await until(() => mcp.count('notifications/initialized') === 2);
    await clock.advance(3_000);
    await until(() => mcp.count('resources/subscribe') === 2);
    await clock.advance(2_000);
    expect(textOf(await call)).toBe('run 1');
  });

  it('and notifications/cancelled keeps a cancelled call for four seconds at most', async () => {
    await host.initialize();
    await host.call('act');
    mcp.fault = () => {};
    host.sendLine('{"jsonrpc":"2.0","id":500,"method":"tools/call","params":{"name":"act"}}');
    await until(() => mcp.count('tools/call') === 2);
    host.notify('notifications/cancelled', { requestId: 500 });
    await until(() => mcp.count('notifications/cancelled') === 1);
    await clock.advance(3_000);
    await clock.advance(1_000);
    mcp.fault = undefined;
    // The id can be used again.
    host.sendLine('{"jsonrpc":"2.0","id":500,"method":"ping"}');
    expect((await host.line((message) => message.id === 500)).result).toEqual({});
  });
});

describe('a call right after initialize while the refresh is blocked', () => {
  const blocked: RigServer['token'] = (_rejected, waitMs) =>
    new Promise((resolve) => {
      clock.after(waitMs, () => resolve({ kind: 'unavailable', error: new AppError('E_REFRESH_FAILED', 'Not yet.') }));
    });

  it('fails after 20 s in total, when initialize was answered before', async () => {
    await until(
      async () =>
        (
          await host.request('initialize', {
            protocolVersion: '2025-11-25',
            capabilities: {},
            clientInfo: { name: 'h', version: '1' },
          })
        ).result,
    );
    server.token = blocked;
    host.notify('notifications/initialized');
    const { value, ms } = await timed(host.call('act'));
    expect(codeOf(value)).toBe('E_REFRESH_FAILED');
    expect(ms).toBeLessThanOrEqual(20_500);
  });

  it('fails after 20 s in total, when initialize waits for the same refresh', async () => {
    server.token = blocked;
    const opening = host.request(
      'initialize',
      { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'h', version: '1' } },
      60_000,
    );
    const { value, ms } = await timed(host.request('tools/call', { name: 'act' }, 60_000));
    expect(codeOf(value)).toBe('E_REFRESH_FAILED');
    expect(ms).toBeLessThanOrEqual(20_500);
    await opening;
  });
});

describe('a Retry-After of years', () => {
  const years = { 'retry-after': '315360000' };

  it('is limited to an hour, which the error names', async () => {
    await host.initialize();
    mcp.fault = ({ response }) => response.writeHead(429, years).end();
    const { error } = await host.call('act');
    expect(error?.data).toMatchObject({ code: 'E_RATE_LIMITED', retryAfterMs: 3_600_000 });
    expect(error?.message).toContain('60 min');
    mcp.fault = undefined;
    expect(codeOf(await host.call('act'))).toBe('E_RATE_LIMITED');
    await clock.advance(3_600_000);
    expect(textOf(await host.call('act'))).toBe('run 1');
  });

  it('ends immediately when a user asks for an attempt', async () => {
    await host.initialize();
    mcp.fault = ({ response }) => response.writeHead(503, years).end();
    await host.call('act');
    mcp.fault = undefined;
    expect(codeOf(await host.call('act'))).toBe('E_RATE_LIMITED');
    server.tryNow();
    expect(textOf(await host.call('act'))).toBe('run 1');
  });

  it('to initialize does not delay the tools when a user asks for an attempt', async () => {
    mcp.fault = ({ response }) => response.writeHead(503, years).end();
    await host.initialize();
    mcp.fault = undefined;
    server.tryNow();
    await host.line((message) => message.method === 'notifications/tools/list_changed');
    expect(textOf(await host.call('act'))).toBe('run 1');
  });
});

describe('a server of another protocol generation', () => {
  const refuse = (error: object) =>
    (mcp.fault = ({ message, response }) => sendJson(response, 400, { jsonrpc: '2.0', id: message.id, error }));

  it('is reported with the versions that it names', async () => {
    refuse({
      code: -32_022,
      message: 'Unsupported protocol version',
      data: { supported: ['2026-07-28', '2027-01-15'], requested: '2025-11-25' },
    });
    const answer = await host.initialize();
    expect(codeOf(answer)).toBe('E_PROTOCOL_ERA');
    expect(answer.error?.message).toContain('2026-07-28, 2027-01-15');
  });

  it.each([
    [{ code: -32_022, message: 'Unsupported protocol version' }],
    [{ code: -32_022, message: 'Unsupported protocol version', data: null }],
    [{ code: -32_022, message: 'Unsupported protocol version', data: { supported: ['<b>', 7, 'x'.repeat(99)] } }],
    [{ code: -32_601, message: 'Method not found' }],
  ])('is reported without versions when it names none: %j', async (error) => {
    refuse(error);
    const answer = await host.initialize();
    expect(codeOf(answer)).toBe('E_PROTOCOL_ERA');
    expect(answer.error?.message).not.toMatch(/20\d\d-|<b>/);
  });
});
