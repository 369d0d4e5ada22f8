import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { batchItems, readEnvelope, idAtEnd, maxBatchItems, sameId } from '../../shared/json-rpc.ts';
import { createPendingRequests } from '../../electron/bridge/pending-requests.ts';
import type { JsonRpcMessage } from '../fixtures/host.ts';
import { readBody, startListener } from '../fixtures/listener.ts';
import { startRelayRig, tokenAnswer } from '../fixtures/relay-rig.ts';
import { startSite } from '../fixtures/site.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

// Messages that are JSON and mean harm: they must cost the broker no time of others, and never an answer that is no
// JSON.

const closing = closeAfterEach();

const codeOf = (message: JsonRpcMessage) => (message.error?.data as { code?: string } | undefined)?.code;

/** A host of a server that gives this body to every request, and a host of one that is well. */
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

/** A batch in a batch in a batch, and a long list in the innermost. */
const nested = (depth: number, bytes: number) => `${'['.repeat(depth)}${'1,'.repeat(bytes / 2)}1${']'.repeat(depth)}`;

describe('batches', () => {
  it('of more than 1,000 messages are none, in a server’s answer too', () => {
    const batch = (count: number) => Buffer.from(`[${Array.from({ length: count }, () => '{}').join()}]`);
    expect(batchItems(batch(maxBatchItems))).toHaveLength(1_000);
    expect(batchItems(batch(maxBatchItems + 1))).toBeUndefined();
    expect(batchItems(Buffer.from(`[${'1,'.repeat(4_000_000)}1]`))).toBeUndefined();
  });

  it.each([
    ['999 batches in each other', nested(999, 1_000_000)],
    ['half a million numbers', nested(1, 1_000_000)],
  ])('%s from a server: an error for the call, and the other servers do not wait', async (_, body) => {
    const { hostile, well } = await hosts(() => body);
    const begun = performance.now();
    const answer = hostile.request('tools/list');
    expect((await well.request('ping')).result).toEqual({});
    expect(codeOf(await answer)).toBe('E_SERVER_ANSWER');
    expect(performance.now() - begun).toBeLessThan(4_000);
  });

  it.each([
    ['999 batches in each other', nested(999, 1_000_000)],
    ['a batch in a batch', '[[{"jsonrpc":"2.0","id":1,"method":"ping"}]]'],
  ])('SI03 %s from a host: one error without an id, and the next message is served', async (_, line) => {
    const { well } = await hosts(() => '');
    well.sendLine(line);
    const begun = performance.now();
    expect(codeOf(await well.line(({ id, error }) => id === null && error !== undefined))).toBe('E_BAD_MESSAGE');
    well.sendLine('{"jsonrpc":"2.0","id":"next","method":"ping"}');
    expect((await well.line(({ id }) => id === 'next')).result).toEqual({});
    expect(performance.now() - begun).toBeLessThan(4_000);
    expect(well.lines).toHaveLength(2);
  });

  it('SI03 a host’s batch of more than 1,000 messages is refused as a whole', async () => {
    const { well } = await hosts(() => '');
    well.sendLine(
      `[${Array.from({ length: 1_001 }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`).join()}]`,
    );
    const { error } = await well.line(({ id }) => id === null);
    expect(error?.message).toContain('a batch of more than 1000 messages');
    expect(well.lines).toHaveLength(1);
  });
});

describe('an address that a server sends in an event (HT26)', () => {
  const event = (origin: string) =>
    `event: endpoint\ndata: ${origin}/messages?session=1\n\nevent: message\ndata: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n`;

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

  it('HT26 a server that has only the HTTP+SSE transport is an error that says so, and its endpoint on another origin hears nothing', async () => {
    const { host, evil } = await world((_, method, origin) =>
      method === 'GET' ? { status: 200, body: event(origin), stream: true } : { status: 405, body: '' },
    );
    const { result } = await host.initialize();
    expect(JSON.stringify(result)).toContain('The server answered with status 405');
    expect(codeOf(await host.call('echo'))).toBe('E_HTTP_STATUS');
    expect(evil.acceptedConnections).toBe(0);
  });

  it('HT26 on the stream of a server that works it is no message, and nothing is sent there', async () => {
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

describe('strings that are no JSON', () => {
  it('HT18 in an answer to initialize: an error of the server, and the host is told why', async () => {
    const { hostile } = await hosts(
      () =>
        '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"instructions":"a\tb\\q"}}',
    );
    hostile.sendLine(
      '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}',
    );
    const answer = await hostile.line(({ id }) => id === 1);
    expect(JSON.stringify(answer)).toContain('response to initialize is not JSON');
    expect(JSON.stringify(answer)).not.toContain('E_UNEXPECTED');
  });

  it('SI03 in a host’s call: the error of a line that is not JSON, with its id, and the server hears nothing', async () => {
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

  it('HT27 in a list of tools with x-mcp-header: an error of the server', async () => {
    const { hostile } = await hosts(
      () =>
        '{"jsonrpc":"2.0","id":9,"result":{"tools":[{"name":"t","description":"a\tb","inputSchema":{"properties":{"v":{"type":"string","x-mcp-header":"V"}}}}]}}',
    );
    hostile.sendLine('{"jsonrpc":"2.0","id":9,"method":"tools/list"}');
    expect(codeOf(await hostile.line(({ id }) => id === 9))).toBe('E_SERVER_ANSWER');
  });
});

describe('ids that are no JSON', () => {
  const broken = ['"\\q"', '"\\u12"', '"a\tb"', '"\u0001"'];

  it.each(broken)('SI03 %j makes a message that is not JSON', (id) => {
    expect(readEnvelope(Buffer.from(`{"id":${id},"method":"ping"}`))).toMatchObject({
      kind: 'invalid',
      problem: 'syntax',
    });
    expect(readEnvelope(Buffer.from(`{"id":${id},"method":"ping"}`)).id).toBeUndefined();
    expect(idAtEnd(`"x":1,"id":${id}}`)).toBeUndefined();
    expect([sameId(id, '1'), sameId('1', id)]).toEqual([false, false]);
  });

  it.each(broken)('SI03 %j of a host gets an answer that is JSON', async (id) => {
    const { well } = await hosts(() => '');
    well.sendLine(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
    expect(codeOf(await well.line((message) => message.id === null))).toBe('E_BAD_MESSAGE');
  });

  it('HT18 in an answer of a server is an error for the call, not a fault of Keybridge', async () => {
    const { hostile } = await hosts(() => '{"jsonrpc":"2.0","id":"\\q","result":{}}');
    expect(codeOf(await hostile.request('tools/list'))).toBe('E_SERVER_ANSWER');
  });

  it('do not end the bridge', () => {
    const ledger = createPendingRequests();
    for (const id of broken) ledger.sent(Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`));
    const begun = performance.now();
    ledger.sent(Buffer.from(nested(999, 300_000)));
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(ledger.received(Buffer.from('{"jsonrpc":"2.0","id":1,"result":{}}'))).toBe('1');
  });
});
