import { beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../electron/core/base/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { FakeClock } from '../fixtures/clock.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { textOf, type JsonRpcMessage } from '../fixtures/host.ts';
import { tokenAnswer, type RelayRig, type RigServer } from '../fixtures/relay-rig.ts';
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

beforeEach(async () => {
  ({ clock, mcp, relay, server } = await startScriptedRelay(closing, { token: true }));
});

const refuse = (code: ErrorCode) => (server.token = () => ({ kind: 'refused', error: new AppError(code, 'Not now.') }));
const allow = () => (server.token = () => tokenAnswer('t'));

/** A host that got an empty list of tools. */
async function hostWithoutTools(code: ErrorCode): Promise<SocketHost> {
  refuse(code);
  const host = await relay.host('work');
  await host.initialize();
  expect((await host.request('tools/list')).result).toEqual({ tools: [] });
  return host;
}

const toolsChanged = (host: SocketHost) => host.lines.some((line) => line.includes('notifications/tools/list_changed'));

const everyRefusal = [
  'E_SIGN_IN_NEEDED',
  'E_SIGN_IN_AGAIN',
  'E_SERVER_REFUSED',
  'E_SCOPE_NEEDED',
  'E_CLIENT_REFUSED',
  'E_TOKEN_AUDIENCE',
  'E_STORE_LOCKED',
  'E_REFRESH_FAILED',
] as const;

describe('a host that started during a refusal', () => {
  it.each(everyRefusal)('gets its tools after %s has ended, without a sign-in or a call', async (code) => {
    const host = await hostWithoutTools(code);
    await clock.advance(60_000);
    allow();
    await until(async () => {
      await clock.advance(30_000);
      return toolsChanged(host);
    });
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('act');
  });

  it.each(everyRefusal)('gets its tools at its next tools/list after %s has ended', async (code) => {
    const host = await hostWithoutTools(code);
    await clock.advance(3_300);
    allow();
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('act');
  });

  it('gets its tools when a request of another host of the same account succeeds', async () => {
    const first = await hostWithoutTools('E_SERVER_REFUSED');
    const second = await relay.host('work');
    await second.initialize();
    await clock.advance(1_500);
    allow();
    expect(textOf(await second.call('act'))).toBe('run 1');
    await until(() => toolsChanged(first));
    expect(textOf(await first.call('act'))).toBe('run 2');
  });

  it('gets its tools when a user asks for an attempt', async () => {
    const host = await hostWithoutTools('E_SIGN_IN_AGAIN');
    allow();
    server.tryNow();
    await until(() => toolsChanged(host));
  });

  it('gets its tools at its next tools/list although the clock was set back by a day', async () => {
    const host = await hostWithoutTools('E_SERVER_REFUSED');
    clock.jump(-86_400_000);
    await clock.advance(1_500);
    allow();
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('act');
  });

  it('gets new attempts after delays that grow to five minutes', async () => {
    let asked = 0;
    await hostWithoutTools('E_SIGN_IN_AGAIN');
    server.token = () => {
      asked += 1;
      return { kind: 'refused', error: new AppError('E_SIGN_IN_AGAIN', 'Not now.') };
    };
    await clock.advance(60_000);
    const first = asked;
    expect(first).toBeGreaterThan(2);
    await clock.advance(3_600_000);
    expect(asked - first).toBeLessThanOrEqual(16);
    expect(asked - first).toBeGreaterThanOrEqual(11);
  });

  it('gets an empty list after 2 s when the server does not respond to the attempt', async () => {
    const host = await hostWithoutTools('E_SERVER_REFUSED');
    allow();
    mcp.fault = () => {};
    await clock.advance(1_500);
    const list = host.request('tools/list');
    await until(() => mcp.count('initialize') === 1);
    await clock.advance(2_000);
    expect((await list).result).toEqual({ tools: [] });
  });

  it('gets fewer and fewer attempts from the success of another host if they keep failing', async () => {
    const first = await hostWithoutTools('E_SERVER_REFUSED');
    const second = await relay.host('work');
    mcp.fault = ({ message, response, serve }) =>
      message.method === 'initialize' && mcp.count('initialize') > 1 ? void response.writeHead(401).end() : serve();
    allow();
    await clock.advance(1_500);
    await second.initialize();
    const before = mcp.count('initialize');
    for (let call = 0; call < 50; call += 1) {
      await second.call('act');
      await clock.advance(1_000);
    }
    expect(mcp.count('initialize') - before).toBeLessThanOrEqual(12);
    expect(codeOf(await first.call('act'))).toBe('E_SERVER_REFUSED');
  });
});

describe('a subscription whose stream broke after the sign-in had ended', () => {
  it('is opened again after the next sign-in, and the host gets no error', async () => {
    const opened: string[] = [];
    const acknowledged = 'data: {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}\n\n';
    mcp.fault = ({ message, response }) => {
      opened.push(String(message.method));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(acknowledged);
    };
    const host = await relay.host('work');
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'm', version: '1' },
    };
    host.sendLine(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 5,
        method: 'subscriptions/listen',
        params: { notifications: {}, _meta: meta },
      }),
    );
    await host.line((message) => message.method === 'notifications/subscriptions/acknowledged');
    refuse('E_SIGN_IN_AGAIN');
    mcp.listener.cutConnections();
    await until(() => mcp.listener.openConnections === 0);
    await clock.advance(20_000);
    expect(opened).toHaveLength(1);
    allow();
    server.signedIn();
    await until(() => opened.length === 2);
    expect(host.lines.filter((line) => line.includes('"id":5'))).toEqual([]);
  });
});

describe('a refusal without a reason', () => {
  it.each([403, 500])('makes the token doubtful once, and the call is not repeated (%i)', async (status) => {
    mcp.fault = ({ message, response, serve }) =>
      message.method === 'tools/call' ? response.writeHead(status).end() : serve();
    const host = await relay.host('work');
    await host.initialize();
    expect(codeOf(await host.call('act'))).toBe(status === 403 ? 'E_SERVER_REFUSED' : 'E_OUTCOME_UNKNOWN');
    expect(server.doubts).toBe(1);
    expect(mcp.count('tools/call')).toBe(1);
  });
});
