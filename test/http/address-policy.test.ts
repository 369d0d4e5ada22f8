import { describe, expect, it } from 'vitest';
import { allowedClasses } from '../../electron/core/http/address.ts';
import type { HttpOptions } from '../../electron/core/http/client.ts';
import type { AddressClass } from '../../electron/core/http/http.ts';
import { findNetwork } from '../../electron/core/http/network.ts';
import { failure } from '../fixtures/failure.ts';
import { createHttpRig, httpRequest } from '../fixtures/http-rig.ts';

const { client, listener } = createHttpRig();

describe('address policy', () => {
  it('DM15: refuses a literal address of a class that is not allowed, without connecting', async () => {
    const internal = await listener((_, response) => response.end('secret'));
    for (const host of ['127.0.0.1', '127.1', '0x7f000001', '[::ffff:127.0.0.1]', 'localhost']) {
      const error = await failure(
        client().fetch(httpRequest(`https://${host}:${internal.port}/`, { allow: ['public'] })),
      );
      expect(error).toMatchObject({ code: 'E_ADDRESS_REFUSED', sent: false });
    }
    expect(internal.acceptedConnections).toBe(0);
  });

  it('DM15: refuses a name if only one of its addresses is forbidden', async () => {
    const internal = await listener((_, response) => response.end('secret'));
    const http = client({
      lookup: async () => [
        { address: '93.184.216.34', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
    });
    const error = await failure(http.fetch(httpRequest(`https://mixed.test:${internal.port}/`, { allow: ['public'] })));
    expect(error).toMatchObject({ code: 'E_ADDRESS_REFUSED', sent: false });
    expect(internal.acceptedConnections).toBe(0);
  });

  it('DM18: refuses a name that resolves to a public address first and to loopback later (DNS rebinding)', async () => {
    const internal = await listener((_, response) => response.end('secret'));
    const answers = ['93.184.216.34', '127.0.0.1'];
    const http = client({ lookup: async () => [{ address: answers.shift() ?? '127.0.0.1', family: 4 }] });
    const url = new URL(`https://rebind.test:${internal.port}/`);
    expect(await http.classOf(url)).toBe('public');
    const error = await failure(http.fetch(httpRequest(url.href, { allow: ['public'] })));
    expect(error.code).toBe('E_ADDRESS_REFUSED');
    expect(internal.acceptedConnections).toBe(0);
  });

  it('does not reuse a connection under another policy', async () => {
    const server = await listener((_, response) => response.end('ok'));
    const http = client();
    await http.fetch(httpRequest(`${server.origin}/`, { allow: ['loopback'] }));
    const error = await failure(http.fetch(httpRequest(`${server.origin}/`, { allow: ['public'] })));
    expect(error.code).toBe('E_ADDRESS_REFUSED');
    expect(server.acceptedConnections).toBe(1);
  });

  it('refuses plain http to `localhost` if the name resolves to another computer', async () => {
    const http = client({ lookup: async () => [{ address: '93.184.216.34', family: 4 }] });
    expect(await failure(http.fetch(httpRequest('http://localhost:9/')))).toMatchObject({ code: 'E_ADDRESS_REFUSED' });
  });

  it('allows a server’s own origin its own network only, and other origins the internet as well', () => {
    const inside = { origin: 'https://mcp.example', own: 'private' } as const;
    expect(allowedClasses(inside, new URL('https://mcp.example/mcp'))).toEqual(['private']);
    expect(allowedClasses(inside, new URL('https://mcp.example:444/'))).toEqual(['public', 'private']);
    expect(allowedClasses({ ...inside, own: 'public' }, new URL('https://else.example/'))).toEqual(['public']);
  });

  it('determines the network of a server by the address that was connected to', async () => {
    const server = await listener((_, response) => response.end('ok'));
    const classes: Record<string, AddressClass> = { '127.0.0.1': 'private' };
    const found = (options: HttpOptions, known?: AddressClass) =>
      findNetwork(client(options), new URL(server.origin), known);
    expect(await found({ classify: (address) => classes[address] ?? 'unspecified' })).toEqual({
      origin: server.origin,
      own: 'private',
    });
    expect(await found({})).toEqual({ origin: server.origin, own: 'loopback' });
    expect(server.acceptedConnections).toBe(2);
    expect(await failure(found({ classify: () => 'unspecified' }))).toMatchObject({
      code: 'E_ADDRESS_REFUSED',
      sent: false,
    });
    expect(await found({}, 'public')).toEqual({ origin: server.origin, own: 'public' });
    expect(server.acceptedConnections).toBe(2);
  });

  it.each([
    ['http://192.168.1.1/', 'E_INSECURE_URL'],
    ['http://example.com/', 'E_INSECURE_URL'],
    ['http://localhost.example.com/', 'E_INSECURE_URL'],
    ['ftp://127.0.0.1/', 'E_INSECURE_URL'],
    ['file:///etc/passwd', 'E_INSECURE_URL'],
    ['https://user:secret@example.com/', 'E_ENDPOINT_REFUSED'],
    ['http://user@127.0.0.1/', 'E_ENDPOINT_REFUSED'],
  ])('DM08: refuses %s with %s', async (url, code) => {
    for (const method of ['fetch', 'open'] as const) {
      const error = await failure(client()[method](httpRequest(url)));
      expect(error).toMatchObject({ code, sent: false });
      expect(error.message).not.toContain('secret');
    }
  });
});
