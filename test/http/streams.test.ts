import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { failure } from '../fixtures/failure.ts';
import { createHttpRig, httpRequest } from '../fixtures/http-rig.ts';
import { until } from '../fixtures/wait.ts';

const { client, listener } = createHttpRig();

describe('a response stream', () => {
  it('delivers the head before the body, and may be silent for longer than the time limit', async () => {
    let stream: ServerResponse | undefined;
    const server = await listener((request, response) => {
      if (request.url !== '/stream') return;
      stream = response.writeHead(200);
      stream.write('one');
    });
    const http = client();
    const limit = { timeoutMs: 100 };
    const { body } = await http.open(httpRequest(`${server.origin}/stream`, limit));
    const reader = body[Symbol.asyncIterator]();
    expect((await reader.next()).value?.toString()).toBe('one');
    const second = reader.next();
    // Started later with the same limit: once it has timed out, the stream has been silent for longer than the limit.
    expect(await failure(http.open(httpRequest(`${server.origin}/silent`, limit)))).toMatchObject({
      code: 'E_TIMEOUT',
    });
    stream?.write('two');
    expect((await second).value?.toString()).toBe('two');
    const third = reader.next();
    server.cutConnections();
    expect(await failure(third)).toMatchObject({ code: 'E_CONNECTION_LOST', sent: true });
  });

  it('ends and closes the connection when the signal fires', async () => {
    const server = await listener((_, response) => response.writeHead(200).write('one'));
    const abort = new AbortController();
    const stream = await client().open(httpRequest(`${server.origin}/`, { signal: abort.signal }));
    const reader = stream.body[Symbol.asyncIterator]();
    await reader.next();
    const next = failure(reader.next());
    abort.abort();
    expect(await next).toMatchObject({ code: 'E_CANCELLED' });
    await until(() => server.openConnections === 0, 'the connection is closed');
  });

  it('closes the connection on destroy() and when the reader leaves the loop', async () => {
    const server = await listener((_, response) => response.writeHead(200).write('one'));
    const http = client();
    (await http.open(httpRequest(`${server.origin}/`))).body.destroy();
    for await (const chunk of (await http.open(httpRequest(`${server.origin}/`))).body) {
      expect(chunk.toString()).toBe('one');
      break;
    }
    await until(() => server.openConnections === 0, 'both connections are closed');
  });

  it('is not requested if the signal has already fired', async () => {
    const server = await listener((_, response) => response.end());
    const error = await failure(client().open(httpRequest(`${server.origin}/`, { signal: AbortSignal.abort() })));
    expect(error).toMatchObject({ code: 'E_CANCELLED', sent: false });
    expect(server.acceptedConnections).toBe(0);
  });

  it('slows the sender down to the speed of the reader, and loses no byte', async () => {
    const total = 40_000_000;
    let written = 0;
    const server = await listener((_, response) => {
      const chunk = Buffer.alloc(100_000, 'x');
      const pump = () => {
        while (written < total) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', pump);
        }
        response.end();
      };
      pump();
    });
    const { body } = await client().open(httpRequest(`${server.origin}/`, { maxBytes: Number.POSITIVE_INFINITY }));
    let received = 0;
    let lead = 0;
    for await (const chunk of body) {
      received += chunk.length;
      // Without back pressure, the sender would be several times faster than this reader.
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      lead = Math.max(lead, written - received);
    }
    expect(received).toBe(total);
    expect(lead).toBeLessThan(total / 2);
  });

  it('reuses its connection for the next request', async () => {
    const server = await listener((_, response) => response.end('ok'));
    const http = client();
    for (let call = 0; call < 5; call += 1)
      await http.fetch(httpRequest(`${server.origin}/`, { method: 'POST', body: 'x' }));
    // undici rests a connection for one turn of the event loop, so two connections alternate.
    expect(server.acceptedConnections).toBeLessThanOrEqual(2);
  });

  it('never waits behind another request on the same connection', async () => {
    const waiting: ServerResponse[] = [];
    const server = await listener((_, response) => {
      waiting.push(response);
      if (waiting.length === 8) for (const one of waiting) one.end('ok');
    });
    const http = client();
    const responses = await Promise.all(Array.from({ length: 8 }, () => http.fetch(httpRequest(`${server.origin}/`))));
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  });
});
