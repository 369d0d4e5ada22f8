import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { serveBridge } from '../../electron/broker/bridge-connection.ts';
import type { PendingRequest } from '../../electron/relay/model.ts';
import { createSseParser } from '../../electron/relay/sse-parser.ts';
import { createToolHeaders } from '../../electron/relay/tool-header-params.ts';
import { readEnvelopeYielding } from '../../electron/relay/yielding.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { createBody } from '../../electron/core/http/body.ts';
import { createHttp } from '../../electron/core/http/client.ts';
import { createByteBuilder } from '../../electron/core/http/byte-builder.ts';
import { silentLog } from '../../electron/core/base/log.ts';
import { readEnvelope } from '../../shared/json-rpc.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { readBody, startListener } from '../fixtures/listener.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';
import { until } from '../fixtures/wait.ts';

// Input that costs many times its size is counted, joined or processed in slots. `npm run bench` measures MB and ms.

const closing = closeAfterEach();
const megabyte = 1024 * 1024;

/** Runs the work. Returns its result, and how often the event loop was free meanwhile. */
async function turnsDuring<Value>(
  work: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly yielding: number }> {
  let yielding = 0;
  let over = false;
  const turn = () => {
    yielding += 1;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  const value = await work();
  over = true;
  return { value, yielding };
}

describe('input in many small pieces', () => {
  it('fails as too large long before 16 MB when an event has millions of empty data lines', () => {
    const parser = createSseParser(16 * megabyte);
    const lines = Buffer.from('data:\n'.repeat(10_000));
    let pushed = 0;
    expect(() => {
      for (; pushed < 100; pushed += 1) parser.push(lines);
    }).toThrow(/more than 16 MB/);
    expect(pushed).toBeLessThan(30);
  });

  it('is one message when an event has 100,000 lines, and the next event is another', () => {
    const parser = createSseParser(16 * megabyte);
    const [first, second] = parser.push(Buffer.from(`${'data: [1,\n'.repeat(100_000)}\ndata: {}\n\n`));
    expect(first?.data?.toString()).toBe('[1,\n'.repeat(100_000).slice(0, -1));
    expect(second?.data?.toString()).toBe('{}');
  });

  it('is joined to large pieces when chunks have one byte', async () => {
    const source = createBody({ pause: () => {}, resume: () => {}, stop: () => {} });
    const sent = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251));
    for (let at = 0; at < sent.length; at += 1) source.push(sent.subarray(at, at + 1));
    source.end();
    const chunks: Buffer[] = [];
    for await (const chunk of source.body) chunks.push(chunk);
    expect(chunks.length).toBeLessThan(5);
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  it('is joined without changing the pieces', () => {
    const all = createByteBuilder();
    const pieces = [3, 0, 70_000, 1, 1, 5_000_000, 9].map((length, n) => Buffer.alloc(length, n));
    for (const piece of pieces) all.add(piece);
    const whole = all.take();
    expect(whole.equals(Buffer.concat(pieces))).toBe(true);
    expect(pieces.map((piece, n) => piece.every((byte) => byte === n))).not.toContain(false);
    all.add(Buffer.from('next'));
    expect([whole.length, all.take().toString()]).toEqual([5_070_014, 'next']);
  });

  it('ends at its size limit in metadata, registration and token responses', async () => {
    const server = await startListener((_, response) => {
      response.writeHead(200);
      const next = (left: number) => {
        if (left === 0) response.end();
        else response.write('x', () => next(left - 1));
      };
      next(400);
    });
    closing.push(() => server.close());
    const http = createHttp();
    closing.push(() => http.close());
    const request = { url: new URL(server.origin), method: 'GET', allow: ['loopback'], timeoutMs: 10_000 } as const;
    await expect(http.fetch({ ...request, maxBytes: 1_000 })).rejects.toMatchObject({ code: 'E_TOO_LARGE' });
    expect((await http.fetch({ ...request, maxBytes: 30_000 })).body.toString()).toBe('x'.repeat(400));
  });
});

describe('a long message', () => {
  it.each([
    ['empty lists', '[],'.repeat(5 * megabyte)],
    ['numbers', '123,'.repeat(3 * megabyte)],
    ['objects', '{"a":[{"b":null}]},'.repeat(600_000)],
    ['line feeds', '\n'.repeat(15 * megabyte)],
  ])('is read in slots when it has 15 MB of %s', async (_, inside) => {
    const { value, yielding } = await turnsDuring(() =>
      readEnvelopeYielding(Buffer.from(`{"jsonrpc":"2.0","id":7,"result":{"x":[${inside}0]}}`)),
    );
    expect(value).toMatchObject({ kind: 'response', id: '7', hasResult: true });
    expect(yielding).toBeGreaterThan(3);
  });

  it.each([
    ['is cut off', '{"id":7,"result":{"x":[', '', 'syntax'],
    ['has a syntax error at its end', '{"id":7,"result":{"x":[', ']}]}', 'syntax'],
    ['continues after its end', '{"id":7,"result":[', '0]}{', 'syntax'],
  ])('is invalid after one pass when it %s', async (_, start, end, problem) => {
    const { value, yielding } = await turnsDuring(() =>
      readEnvelopeYielding(Buffer.from(`${start}${'[],'.repeat(3 * megabyte)}${end}`)),
    );
    expect(value).toMatchObject({ kind: 'invalid', problem, id: '7' });
    expect(yielding).toBeGreaterThan(3);
  });

  it('is invalid when it has millions of members, without a string for each', () => {
    expect(readEnvelope(Buffer.from(`{"jsonrpc":"2.0","id":1,"result":{}${',"a":1'.repeat(megabyte)}}`))).toMatchObject(
      { kind: 'invalid', id: '1' },
    );
  });

  it('is searched for header parameters in slots when it is a list of tools of 8 MB', async () => {
    const property = (n: number) => `"p${n}":{"type":"string","x-mcp-header":"H${n}"}`;
    const properties = Array.from({ length: 50 }, (_, n) => property(n)).join();
    const tool = `"inputSchema":{"type":"object","properties":{${properties}}}`;
    const tools = Array.from({ length: 3_500 }, (_, n) => `{"name":"t${n}",${tool}}`).join();
    const line = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":{"tools":[${tools}]}}`);
    const asked = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
    const headers = createToolHeaders(silentLog, 'work');
    const { value, yielding } = await turnsDuring(() =>
      headers.learn({ line: asked, envelope: readEnvelope(asked) as PendingRequest['envelope'] }, line),
    );
    expect(value).toBe(line);
    expect(yielding).toBeGreaterThan(3);
    const call = (name: string): PendingRequest => {
      const bytes = Buffer.from(
        `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"${name}","arguments":{"p0":"x"}}}`,
      );
      return { line: bytes, envelope: readEnvelope(bytes) as PendingRequest['envelope'] };
    };
    expect(headers.of(call('t0'))).toEqual({ 'mcp-param-h0': 'x' });
    // The limit is 20,000 parameters.
    expect(headers.of(call('t3499'))).toEqual({});
  });

  it('fails its call when the stream contains only invalid events', async () => {
    const hostile = await startListener((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data:{}\n\n'.repeat(20_000));
    });
    closing.push(() => hostile.close());
    const rig = await startRelayRig();
    closing.push(() => rig.close());
    rig.addServer('hostile', `${hostile.origin}/mcp`);
    expect((await (await rig.host('hostile')).call('x')).error?.message).toContain('E_SERVER_ANSWER');
  });

  it('of a hundred thousand events does not delay calls of another server', async () => {
    const flood = Buffer.from('data:{"jsonrpc":"2.0","method":"notifications/x"}\n\n'.repeat(100_000));
    const hostile = await startListener(
      (_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(flood),
    );
    closing.push(() => hostile.close());
    const well = await startListener((request, response) => {
      void readBody(request).then((sent) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(`{"jsonrpc":"2.0","id":${/"id":(\d+)/.exec(sent)?.[1]},"result":{}}`),
      );
    });
    closing.push(() => well.close());
    const rig = await startRelayRig();
    closing.push(() => rig.close());
    rig.addServer('hostile', `${hostile.origin}/mcp`);
    rig.addServer('well', `${well.origin}/mcp`);
    const [one, other] = [await rig.host('hostile'), await rig.host('well')];
    const order: string[] = [];
    const flooded = one.call('x').then(() => order.push('flood'));
    for (let n = 0; n < 5; n += 1) {
      await other.request('ping');
      order.push('ping');
    }
    await flooded;
    expect(order).toEqual(['ping', 'ping', 'ping', 'ping', 'ping', 'flood']);
  });
});

describe('a host that does not read', () => {
  it('is not read from when 64 MB of responses wait for it', async () => {
    const rig = await startRelayRig();
    closing.push(() => rig.close());
    rig.addServer('work', 'http://127.0.0.1:1');
    let socket: net.Socket | undefined;
    const listener = net.createServer((accepted) => {
      socket = accepted;
      serveBridge(accepted, () => Buffer.alloc(0), {
        connection: rig.app.connect('work'),
        http: rig.app.http,
        log: silentLog,
        clock: systemClock(),
        version: '0',
      });
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => listener.close(resolve)));
    const host = net.connect((listener.address() as net.AddressInfo).port, '127.0.0.1').pause();
    closing.push(async () => void host.destroy());
    closing.push(async () => void socket?.destroy());
    // Invalid, but with an id of a megabyte, which the error repeats.
    const lines = Buffer.from(`{"id":"${'x'.repeat(megabyte)}","method":"a","b":no}\n`.repeat(90));
    host.write(lines);
    await until(() => socket?.isPaused() || undefined, 'reading from the host has stopped');
    expect(socket?.writableLength).toBeLessThan(100 * megabyte);
    host.resume();
    await until(
      () => (socket?.bytesRead === lines.length && !socket.isPaused()) || undefined,
      'everything has been read',
    );
  });
});
