import { describe, expect, it } from 'vitest';
import { failure } from '../fixtures/failure.ts';
import { createHttpRig, httpRequest } from '../fixtures/http-rig.ts';
import { startListener } from '../fixtures/listener.ts';

const { client, listener, tcpServer } = createHttpRig();

describe('a failed request', () => {
  it('DM31: is E_DNS and unsent if the host name has no address', async () => {
    const http = client({ lookup: async () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' })) });
    expect(await failure(http.fetch(httpRequest('https://nowhere.test/')))).toMatchObject({
      code: 'E_DNS',
      sent: false,
    });
    expect(await failure(http.classOf(new URL('https://nowhere.test/')))).toMatchObject({ code: 'E_DNS', sent: false });
    const empty = client({ lookup: async () => [] });
    expect(await failure(empty.fetch(httpRequest('https://empty.test/')))).toMatchObject({
      code: 'E_DNS',
      sent: false,
    });
  });

  it('DM31: is E_CONNECT and unsent if the connection is refused', async () => {
    const server = await startListener((_, response) => response.end());
    await server.close();
    const error = await failure(client().fetch(httpRequest(`${server.origin}/`, { method: 'POST', body: 'x' })));
    expect(error).toMatchObject({ code: 'E_CONNECT', sent: false });
    const both = await failure(client().fetch(httpRequest(`http://localhost:${server.port}/`)));
    expect(both).toMatchObject({ code: 'E_CONNECT', sent: false });
  });

  it('DM31: is E_TLS and unsent if the server does not use TLS', async () => {
    const server = await listener((_, response) => response.end('plain'));
    const error = await failure(client().fetch(httpRequest(`https://127.0.0.1:${server.port}/`)));
    expect(error).toMatchObject({ code: 'E_TLS', sent: false });
  });

  it('is E_CONNECTION_LOST and sent if the connection is reset after the request', async () => {
    const server = await listener((incoming) => incoming.socket.resetAndDestroy());
    const error = await failure(client().fetch(httpRequest(`${server.origin}/`, { method: 'POST', body: 'x' })));
    expect(error).toMatchObject({ code: 'E_CONNECTION_LOST', sent: true });
  });

  it('DM28: is E_CONNECTION_LOST if the connection breaks within the body', async () => {
    const server = await listener((incoming, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => incoming.socket.destroy());
    });
    expect(await failure(client().fetch(httpRequest(`${server.origin}/`)))).toMatchObject({
      code: 'E_CONNECTION_LOST',
      sent: true,
    });
  });

  it('is E_CONNECTION_LOST if the response is not HTTP', async () => {
    const { port } = await tcpServer((socket) =>
      socket.on('error', () => {}).once('data', () => socket.end('SSH-2.0-OpenSSH_9\r\n\r\n')),
    );
    expect(await failure(client().fetch(httpRequest(`http://127.0.0.1:${port}/`)))).toMatchObject({
      code: 'E_CONNECTION_LOST',
    });
  });

  it('is E_TOO_LARGE if the response has more than 64 KB of headers', async () => {
    const server = await listener((_, response) => response.writeHead(200, { 'x-filler': 'x'.repeat(80_000) }).end());
    expect(await failure(client().fetch(httpRequest(`${server.origin}/`)))).toMatchObject({ code: 'E_TOO_LARGE' });
  });

  it('HT: is E_BAD_INPUT for an invalid header value, which is not in the error', async () => {
    const server = await listener((_, response) => response.end('ok'));
    for (const value of ['secret\r\nx-evil: 1', 'secret\u0000', 'secret€']) {
      const error = await failure(
        client().fetch(httpRequest(`${server.origin}/`, { headers: { authorization: `Bearer ${value}` } })),
      );
      expect(error).toMatchObject({ code: 'E_BAD_INPUT', sent: false });
      expect(`${error.message} ${(error.cause as Error).message}`).not.toContain('secret');
    }
    expect(server.acceptedConnections).toBe(0);
  });
});
