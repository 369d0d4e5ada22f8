import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { createHttp } from '../../electron/core/http/client.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { until } from '../fixtures/wait.ts';
import type { HttpStream } from '../../electron/core/http/http.ts';

// A connection that ends while its response is paused. Each case here ended the process with an unpatched undici 7.

const closing = closeAfterEach();

/** One byte over the high-water mark: the last byte causes the pause, and only the end of the connection follows. */
const bytes = 256 * 1024 + 1;

/** Returns a response whose body has been received but not read, and the server's side of the connection. */
async function openUnread(
  headers: string,
  body: string,
): Promise<{ readonly stream: HttpStream; readonly server: net.Socket }> {
  let connection: net.Socket | undefined;
  let written = false;
  const listener = net.createServer((socket) => {
    connection = socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n${headers}\r\n`);
      socket.write(body, () => (written = true));
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => listener.close(resolve)));
  const http = createHttp();
  closing.push(() => http.close());
  const { port } = listener.address() as net.AddressInfo;
  const stream = await http.open({
    url: new URL(`http://127.0.0.1:${port}/`),
    method: 'GET',
    allow: ['loopback'],
    timeoutMs: 10_000,
    maxBytes: Number.MAX_SAFE_INTEGER,
  });
  await until(() => written || undefined, 'the body is written');
  await settled();
  if (!connection) throw new Error('no connection');
  return { stream, server: connection };
}

/** Returns the number of bytes, or the code of the error. */
async function read(stream: HttpStream): Promise<number | string> {
  let total = 0;
  try {
    for await (const chunk of stream.body) total += chunk.length;
    return total;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** Waits until all pending I/O has been processed. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a response that is not read yet', () => {
  it.each([
    ['with a length', `content-length: ${bytes}\r\n`, 'x'.repeat(bytes)],
    ['with chunks', 'transfer-encoding: chunked\r\n', `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n0\r\n\r\n`],
    ['without a length', '', 'x'.repeat(bytes)],
  ])('is complete if the server closes the connection (%s)', async (_, headers, body) => {
    const { stream, server } = await openUnread(headers, body);
    server.end();
    await settled();
    expect(await read(stream)).toBe(bytes);
  });

  it('ends in E_CONNECTION_LOST if the server resets the connection', async () => {
    const { stream, server } = await openUnread(`content-length: ${bytes + 1}\r\n`, 'x'.repeat(bytes));
    server.resetAndDestroy();
    await until(() => server.destroyed || undefined, 'the reset');
    await settled();
    expect(await read(stream)).toBe('E_CONNECTION_LOST');
  });
});
