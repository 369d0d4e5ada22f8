import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { textOf, type JsonRpcMessage } from '../fixtures/host.ts';
import { startListener, type Listener } from '../fixtures/listener.ts';
import { startMcpServer, type McpServerOptions, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { startRelayRig, type RelayRig, type RigServer } from '../fixtures/relay-rig.ts';
import type { SocketHost } from '../fixtures/socket-host.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

async function rig(): Promise<RelayRig> {
  const one = await startRelayRig();
  closing.push(() => one.close());
  return one;
}

async function onServer(
  options: McpServerOptions = {},
): Promise<{ mcp: RunningMcpServer; relay: RelayRig; server: RigServer; host: SocketHost }> {
  const mcp = await startMcpServer(options);
  closing.push(() => mcp.close());
  const relay = await rig();
  const server = relay.addServer('work', mcp.url);
  return { mcp, relay, server, host: await relay.host('work') };
}

describe.each([{ json: true }, { json: false }, { json: true, sessions: false }])(
  'a server of the legacy generation, %o',
  (options) => {
    it('opens one session, in three requests until the tools are there, and ends it', async () => {
      const { mcp, relay, server, host } = await onServer(options);
      const answer = await host.initialize();
      expect(answer.result).toMatchObject({ protocolVersion: '2025-11-25', serverInfo: { name: 'fixture-2025' } });
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

/** A server that answers each POST as the test says, and keeps what came. */
async function byHand(
  answer: (body: Buffer, response: ServerResponse, request: IncomingMessage) => void,
): Promise<{ host: SocketHost; relay: RelayRig; server: RigServer; bodies: Buffer[]; listener: Listener }> {
  const bodies: Buffer[] = [];
  const listener = await startListener((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      if (request.method === 'POST') bodies.push(body);
      answer(body, response, request);
    });
  });
  closing.push(() => listener.close());
  const relay = await rig();
  const server = relay.addServer('work', `${listener.origin}/mcp`);
  return { host: await relay.host('work'), relay, server, bodies, listener };
}

const json = (response: ServerResponse, text: string | Buffer, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

describe('fidelity', () => {
  it('passes every byte both ways: big integers, numbers beyond doubles, unknown members, odd spacing', async () => {
    const request =
      '{ "method":"x/unknown","strange":[1e400,12345678901234567890,-0.0],"params":{"_meta":{"a":1},"ä":"\\u0000 \u2028 😀"},"id":1,"jsonrpc":"2.0" }';
    const answer =
      '{"jsonrpc":"2.0",\r\n  "result": {"n": 90071992547409931234567890, "f": 1.0e+400, "u": "\u2028é"},\n  "extra": null, "id": 1}\n';
    const { host, bodies } = await byHand((_, response) => json(response, answer));
    host.sendLine(request);
    await host.line((message) => message.id === 1);
    expect(bodies[0]?.toString('utf8')).toBe(request);
    expect(host.lines[0]).toBe(answer.replace(/[\r\n]/g, ' '));
  });

  it('gives the host its own id back when the server has rounded or reformatted it', async () => {
    const { host } = await byHand((body, response) =>
      json(
        response,
        JSON.stringify({ jsonrpc: '2.0', result: {}, id: (JSON.parse(body.toString()) as { id: unknown }).id }),
      ),
    );
    for (const id of ['12345678901234567890', '1.50', '1e20', '"\\u0041"']) {
      host.sendLine(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
      await host.line((_, line) => line.endsWith(`"id":${id}}`));
    }
  });

  it.each([400, 404, 409, 500])(
    'delivers a JSON-RPC error that comes with status %i, under the id of the request',
    async (status) => {
      const { host } = await byHand((_, response) =>
        json(response, '{"jsonrpc":"2.0","error":{"code":-32602,"message":"no"},"id":null}', status),
      );
      expect(await host.request('tools/call', {})).toMatchObject({ id: 1, error: { code: -32_602, message: 'no' } });
      expect(host.lines).toHaveLength(1);
    },
  );

  it('puts the id into an error that has none', async () => {
    const { host } = await byHand((_, response) =>
      json(response, '{"jsonrpc":"2.0","error":{"code":5,"message":"no"}}', 400),
    );
    expect(await host.request('tools/call', {})).toMatchObject({ id: 1, error: { code: 5 } });
  });

  it('takes batches of the host apart, and those of the server', async () => {
    const { host, bodies } = await byHand((body, response) => {
      const { id } = JSON.parse(body.toString()) as { id?: number };
      if (id === undefined) response.writeHead(202).end();
      else json(response, `[{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":${id},"result":{}}]`);
    });
    host.sendLine(
      '[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"b"},{"jsonrpc":"2.0","id":2,"method":"c"}]',
    );
    await host.line((message) => message.id === 1);
    await host.line((message) => message.id === 2);
    await until(() => bodies.length === 3);
    expect(host.lines.every((line) => line.startsWith('{'))).toBe(true);
  });
});

describe('what a host may send', () => {
  const echo = (body: Buffer, response: ServerResponse) => {
    const { id } = JSON.parse(body.toString()) as { id?: unknown };
    if (id === undefined) response.writeHead(202).end();
    else json(response, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{}}`);
  };

  it('answers a line that is not JSON, and goes on (SI01)', async () => {
    const { host, bodies } = await byHand(echo);
    host.sendLine('this is not JSON');
    host.sendLine('{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"cut":');
    host.sendLine('\ufeff{"jsonrpc":"2.0","id":9,"method":"ping"}\r');
    expect(await host.line((message) => message.id === 9)).toHaveProperty('result');
    expect(host.lines.slice(0, 2).map((line) => JSON.parse(line) as JsonRpcMessage)).toMatchObject([
      { id: null, error: { code: -32_700, data: { code: 'E_BAD_MESSAGE' } } },
      { id: 8, error: { code: -32_700 } },
    ]);
    expect(bodies).toHaveLength(1);
  });

  it('answers what is JSON and no JSON-RPC, an empty batch, and an id that is in use (SI03)', async () => {
    const waiting: (() => void)[] = [];
    const { host } = await byHand((body, response) => {
      waiting.push(() => echo(body, response));
    });
    for (const line of ['1', '[]', '{"id":null,"method":"a"}', '{"id":{},"method":"a"}', '[3]']) host.sendLine(line);
    await until(() => host.lines.length === 5);
    expect(host.lines.map((line) => JSON.parse(line) as JsonRpcMessage)).toEqual(
      Array.from({ length: 5 }, () =>
        expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32_600 }) }),
      ),
    );
    host.sendLine('{"id":5,"method":"slow"}');
    await until(() => waiting.length === 1);
    host.sendLine('{"id":5,"method":"again"}');
    expect(await host.line((message) => message.id === 5)).toMatchObject({ error: { code: -32_600 } });
    for (const go of waiting) go();
    await host.line((message) => message.id === 5 && message.result !== undefined);
    expect(waiting).toHaveLength(1);
  });

  it.each([
    ['first', (big: string) => `{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"x":"${big}"}}`],
    ['last', (big: string) => `{"method":"tools/call","params":{"x":"${big}"},"jsonrpc":"2.0","id":77}`],
  ])('answers a message of 17 MB whose id stands %s, and goes on (SI02)', async (_, message) => {
    const { host, bodies } = await byHand(echo);
    host.sendLine(message('x'.repeat(17 * 1024 * 1024)));
    expect(codeOf(await host.line(({ id }) => id === 77))).toBe('E_MESSAGE_TOO_LARGE');
    expect(await host.request('ping')).toHaveProperty('result');
    expect(bodies).toHaveLength(1);
  });

  it('passes a message of 15 MB', async () => {
    const { host, bodies } = await byHand(echo);
    const line = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":"${'y'.repeat(15 * 1024 * 1024)}"}}`;
    host.sendLine(line);
    await host.line((message) => message.id === 1);
    expect(bodies[0]?.length).toBe(line.length);
  });
});

describe('streams of a server of the legacy generation', () => {
  it('passes what the server says on its own, and reopens the stream when it breaks', async () => {
    const { mcp, host } = await onServer();
    await host.initialize();
    await until(() => mcp.openAnswers === 1);
    await mcp.announce('one');
    await host.line((message) => message.method === 'notifications/message' && JSON.stringify(message).includes('one'));
    mcp.cutConnections();
    await until(() => mcp.counts.get === 2 && mcp.openAnswers === 1);
    await mcp.announce('two');
    await host.line((message) => JSON.stringify(message).includes('two'));
    expect(mcp.counts.initialize).toBe(1);
  });

  it.each([false, true])(
    'passes requests of the server to the host, and its answers back (own stream: %s) (HT25)',
    async (onStream) => {
      const { mcp, host } = await onServer();
      await host.initialize();
      await until(() => mcp.openAnswers === 1);
      const answer = host.call('ask', { what: 'sampling', onStream });
      const asked = await host.line((message) => message.method === 'sampling/createMessage');
      host.sendLine(
        JSON.stringify({
          jsonrpc: '2.0',
          id: asked.id,
          result: { model: 'm', role: 'assistant', content: { type: 'text', text: 'heard' } },
        }),
      );
      expect(textOf(await answer)).toContain('heard');
      expect(mcp.counts.responses).toBe(1);
    },
  );

  it('takes up the stream of a call where it broke, and the tool runs once', async () => {
    const { mcp, host } = await onServer({ resumable: true, retryMs: 50 });
    await host.initialize();
    host.sendLine(
      '{"jsonrpc":"2.0","id":50,"method":"tools/call","params":{"name":"slow","arguments":{"ms":600},"_meta":{"progressToken":"p"}}}',
    );
    await host.line((message) => message.method === 'notifications/progress');
    mcp.cutConnections();
    expect(textOf(await host.line((message) => message.id === 50))).toBe('done');
    expect(mcp.counts).toMatchObject({ toolRuns: 1, toolCalls: 1 });
    expect(mcp.seen.some(({ method, headers }) => method === 'GET' && headers['last-event-id'] !== undefined)).toBe(
      true,
    );
    expect(host.lines.filter((line) => line.includes('"id":50'))).toHaveLength(1);
  });

  it('cancels at the server, and closes the stream', async () => {
    const { mcp, host } = await onServer();
    await host.initialize();
    await until(() => mcp.openAnswers === 1);
    host.sendLine(
      '{"jsonrpc":"2.0","id":60,"method":"tools/call","params":{"name":"slow","arguments":{"ms":60000,"steps":1}}}',
    );
    await until(() => mcp.openAnswers === 2);
    host.notify('notifications/cancelled', { requestId: 60 });
    await until(() => mcp.openAnswers === 1);
    expect(mcp.counts.notifications).toBe(2);
    host.sendLine('{"jsonrpc":"2.0","id":60,"method":"ping"}');
    expect(await host.line((message) => message.id === 60)).toHaveProperty('result');
  });

  it('ends calls and streams within a second of the host’s end (SI06)', async () => {
    const { mcp, server, host } = await onServer();
    await host.initialize();
    await until(() => mcp.openAnswers === 1);
    host.sendLine('{"jsonrpc":"2.0","id":60,"method":"tools/call","params":{"name":"slow","arguments":{"ms":60000}}}');
    await until(() => mcp.openAnswers === 2);
    host.end();
    await until(() => mcp.openAnswers === 0 && server.connections === 0, 'everything has ended', 1_000);
    await until(() => mcp.counts.delete === 1);
  });
});

describe('sessions', () => {
  it('opens a lost session again, unseen by the host, once for all who notice (HT15)', async () => {
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

  it('says again what the server must know of the session', async () => {
    const { mcp, host } = await onServer();
    await host.initialize();
    await host.request('logging/setLevel', { level: 'error' });
    await mcp.forgetSessions();
    await host.call('echo', { text: 'x' });
    await until(() => mcp.seen.filter(({ body }) => body.includes('logging/setLevel')).length === 2);
  });

  it('never sends the session of one bridge or server on behalf of another (HT35, HT14)', async () => {
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

  it('a session id that is no session id is refused and not sent back', async () => {
    const { host, bodies } = await byHand((_, response) => {
      response.setHeader('mcp-session-id', 'a b');
      json(
        response,
        '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"x","version":"1"}}}',
      );
    });
    await host.initialize();
    expect(codeOf(await host.call('echo'))).toBe('E_SERVER_ANSWER');
    expect(bodies.length).toBeLessThan(4);
  });
});
