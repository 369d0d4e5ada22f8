import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createHttp, type HttpOptions } from '../../electron/core/http/client.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { until } from '../fixtures/wait.ts';
import type { Http } from '../../electron/core/http/http.ts';

const closing = closeAfterEach();

interface SilentServer {
  readonly origin: string;
  /** All connections so far. */
  readonly sockets: Socket[];
  /** What was received on each connection. */
  readonly received: string[];
}

/** Responds to the first request of each connection with this Keep-Alive header, and ignores all further ones. */
async function startSilentServer(keepAlive: string): Promise<SilentServer> {
  const sockets: Socket[] = [];
  const received: string[] = [];
  const server = createServer((socket) => {
    const index = sockets.push(socket) - 1;
    received.push('');
    socket
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        received[index] += bytes.toString('latin1');
        if (received[index]?.match(/GET /g)?.length === 1)
          socket.write(`HTTP/1.1 200 OK\r\n${keepAlive}content-length: 2\r\n\r\nok`);
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, received };
}

function client(options: HttpOptions = {}): Http {
  const http = createHttp(options);
  closing.push(() => http.close());
  return http;
}

async function fetchFrom(http: Http, { origin }: Pick<SilentServer, 'origin'>): Promise<string> {
  const { body } = await http.fetch({
    url: new URL(`${origin}/`),
    method: 'GET',
    allow: ['loopback'],
    timeoutMs: 5_000,
    maxBytes: 1_000,
  });
  // The pool takes the connection back in the next turn of the event loop.
  await nextTurn();
  return body.toString();
}

describe('an idle connection that died silently although the server promised to keep it for ten minutes', () => {
  const keepAlive = 'keep-alive: timeout=600\r\nconnection: keep-alive\r\n';

  it('is closed after a few idle seconds, so that the next request succeeds on a new one', async () => {
    const [http, server] = [client(), await startSilentServer(keepAlive)];
    await fetchFrom(http, server);
    await until(() => server.sockets[0]?.readableEnded === true, 'Keybridge closes the idle connection', 9_000);
    expect(await fetchFrom(http, server)).toBe('ok');
    expect(server.sockets).toHaveLength(2);
    expect(server.received[0]?.match(/GET /g)).toHaveLength(1);
  });

  it('is not used after the computer has slept, when no timer has run yet', async () => {
    let now = 1_000_000;
    const [http, server] = [client({ now: () => now }), await startSilentServer(keepAlive)];
    await fetchFrom(http, server);
    now += 60_000;
    expect(await fetchFrom(http, server)).toBe('ok');
    expect(server.sockets).toHaveLength(2);
  });

  it('is not used after a change of network', async () => {
    let [network, now] = ['192.168.1.7', 1_000_000];
    const [http, server] = [client({ network: () => network, now: () => now }), await startSilentServer(keepAlive)];
    await fetchFrom(http, server);
    [network, now] = ['10.0.0.7', now + 1_500];
    expect(await fetchFrom(http, server)).toBe('ok');
    expect(server.sockets).toHaveLength(2);
  });

  it('is not used after sleep by a client with its own certificates either', async () => {
    let now = 1_000_000;
    const [http, server] = [client({ now: () => now }).withTls({}), await startSilentServer(keepAlive)];
    closing.push(() => http.close());
    await fetchFrom(http, server);
    now += 60_000;
    expect(await fetchFrom(http, server)).toBe('ok');
  });
});

describe('a connection in use', () => {
  it('continues after a change of network, while new requests use another one', async () => {
    let [network, now] = ['a', 0];
    const http = client({ network: () => network, now: () => now });
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket
        .on('error', () => {})
        .once('data', () => socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(
      async () => void server.close(),
      async () => sockets.forEach((socket) => socket.destroy()),
    );
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const open = () => http.open({ url, method: 'GET', allow: ['loopback'], timeoutMs: 5_000, maxBytes: 1_000 });
    const stream = await open();
    const chunks = stream.body[Symbol.asyncIterator]();
    expect(String((await chunks.next()).value)).toBe('one');
    [network, now] = ['b', 5_000];
    const second = await open();
    sockets[0]?.write('3\r\ntwo\r\n0\r\n\r\n');
    expect(String((await chunks.next()).value)).toBe('two');
    expect((await chunks.next()).done).toBe(true);
    second.body.destroy();
    expect(sockets).toHaveLength(2);
  });

  it('is reused by the next request if neither time nor network has changed', async () => {
    const server = createServer((socket) => {
      connections += 1;
      socket.on('error', () => {}).on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
    });
    let connections = 0;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const http = client({ now: () => 0, network: () => 'a' });
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (let n = 0; n < 5; n += 1) await fetchFrom(http, { origin });
    expect(connections).toBe(1);
    await http.close();
  });
});
