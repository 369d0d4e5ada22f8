import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { failure } from '../fixtures/failure.ts';
import { createHttpRig, httpRequest } from '../fixtures/http-rig.ts';
import { until } from '../fixtures/wait.ts';

const { client, listener, tcpServer } = createHttpRig();

describe('response limits', () => {
  it('DM21: stops reading a body that exceeds the size limit', async () => {
    let written = 0;
    const server = await listener((incoming, response) => {
      response.on('error', () => {});
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const pump = () => {
        while (!incoming.socket.destroyed && written < 200 * chunk.length) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', pump);
        }
        response.end();
      };
      pump();
    });
    expect(await failure(client().fetch(httpRequest(`${server.origin}/`)))).toMatchObject({ code: 'E_TOO_LARGE' });
    await until(() => server.openConnections === 0, 'the connection is closed');
    expect(written).toBeLessThan(100 * 64 * 1024);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ] as const)('apply to the decoded bytes of a response in %s', async (encoding, compress) => {
    const small = compress(Buffer.from('{"a":1}'));
    const bomb = compress(Buffer.alloc(20_000_000));
    const server = await listener((incoming, response) => {
      expect(incoming.headers['accept-encoding']).toBeUndefined();
      response.writeHead(200, { 'content-encoding': encoding }).end(incoming.url === '/bomb' ? bomb : small);
    });
    expect((await client().fetch(httpRequest(`${server.origin}/`))).body.toString()).toBe('{"a":1}');
    expect(await failure(client().fetch(httpRequest(`${server.origin}/bomb`)))).toMatchObject({ code: 'E_TOO_LARGE' });
  });

  it('refuse a body that cannot be decoded', async () => {
    const server = await listener((_, response) => response.writeHead(200, { 'content-encoding': 'zstd' }).end('x'));
    expect(await failure(client().fetch(httpRequest(`${server.origin}/`)))).toMatchObject({
      code: 'E_CONNECTION_LOST',
    });
    const damaged = await listener((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip'),
    );
    expect(await failure(client().fetch(httpRequest(`${damaged.origin}/`)))).toMatchObject({
      code: 'E_CONNECTION_LOST',
    });
  });

  it('DM23: cover the time of the whole response, even if bytes keep dripping in', async () => {
    const server = await listener((_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    });
    // The server never ends by itself, so only the limit on the whole response can end the request.
    const error = await failure(client().fetch(httpRequest(`${server.origin}/`, { timeoutMs: 300 })));
    expect(error).toMatchObject({ code: 'E_TIMEOUT', sent: true });
    await until(() => server.openConnections === 0, 'the connection is closed');
  });

  it('end a request with E_TIMEOUT if the server accepts it and stays silent', async () => {
    const { port } = await tcpServer((socket) => socket.on('error', () => {}).resume());
    const error = await failure(client().open(httpRequest(`http://127.0.0.1:${port}/`, { timeoutMs: 200 })));
    expect(error).toMatchObject({ code: 'E_TIMEOUT', sent: true });
  });
});
