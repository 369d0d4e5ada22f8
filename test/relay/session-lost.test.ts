import { beforeEach, describe, expect, it } from 'vitest';
import { judgeSession } from '../../electron/relay/session-verdict.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { textOf, type JsonRpcMessage } from '../fixtures/host.ts';
import { sendJson } from '../fixtures/listener.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';
import type { SocketHost } from '../fixtures/socket-host.ts';
import { startScriptedMcp, type McpPost, type ScriptedMcp } from '../fixtures/scripted-mcp.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();
const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;
const rpc = (id: unknown, message: string, code = -32_000) => ({ jsonrpc: '2.0', id, error: { code, message } });

let mcp: ScriptedMcp;
let host: SocketHost;

beforeEach(async () => {
  mcp = await startScriptedMcp();
  closing.push(() => mcp.listener.close());
  const relay = await startRelayRig();
  closing.push(() => relay.close());
  relay.addServer('work', mcp.url);
  host = await relay.host('work');
  await host.initialize();
  expect(textOf(await host.call('act'))).toBe('run 1');
});

/** Makes the server forget all its sessions, and report that in this way. */
function forget(say: (post: McpPost) => void): void {
  mcp.sessions.clear();
  mcp.fault = (post) =>
    post.message.method === 'initialize' || (post.session !== undefined && mcp.sessions.has(post.session))
      ? post.serve()
      : say(post);
}

describe('a server that has lost the session', () => {
  it.each([
    ['400 with an error of id null', 400, rpc(null, 'Bad Request: No valid session ID provided')],
    ['400 with an error of id null that does not mention a session', 400, rpc(null, 'Bad Request')],
    ['400 with an error of another id', 400, rpc('server-error', 'Bad Request: Missing session ID')],
    [
      '400 with an error without an id',
      400,
      { jsonrpc: '2.0', error: { code: -32_000, message: 'Bad Request: Server not initialized' } },
    ],
    ['409 with an error of id null', 409, rpc(null, 'Conflict')],
    ['409 with an error of another id', 409, rpc('server-error', 'Session terminated')],
    ['400 in plain JSON', 400, { error: 'invalid_session', message: 'Unknown session' }],
    ['409 in plain JSON', 409, { message: 'session expired' }],
    ['500 in plain JSON', 500, { detail: 'Session not found' }],
    ['500 with an error of id null that mentions the session', 500, rpc(null, 'Internal error: session not found')],
    ['500 with an error of another id that mentions the session', 500, rpc('server-error', 'Invalid session ID')],
    ['404 with an error of another id', 404, rpc('server-error', 'Not Found')],
    ['410 with an empty body', 410, ''],
  ])('gets one initialize and the call once after a %s', async (_name, status, body) => {
    forget(({ response }) => sendJson(response, status, body));
    expect(textOf(await host.call('act'))).toBe('run 2');
    expect(mcp.count('initialize')).toBe(2);
    expect(mcp.count('tools/call')).toBe(3);
  });

  it('gets the call once when a 400 with the call’s id and a ping both mention the session', async () => {
    forget(({ response, message }) => sendJson(response, 400, rpc(message.id, 'Session not found')));
    expect(textOf(await host.call('act'))).toBe('run 2');
    expect(mcp.count('initialize')).toBe(2);
  });

  it('gets the call once and the next one in a new session after a 500 that does not mention it', async () => {
    forget(({ response }) => sendJson(response, 500, rpc(null, 'Internal error', -32_603)));
    expect((await host.call('act')).error).toMatchObject({ code: -32_603 });
    await until(() => mcp.count('initialize') === 2);
    expect(mcp.count('tools/call')).toBe(2);
    expect(textOf(await host.call('act'))).toBe('run 2');
  });

  it('gets a list again after a 500 that does not mention the session', async () => {
    forget(({ response }) => sendJson(response, 500, rpc(null, 'Internal error', -32_603)));
    expect((await host.request('tools/list')).result).toBeDefined();
    expect(mcp.count('initialize')).toBe(2);
  });

  it('gets one initialize, and then the call fails, when it loses every session', async () => {
    mcp.fault = ({ message, response, serve }) =>
      message.method === 'tools/call' ? sendJson(response, 400, rpc(null, 'Session not found')) : serve();
    expect(codeOf(await host.call('act'))).toBe('E_SERVER_ANSWER');
    expect(mcp.count('initialize')).toBe(2);
    expect(mcp.count('tools/call')).toBe(3);
  });
});

describe('a server that still knows the session', () => {
  it.each([
    ['400 with an error of id null', 400, rpc(null, 'Parse error', -32_700)],
    ['400 with an error of another id', 400, rpc('server-error', 'Validation error')],
    ['409 with an error of id null', 409, rpc(null, 'Conflict')],
    ['500 with an error of id null', 500, rpc(null, 'Internal error')],
    ['404 with an empty body', 404, ''],
    ['500 with an empty body', 500, ''],
    ['400 with an empty body', 400, ''],
  ])('gets the call once, which fails, and the session continues after a %s', async (_name, status, body) => {
    mcp.fault = ({ message, response, run, serve }) => {
      if (message.method !== 'tools/call') return serve();
      run();
      return sendJson(response, status, body);
    };
    expect((await host.call('act')).error).toBeDefined();
    expect(mcp.runs).toBe(2);
    expect(mcp.count('tools/call')).toBe(2);
    expect(mcp.count('initialize')).toBe(1);
  });

  it('gets a call once when the tool’s own error mentions a session', async () => {
    mcp.fault = ({ message, response, serve }) =>
      message.method === 'tools/call' ? sendJson(response, 400, rpc(message.id, 'Browser session not found')) : serve();
    expect((await host.call('act')).error).toMatchObject({ message: 'Browser session not found' });
    expect(mcp.count('tools/call')).toBe(2);
    expect(mcp.count('initialize')).toBe(1);
  });
});

describe('judgeSession', () => {
  const judge = (status: number, body: unknown) =>
    judgeSession(status, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), '7');
  it.each([
    [200, rpc(null, 'Session not found'), 'doubtful'],
    [200, rpc(7, 'Session not found'), 'kept'],
    [200, rpc(null, 'Something else'), 'kept'],
    [404, { jsonrpc: '2.0', id: 7, result: {} }, 'kept'],
    [404, rpc(7, 'Unknown tool'), 'kept'],
    [404, rpc(null, 'Method not found', -32_601), 'kept'],
    [404, rpc(7, 'Session not found'), 'doubtful'],
    [404, '', 'doubtful'],
    [404, '<html>Your session expired</html>', 'doubtful'],
    [500, '<html>Your session expired</html>', 'kept'],
    [500, `Traceback ${'x'.repeat(400)} session not found`, 'kept'],
    [500, 'session not found', 'lost'],
    [400, 'Mcp-Session-Id header is required', 'lost'],
    [400, 'the number of sessions is fine', 'kept'],
    [503, 'session not found', 'kept'],
  ])('%i %j is %s', (status, body, verdict) => {
    expect(judge(status, body)).toBe(verdict);
  });

  it('takes linear time for a hostile text', () => {
    expect(judge(500, 'no session '.repeat(1_400))).toBe('kept');
  });
});
