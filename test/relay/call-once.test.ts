import { beforeEach, describe, expect, it } from 'vitest';
import type { FakeClock } from '../fixtures/clock.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { textOf, type JsonRpcMessage } from '../fixtures/host.ts';
import { sendJson } from '../fixtures/listener.ts';
import type { SocketHost } from '../fixtures/socket-host.ts';
import type { McpPost, ScriptedMcp } from '../fixtures/scripted-mcp.ts';
import { startScriptedRelay } from '../fixtures/scripted-relay.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();
const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

let clock: FakeClock;
let mcp: ScriptedMcp;
let host: SocketHost;

beforeEach(async () => {
  const scripted = await startScriptedRelay(closing);
  ({ clock, mcp } = scripted);
  host = await scripted.relay.host('work');
  await host.initialize();
  expect(textOf(await host.call('act'))).toBe('run 1');
});

/** Responds to one method with the fault, and to all others normally. */
const only = (method: string, fault: (post: McpPost) => void) =>
  (mcp.fault = (post) => (post.message.method === method ? fault(post) : post.serve()));

/** Resolves as the promise does, while the clock runs. */
async function whileTimePasses<Value>(promise: Promise<Value>, stepMs = 250, mostMs = 60_000): Promise<Value> {
  let over = false;
  void promise.finally(() => (over = true)).catch(() => {});
  for (let passed = 0; passed < mostMs; passed += stepMs) {
    await until(() => over, 'the answer', 20).catch(() => {});
    if (over) break;
    await clock.advance(stepMs);
  }
  return promise;
}

describe('a call whose response was lost in an HTTP error', () => {
  it.each([
    ['503 with Retry-After: 1', 503, { 'retry-after': '1' }, 'E_OUTCOME_UNKNOWN'],
    ['503 with Retry-After: 0', 503, { 'retry-after': '0' }, 'E_OUTCOME_UNKNOWN'],
    ['503 without Retry-After', 503, {}, 'E_OUTCOME_UNKNOWN'],
    ['429 with Retry-After: 1', 429, { 'retry-after': '1' }, 'E_RATE_LIMITED'],
    ['429 with Retry-After: 0', 429, { 'retry-after': '0' }, 'E_RATE_LIMITED'],
    ['429 without Retry-After', 429, {}, 'E_RATE_LIMITED'],
    ['404 without a body', 404, {}, 'E_OUTCOME_UNKNOWN'],
    ['500 without a body', 500, {}, 'E_OUTCOME_UNKNOWN'],
    ['502 without a body', 502, {}, 'E_OUTCOME_UNKNOWN'],
    ['504 without a body', 504, {}, 'E_OUTCOME_UNKNOWN'],
    ['408 without a body', 408, {}, 'E_OUTCOME_UNKNOWN'],
    ['409 without a body', 409, {}, 'E_OUTCOME_UNKNOWN'],
  ])('runs once after a %s', async (_name, status, headers, code) => {
    only('tools/call', ({ run, response }) => {
      run();
      response.writeHead(status, headers).end();
    });
    expect(codeOf(await host.call('act'))).toBe(code);
    expect(mcp.runs).toBe(2);
    expect(mcp.count('initialize')).toBe(1);
  });

  it.each([404, 429, 503, 500])('passes on the server’s JSON-RPC error in the body of a %i', async (status) => {
    only('tools/call', ({ run, message, response }) => {
      run();
      sendJson(
        response,
        status,
        { jsonrpc: '2.0', id: message.id, error: { code: -32_050, message: 'the tool broke' } },
        { 'retry-after': '1' },
      );
    });
    expect((await host.call('act')).error).toMatchObject({ code: -32_050, message: 'the tool broke' });
    expect(mcp.runs).toBe(2);
  });

  it('is sent once if its method is unknown', async () => {
    only('vendor/act', ({ response }) => response.writeHead(503, { 'retry-after': '0' }).end());
    expect(codeOf(await host.request('vendor/act'))).toBe('E_OUTCOME_UNKNOWN');
    expect(mcp.count('vendor/act')).toBe(1);
  });

  it('fails after two seconds when a busy server never ends its body', async () => {
    only('tools/call', ({ response }) => void response.writeHead(503, { 'retry-after': '1' }).write('{"jso'));
    const call = host.call('act');
    await until(() => mcp.count('tools/call') === 2);
    expect(codeOf(await whileTimePasses(call, 500, 5_000))).toBe('E_OUTCOME_UNKNOWN');
  });

  it('is sent once if it is a notification', async () => {
    only('notifications/progress', ({ response }) => response.writeHead(503, { 'retry-after': '0' }).end());
    host.notify('notifications/progress', { progressToken: 1, progress: 1 });
    await whileTimePasses(host.request('ping'));
    await clock.advance(30_000);
    expect(mcp.count('notifications/progress')).toBe(1);
  });

  it('fails with the Retry-After of a 503, and the next call waits that long', async () => {
    only('tools/call', ({ run, response }) => {
      run();
      response.writeHead(503, { 'retry-after': '3' }).end();
    });
    const first = await host.call('act');
    expect(first.error?.data).toMatchObject({ code: 'E_OUTCOME_UNKNOWN', retryAfterMs: 3_000 });
    expect(first.error?.message).toContain('3 s');
    mcp.fault = undefined;
    const next = host.call('act');
    await clock.advance(2_000);
    expect(mcp.runs).toBe(2);
    expect(textOf(await whileTimePasses(next))).toBe('run 3');
  });
});

describe('a list or a read', () => {
  it.each([
    [503, { 'retry-after': '0' }],
    [429, { 'retry-after': '0' }],
    [503, {}],
    [502, {}],
    [504, {}],
  ])('is sent four times at most when it always gets %i %o', async (status, headers) => {
    only('tools/list', ({ response }) => response.writeHead(status, headers).end());
    expect((await whileTimePasses(host.request('tools/list'))).error).toBeDefined();
    expect(mcp.count('tools/list')).toBeLessThanOrEqual(4);
    expect(mcp.count('tools/list')).toBeGreaterThan(1);
  });

  it('is repeated after growing pauses until it succeeds', async () => {
    const times: number[] = [];
    only('tools/list', ({ response, serve }) => {
      times.push(clock.now());
      if (times.length < 4) response.writeHead(503, { 'retry-after': '0' }).end();
      else serve();
    });
    expect((await whileTimePasses(host.request('tools/list'))).result).toBeDefined();
    const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses.at(-1)).toBeGreaterThan(pauses[0] ?? 0);
  });
});

describe('a 404 in a session', () => {
  it('with a JSON-RPC response to the call is passed on, and the session continues', async () => {
    only('tools/call', ({ run, message, response }) => {
      run();
      sendJson(response, 404, {
        jsonrpc: '2.0',
        id: message.id,
        error: { code: -32_002, message: 'no such resource' },
      });
    });
    expect((await host.call('act')).error).toMatchObject({ code: -32_002 });
    expect(mcp.count('initialize')).toBe(1);
  });

  it('with an empty body opens a new session and repeats the call when the server has lost the session', async () => {
    only('tools/call', ({ session, response, serve }) => {
      if (session !== undefined && mcp.sessions.has(session) && session !== 'session-1') return serve();
      mcp.sessions.clear();
      response.writeHead(404).end();
      return undefined;
    });
    expect(textOf(await host.call('act'))).toBe('run 2');
    expect(mcp.count('initialize')).toBe(2);
    expect(mcp.count('tools/call')).toBe(3);
  });
});
