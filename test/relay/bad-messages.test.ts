import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { batchItems, readEnvelope, idAtEnd, maxBatchItems, sameId } from '../../shared/json-rpc.ts';
import { createPendingRequests } from '../../electron/bridge/pending-requests.ts';
import type { JsonRpcMessage } from '../fixtures/host.ts';
import { readBody, startListener } from '../fixtures/listener.ts';
import { startRelayRig, tokenAnswer } from '../fixtures/relay-rig.ts';
import { startSite } from '../fixtures/site.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

// Hostile messages. Each takes linear time, or these tests run into their time limit, and none makes Keybridge send
// invalid JSON.

const closing = closeAfterEach();

const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

/** A host of a server that responds with this body to every request, and a host of a healthy server. */
async function hosts(body: () => string) {
  const serve = async (answer: (sent: string) => string) => {
    const listener = await startListener((request, response) => {
      void readBody(request).then((sent) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(answer(sent)),
      );
    });
    closing.push(() => listener.close());
    return `${listener.origin}/mcp`;
  };
  const relay = await startRelayRig();
  closing.push(() => relay.close());
  relay.addServer('hostile', await serve(body));
  relay.addServer(
    'well',
    await serve((sent) => `{"jsonrpc":"2.0","id":${/"id":("[^"]*"|\d+)/.exec(sent)?.[1] ?? 'null'},"result":{}}`),
  );
  return { hostile: await relay.host('hostile'), well: await relay.host('well') };
}

/** Nested batches with a long list of numbers in the innermost. */
const nested = (depth: number, bytes: number) => `${'['.repeat(depth)}${'1,'.repeat(bytes / 2)}1${']'.repeat(depth)}`;

describe('a batch', () => {
  it('is not split if it has more than 1,000 messages', () => {
    const batch = (count: number) => Buffer.from(`[${Array.from({ length: count }, () => '{}').join()}]`);
    expect(batchItems(batch(maxBatchItems))).toHaveLength(1_000);
    expect(batchItems(batch(maxBatchItems + 1))).toBeUndefined();
    expect(batchItems(Buffer.from(`[${'1,'.repeat(4_000_000)}1]`))).toBeUndefined();
  });

  it.each([
    ['999 nested batches', nested(999, 1_000_000)],
    ['half a million numbers', nested(1, 1_000_000)],
  ])('of %s from a server fails its call, and other servers still respond', async (_, body) => {
    const { hostile, well } = await hosts(() => body);
    const response = hostile.request('tools/list');
    expect((await well.request('ping')).result).toEqual({});
    expect(codeOf(await response)).toBe('E_SERVER_ANSWER');
  });

  it.each([
    ['999 nested batches', nested(999, 1_000_000)],
    ['a nested batch', '[[{"jsonrpc":"2.0","id":1,"method":"ping"}]]'],
  ])('SI03 of %s from a host gets one error without an id, and the next message is served', async (_, line) => {
    const { well } = await hosts(() => '');
    well.sendLine(line);
    expect(codeOf(await well.line(({ id, error }) => id === null && error !== undefined))).toBe('E_BAD_MESSAGE');
    well.sendLine('{"jsonrpc":"2.0","id":"next","method":"ping"}');
    expect((await well.line(({ id }) => id === 'next')).result).toEqual({});
    expect(well.lines).toHaveLength(2);
  });

  it('SI03 of more than 1,000 messages from a host is rejected as a whole', async () => {
    const { well } = await hosts(() => '');
    well.sendLine(
      `[${Array.from({ length: 1_001 }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`).join()}]`,
    );
    const { error } = await well.line(({ id }) => id === null);
    expect(error?.message).toContain('a batch of more than 1000 messages');
    expect(well.lines).toHaveLength(1);
  });
});

describe('the endpoint event of a server with the HTTP+SSE transport', () => {
  const event = (origin: string) =>
    `event: endpoint\ndata: ${origin}/messages?session=1\n\n` +
    'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n';

  async function world(
    answer: (
      sent: string,
      url: string,
      evil: string,
    ) => { readonly status: number; readonly body: string; readonly stream?: boolean },
  ) {
    const evil = await startSite({ host: '127.0.0.3' });
    closing.push(() => evil.close());
    const serve = async (request: IncomingMessage, response: ServerResponse) => {
      const { status, body, stream = false } = answer(await readBody(request), request.method ?? '', evil.origin);
      response.writeHead(status, { 'content-type': stream ? 'text/event-stream' : 'application/json' });
      if (stream) response.write(body);
      else response.end(body);
    };
    const listener = await startListener((request, response) => void serve(request, response));
    closing.push(() => listener.close());
    const relay = await startRelayRig();
    closing.push(() => relay.close());
    relay.addServer('work', `${listener.origin}/sse`, () => tokenAnswer('the-access-token'));
    return { host: await relay.host('work'), evil };
  }

  it('HT26 fails the call with an error that names the transport, and nothing is sent to another origin', async () => {
    const { host, evil } = await world((_, method, origin) =>
      method === 'GET' ? { status: 200, body: event(origin), stream: true } : { status: 405, body: '' },
    );
    const { result } = await host.initialize();
    expect(JSON.stringify(result)).toContain('The server answered with status 405');
    expect(codeOf(await host.call('echo'))).toBe('E_HTTP_STATUS');
    expect(evil.acceptedConnections).toBe(0);
  });

  it('HT26 is ignored on the stream of a working server, and nothing is sent there', async () => {
    const { host, evil } = await world((sent, method, origin) => {
      if (method === 'GET') return { status: 200, body: event(origin), stream: true };
      const id = /"id":(\d+)/.exec(sent)?.[1];
      const result = sent.includes('"initialize"') ? '{"protocolVersion":"2025-11-25","capabilities":{}}' : '{}';
      return id === undefined
        ? { status: 202, body: '' }
        : { status: 200, body: `{"jsonrpc":"2.0","id":${id},"result":${result}}` };
    });
    await host.initialize();
    await host.line(({ method }) => method === 'notifications/tools/list_changed');
    expect((await host.request('ping')).result).toEqual({});
    expect(evil.acceptedConnections).toBe(0);
    expect(host.lines.join()).not.toContain('messages?session');
  });
});

describe('a string that is not JSON', () => {
  it('HT18 in a response to initialize is the server’s error, and the host learns the reason', async () => {
    const { hostile } = await hosts(
      () =>
        '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"instructions":"a\tb\\q"}}',
    );
    hostile.sendLine(
      '{"jsonrpc":"2.0","id":1,"method":"initialize",' +
        '"params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}',
    );
    const answer = await hostile.line(({ id }) => id === 1);
    expect(JSON.stringify(answer)).toContain('response to initialize is not JSON');
    expect(JSON.stringify(answer)).not.toContain('E_UNEXPECTED');
  });

  it('SI03 in a call of a host gets a syntax error with the call’s id, and nothing is sent to the server', async () => {
    let heard = 0;
    const { hostile } = await hosts(() => `{"jsonrpc":"2.0","id":${(heard += 1)},"result":{}}`);
    hostile.sendLine(
      '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"a\tb","arguments":{"text":"x"}}}',
    );
    expect(codeOf(await hostile.line(({ id }) => id === 2))).toBe('E_BAD_MESSAGE');
    hostile.sendLine(Buffer.from('{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"\xff"}}', 'latin1'));
    expect(codeOf(await hostile.line(({ id }) => id === 3))).toBe('E_BAD_MESSAGE');
    expect(heard).toBe(0);
  });

  it('HT27 in a list of tools with x-mcp-header is the server’s error', async () => {
    const { hostile } = await hosts(
      () =>
        '{"jsonrpc":"2.0","id":9,"result":{"tools":[{"name":"t","description":"a\tb",' +
        '"inputSchema":{"properties":{"v":{"type":"string","x-mcp-header":"V"}}}}]}}',
    );
    hostile.sendLine('{"jsonrpc":"2.0","id":9,"method":"tools/list"}');
    expect(codeOf(await hostile.line(({ id }) => id === 9))).toBe('E_SERVER_ANSWER');
  });
});

describe('an id that is not JSON', () => {
  const broken = ['"\\q"', '"\\u12"', '"a\tb"', '"\u0001"'];

  it.each(broken)('SI03 makes the whole message invalid: %j', (id) => {
    expect(readEnvelope(Buffer.from(`{"id":${id},"method":"ping"}`))).toMatchObject({
      kind: 'invalid',
      problem: 'syntax',
    });
    expect(readEnvelope(Buffer.from(`{"id":${id},"method":"ping"}`)).id).toBeUndefined();
    expect(idAtEnd(`"x":1,"id":${id}}`)).toBeUndefined();
    expect([sameId(id, '1'), sameId('1', id)]).toEqual([false, false]);
  });

  it.each(broken)('SI03 in a request of a host gets an error that is JSON: %j', async (id) => {
    const { well } = await hosts(() => '');
    well.sendLine(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
    expect(codeOf(await well.line((message) => message.id === null))).toBe('E_BAD_MESSAGE');
  });

  it('HT18 in a response of a server fails the call with an error of the server', async () => {
    const { hostile } = await hosts(() => '{"jsonrpc":"2.0","id":"\\q","result":{}}');
    expect(codeOf(await hostile.request('tools/list'))).toBe('E_SERVER_ANSWER');
  });

  it('does not end the bridge', () => {
    const pending = createPendingRequests();
    for (const id of broken) pending.sent(Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`));
    pending.sent(Buffer.from(nested(999, 300_000)));
    expect(pending.received(Buffer.from('{"jsonrpc":"2.0","id":1,"result":{}}'))).toBe('1');
  });
});
