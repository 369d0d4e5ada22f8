import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { createHttp } from '../../electron/core/http/client.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { until } from '../fixtures/wait.ts';
import type { HttpStream } from '../../electron/core/http/http.ts';

// Answers that come faster than they are read, and whose connection ends meanwhile: with undici 7 each was the end of
// the process.

const closing = closeAfterEach();

/** One byte more than may wait: the last one brings the pause, and then the end comes with nothing before it. */
const bytes = 256 * 1024 + 1;

/** The head of an answer whose body has come as far as it fits, and the connection of its server. */
async function unread(
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
  await until(() => written || undefined, 'all that fits');
  await settled();
  if (!connection) throw new Error('no connection');
  return { stream, server: connection };
}

async function read(stream: HttpStream): Promise<number | string> {
  let seen = 0;
  try {
    for await (const chunk of stream.body) seen += chunk.length;
    return seen;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** Lets everything happen that happens without a reader. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('an answer that nobody reads yet', () => {
  it.each([
    ['a length', `content-length: ${bytes}\r\n`, 'x'.repeat(bytes)],
    ['chunks', 'transfer-encoding: chunked\r\n', `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n0\r\n\r\n`],
    ['no length', '', 'x'.repeat(bytes)],
  ])('is whole when the server closed the connection before it was read (%s)', async (_, headers, body) => {
    const { stream, server } = await unread(headers, body);
    server.end();
    await settled();
    expect(await read(stream)).toBe(bytes);
  });

  it('is a lost connection, and not the end of Keybridge, when the server reset it', async () => {
    const { stream, server } = await unread(`content-length: ${bytes + 1}\r\n`, 'x'.repeat(bytes));
    server.resetAndDestroy();
    await until(() => server.destroyed || undefined, 'the reset');
    await settled();
    expect(await read(stream)).toBe('E_CONNECTION_LOST');
  });
});
