import { beforeEach, describe, expect, it } from 'vitest';
import { closeAfterEach } from '../fixtures/closing.ts';
import { textOf, type JsonRpcMessage } from '../fixtures/host.ts';
import { sendJson } from '../fixtures/listener.ts';
import { startRelayRig, tokenAnswer, type RigServer } from '../fixtures/relay-rig.ts';
import type { SocketHost } from '../fixtures/socket-host.ts';
import { startScriptedMcp, type McpPost, type ScriptedMcp } from '../fixtures/scripted-mcp.ts';
import { until } from '../fixtures/wait.ts';

// Refusals that may be about the token, the session or the scopes, but may also be the response of a tool that ran.

const closing = closeAfterEach();
const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

let mcp: ScriptedMcp;
let server: RigServer;
let host: SocketHost;

beforeEach(async () => {
  mcp = await startScriptedMcp();
  closing.push(() => mcp.listener.close());
  const relay = await startRelayRig();
  closing.push(() => relay.close());
  server = relay.addServer('work', mcp.url, (rejected) => tokenAnswer(rejected ? 'new-token' : 'old-token'));
  host = await relay.host('work');
  await host.initialize();
  expect(textOf(await host.call('act'))).toBe('run 1');
});

/** Responds to one method with the fault, and to all others normally. */
const only = (method: string, fault: (post: McpPost) => void) =>
  (mcp.fault = (post) => (post.message.method === method ? fault(post) : post.serve()));

describe('a response that looks like a rejected token', () => {
  it.each([400, 403])(
    'runs the tool once and renews the token after a %i with invalid_token in the body only',
    async (status) => {
      only('tools/call', ({ run, response }) => {
        run();
        sendJson(response, status, { error: 'invalid_token' });
      });
      expect((await host.call('act')).error).toBeDefined();
      expect(mcp.runs).toBe(2);
      expect(mcp.count('tools/call')).toBe(2);
      expect(server.doubts).toBe(1);
    },
  );

  it.each([400, 403])(
    'sends the call again after a %i with invalid_token in a challenge, because the tool did not run',
    async (status) => {
      only('tools/call', ({ request, response, serve }) => {
        if (request.headers.authorization === 'Bearer new-token') return serve();
        return sendJson(response, status, {}, { 'www-authenticate': 'Bearer error="invalid_token"' });
      });
      expect(textOf(await host.call('act'))).toBe('run 2');
    },
  );

  it.each([400, 403])('sends a list again after a %i with invalid_token in the body only', async (status) => {
    only('tools/list', ({ request, response, serve }) =>
      request.headers.authorization === 'Bearer new-token'
        ? serve()
        : sendJson(response, status, { error: 'invalid_token' }),
    );
    expect((await host.request('tools/list')).result).toBeDefined();
    expect(mcp.count('tools/list')).toBe(2);
  });
});

describe('an error of a tool that mentions scopes', () => {
  it('reaches the host, and the call is neither held nor repeated', async () => {
    server.onChallenge = async () => 'retry';
    only('tools/call', ({ run, message, response }) => {
      run();
      sendJson(response, 403, {
        jsonrpc: '2.0',
        id: message.id,
        error: { code: -32_000, message: 'GitHub: insufficient scope' },
      });
    });
    expect((await host.call('act')).error).toMatchObject({ message: 'GitHub: insufficient scope' });
    expect(mcp.runs).toBe(2);
    expect(server.challenges).toEqual([]);
  });
});

describe('a lost session reported with status 200', () => {
  it('is opened again when an error without an id and a ping agree, and the call runs once', async () => {
    mcp.sessions.clear();
    mcp.fault = (post) => {
      const known =
        post.message.method === 'initialize' || (post.session !== undefined && mcp.sessions.has(post.session));
      return known
        ? post.serve()
        : sendJson(post.response, 200, {
            jsonrpc: '2.0',
            id: null,
            error: { code: -32_001, message: 'Session not found' },
          });
    };
    expect(textOf(await host.call('act'))).toBe('run 2');
    expect(mcp.count('initialize')).toBe(2);
  });

  it('is not lost when the error came from a tool, and the call is not repeated', async () => {
    only('tools/call', ({ run, response }) => {
      run();
      sendJson(response, 200, {
        jsonrpc: '2.0',
        id: null,
        error: { code: -32_001, message: 'Browser session not found' },
      });
    });
    expect((await host.call('act')).error).toMatchObject({ message: 'Browser session not found' });
    expect(mcp.runs).toBe(2);
    expect(mcp.count('initialize')).toBe(1);
  });
});

describe('a server whose ping says nothing about the session', () => {
  it('runs a tool once that got a 404, when every ping gets a 404 too', async () => {
    mcp.fault = ({ message, response, run, serve }) => {
      if (message.method === 'tools/call') run();
      else if (message.method !== 'ping') return serve();
      return response.writeHead(404).end();
    };
    expect(codeOf(await host.call('act'))).toBe('E_OUTCOME_UNKNOWN');
    expect(mcp.runs).toBe(2);
    expect(mcp.count('tools/call')).toBe(2);
  });

  it('gets a new session after the second 404 when it checks sessions only at tools/call', async () => {
    mcp.sessions.clear();
    mcp.fault = ({ message, session, response, serve }) => {
      if (message.method === 'initialize' || (session !== undefined && mcp.sessions.has(session))) return serve();
      return message.method === 'tools/call'
        ? response.writeHead(404).end()
        : sendJson(response, 200, { jsonrpc: '2.0', id: message.id, result: {} });
    };
    expect(codeOf(await host.call('act'))).toBe('E_OUTCOME_UNKNOWN');
    expect(codeOf(await host.call('act'))).toBe('E_OUTCOME_UNKNOWN');
    await until(() => mcp.count('initialize') === 2);
    expect(textOf(await host.call('act'))).toBe('run 2');
  });
});

describe('the first call after a sign-in', () => {
  it.each([400, 403])(
    'is not repeated after an empty %i of a tool that ran, and the session continues',
    async (status) => {
      server.signedIn();
      only('tools/call', ({ run, response }) => {
        run();
        response.writeHead(status).end();
      });
      expect((await host.call('act')).error).toBeDefined();
      expect(mcp.runs).toBe(2);
      expect(mcp.count('initialize')).toBe(1);
    },
  );

  it.each([400, 403])(
    'runs once in a new session after a %i because the session belongs to another user',
    async (status) => {
      server.signedIn();
      mcp.fault = ({ session, response, serve }) =>
        session === 'session-1' ? response.writeHead(status).end() : serve();
      expect(textOf(await host.call('act'))).toBe('run 2');
      expect(mcp.count('initialize')).toBe(2);
    },
  );
});
