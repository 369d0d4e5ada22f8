import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { allowedClasses, classifyAddress } from '../../electron/core/http/address.ts';
import { createHttp, type HttpOptions } from '../../electron/core/http/client.ts';
import { findNetwork } from '../../electron/core/http/network.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startListener, type Listener } from '../fixtures/listener.ts';
import { until } from '../fixtures/wait.ts';
import { failure } from '../fixtures/failure.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import type { AddressClass, Http, HttpRequest } from '../../electron/core/http/http.ts';

const closing = closeAfterEach();

function http(options: HttpOptions = {}): Http {
  const client = createHttp(options);
  closing.push(() => client.close());
  return client;
}

async function listener(...args: Parameters<typeof startListener>): Promise<Listener> {
  const started = await startListener(...args);
  closing.push(() => started.close());
  return started;
}

async function tcpServer(
  onConnection: Parameters<typeof createTcpServer>[1],
): Promise<{ port: number; server: TcpServer }> {
  const server = createTcpServer({}, onConnection);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return { port: (server.address() as AddressInfo).port, server };
}

const request = (url: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  url: new URL(url),
  method: 'GET',
  allow: ['public', 'loopback'],
  timeoutMs: 5_000,
  maxBytes: 256 * 1024,
  ...more,
});

describe('the class of an address', () => {
  const cases: Record<AddressClass, readonly string[]> = {
    public: [
      '8.8.8.8',
      '172.32.0.1',
      '100.128.0.1',
      '2606:4700::1111',
      '::ffff:8.8.8.8',
      '64:ff9b::808:808',
      '2002:808:808::1',
    ],
    loopback: [
      '127.0.0.1',
      '127.255.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
    ],
    private: [
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '100.64.0.1',
      '198.18.0.1',
      'fd00::1',
      'fc00::1',
      '::ffff:10.0.0.1',
      '::ffff:c0a8:101',
      '64:ff9b::a00:1',
    ],
    link_local: ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', '::ffff:169.254.169.254'],
    unspecified: [
      '0.0.0.0',
      '0.1.2.3',
      '::',
      '224.0.0.1',
      '255.255.255.255',
      '240.0.0.1',
      'ff02::1',
      '192.0.2.1',
      '2001:db8::1',
      '2001::1',
      'no address',
      '',
    ],
  };
  for (const [wanted, addresses] of Object.entries(cases)) {
    it.each(addresses)(`DM15: %s is ${wanted}`, (address) => {
      expect(classifyAddress(address)).toBe(wanted);
    });
  }
});

describe('which addresses may be connected to', () => {
  it('DM15: refuses a literal address of a class that the policy does not name, before any connection', async () => {
    const internal = await listener((_, response) => response.end('secret'));
    for (const host of ['127.0.0.1', '127.1', '0x7f000001', '[::ffff:127.0.0.1]', 'localhost']) {
      const error = await failure(http().fetch(request(`https://${host}:${internal.port}/`, { allow: ['public'] })));
      expect(error).toMatchObject({ code: 'E_ADDRESS_REFUSED', sent: false });
    }
    expect(internal.acceptedConnections).toBe(0);
  });

  it('DM15: refuses a name when only one of its addresses is forbidden', async () => {
    const internal = await listener((_, response) => response.end('secret'));
    const client = http({
      lookup: async () => [
        { address: '93.184.216.34', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
    });
    const error = await failure(client.fetch(request(`https://mixed.test:${internal.port}/`, { allow: ['public'] })));
    expect(error).toMatchObject({ code: 'E_ADDRESS_REFUSED', sent: false });
    expect(internal.acceptedConnections).toBe(0);
  });

  it('DM18: a name that leads to a public address first and to loopback later is not connected to', async () => {
    const internal = await listener((_, response) => response.end('secret'));
    const answers = ['93.184.216.34', '127.0.0.1'];
    const client = http({ lookup: async () => [{ address: answers.shift() ?? '127.0.0.1', family: 4 }] });
    const url = new URL(`https://rebind.test:${internal.port}/`);
    expect(await client.classOf(url)).toBe('public');
    const error = await failure(client.fetch(request(url.href, { allow: ['public'] })));
    expect(error.code).toBe('E_ADDRESS_REFUSED');
    expect(internal.acceptedConnections).toBe(0);
  });

  it('a connection made under one policy is not reused under another', async () => {
    const server = await listener((_, response) => response.end('ok'));
    const client = http();
    await client.fetch(request(`${server.origin}/`, { allow: ['loopback'] }));
    const error = await failure(client.fetch(request(`${server.origin}/`, { allow: ['public'] })));
    expect(error.code).toBe('E_ADDRESS_REFUSED');
    expect(server.acceptedConnections).toBe(1);
  });

  it('plain http to `localhost` is refused when the name is not this computer in truth', async () => {
    const client = http({ lookup: async () => [{ address: '93.184.216.34', family: 4 }] });
    expect(await failure(client.fetch(request('http://localhost:9/')))).toMatchObject({ code: 'E_ADDRESS_REFUSED' });
  });

  it('a request to the server’s own origin may go to its own network alone, another one to the internet too', () => {
    const inside = { origin: 'https://mcp.example', own: 'private' } as const;
    expect(allowedClasses(inside, new URL('https://mcp.example/mcp'))).toEqual(['private']);
    expect(allowedClasses(inside, new URL('https://mcp.example:444/'))).toEqual(['public', 'private']);
    expect(allowedClasses({ ...inside, own: 'public' }, new URL('https://else.example/'))).toEqual(['public']);
  });

  it('the network of a server is the one in which it was connected to', async () => {
    const server = await listener((_, response) => response.end('ok'));
    const classes: Record<string, AddressClass> = { '127.0.0.1': 'private' };
    const found = (options: HttpOptions, known?: AddressClass) =>
      findNetwork(http(options), new URL(server.origin), known);
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
  ])('DM08: %s is refused with %s', async (url, code) => {
    for (const act of ['fetch', 'open'] as const) {
      const error = await failure(http()[act](request(url)));
      expect(error).toMatchObject({ code, sent: false });
      expect(error.message).not.toContain('secret');
    }
  });
});

describe('what may go wrong', () => {
  it('DM31: a name without an address is E_DNS, and nothing was sent', async () => {
    const client = http({ lookup: async () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' })) });
    expect(await failure(client.fetch(request('https://nowhere.test/')))).toMatchObject({ code: 'E_DNS', sent: false });
    expect(await failure(client.classOf(new URL('https://nowhere.test/')))).toMatchObject({
      code: 'E_DNS',
      sent: false,
    });
    const empty = http({ lookup: async () => [] });
    expect(await failure(empty.fetch(request('https://empty.test/')))).toMatchObject({ code: 'E_DNS', sent: false });
  });

  it('DM31: a refused connection is E_CONNECT, and nothing was sent', async () => {
    const server = await startListener((_, response) => response.end());
    await server.close();
    const error = await failure(http().fetch(request(`${server.origin}/`, { method: 'POST', body: 'x' })));
    expect(error).toMatchObject({ code: 'E_CONNECT', sent: false });
    const both = await failure(http().fetch(request(`http://localhost:${server.port}/`)));
    expect(both).toMatchObject({ code: 'E_CONNECT', sent: false });
  });

  it('DM31: a server that does not speak TLS is E_TLS', async () => {
    const server = await listener((_, response) => response.end('plain'));
    const error = await failure(http().fetch(request(`https://127.0.0.1:${server.port}/`)));
    expect(error).toMatchObject({ code: 'E_TLS', sent: false });
  });

  it('a reset after the request is E_CONNECTION_LOST, and may have been sent', async () => {
    const server = await listener((incoming) => incoming.socket.resetAndDestroy());
    const error = await failure(http().fetch(request(`${server.origin}/`, { method: 'POST', body: 'x' })));
    expect(error).toMatchObject({ code: 'E_CONNECTION_LOST', sent: true });
  });

  it('DM28: a cut in the body is E_CONNECTION_LOST', async () => {
    const server = await listener((incoming, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => incoming.socket.destroy());
    });
    expect(await failure(http().fetch(request(`${server.origin}/`)))).toMatchObject({
      code: 'E_CONNECTION_LOST',
      sent: true,
    });
  });

  it('an answer that is not HTTP is E_CONNECTION_LOST', async () => {
    const { port } = await tcpServer((socket) =>
      socket.on('error', () => {}).once('data', () => socket.end('SSH-2.0-OpenSSH_9\r\n\r\n')),
    );
    expect(await failure(http().fetch(request(`http://127.0.0.1:${port}/`)))).toMatchObject({
      code: 'E_CONNECTION_LOST',
    });
  });

  it('an answer with more headers than 64 KB is E_TOO_LARGE', async () => {
    const server = await listener((_, response) => response.writeHead(200, { 'x-filler': 'x'.repeat(80_000) }).end());
    expect(await failure(http().fetch(request(`${server.origin}/`)))).toMatchObject({ code: 'E_TOO_LARGE' });
  });

  it('DM30: headers of 30 KB come through', async () => {
    const server = await listener((_, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer x="${'y'.repeat(30_000)}"` }).end(),
    );
    const answer = await http().fetch(request(`${server.origin}/`));
    expect(answer.headers['www-authenticate']).toHaveLength(30_011);
  });

  it('HT: a header value that HTTP cannot carry is refused without its value in the error', async () => {
    const server = await listener((_, response) => response.end('ok'));
    for (const value of ['secret\r\nx-evil: 1', 'secret\u0000', 'secret€']) {
      const error = await failure(
        http().fetch(request(`${server.origin}/`, { headers: { authorization: `Bearer ${value}` } })),
      );
      expect(error).toMatchObject({ code: 'E_BAD_INPUT', sent: false });
      expect(`${error.message} ${(error.cause as Error).message}`).not.toContain('secret');
    }
    expect(server.acceptedConnections).toBe(0);
  });
});

describe('limits', () => {
  it('DM21: a body above the cap is cut off, not read to its end', async () => {
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
    expect(await failure(http().fetch(request(`${server.origin}/`)))).toMatchObject({ code: 'E_TOO_LARGE' });
    await until(() => server.openConnections === 0, 'the connection is closed');
    expect(written).toBeLessThan(100 * 64 * 1024);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ] as const)('the cap counts the decoded bytes of an answer in %s', async (encoding, compress) => {
    const small = compress(Buffer.from('{"a":1}'));
    const bomb = compress(Buffer.alloc(20_000_000));
    const server = await listener((incoming, response) => {
      expect(incoming.headers['accept-encoding']).toBeUndefined();
      response.writeHead(200, { 'content-encoding': encoding }).end(incoming.url === '/bomb' ? bomb : small);
    });
    expect((await http().fetch(request(`${server.origin}/`))).body.toString()).toBe('{"a":1}');
    expect(await failure(http().fetch(request(`${server.origin}/bomb`)))).toMatchObject({ code: 'E_TOO_LARGE' });
  });

  it('an encoding that nobody asked for and that is not known is refused', async () => {
    const server = await listener((_, response) => response.writeHead(200, { 'content-encoding': 'zstd' }).end('x'));
    expect(await failure(http().fetch(request(`${server.origin}/`)))).toMatchObject({ code: 'E_CONNECTION_LOST' });
    const damaged = await listener((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip'),
    );
    expect(await failure(http().fetch(request(`${damaged.origin}/`)))).toMatchObject({ code: 'E_CONNECTION_LOST' });
  });

  it('DM23: the time limit is for the whole answer, however often a byte drips in', async () => {
    const server = await listener((_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    });
    const started = performance.now();
    const error = await failure(http().fetch(request(`${server.origin}/`, { timeoutMs: 300 })));
    expect(error).toMatchObject({ code: 'E_TIMEOUT', sent: true });
    expect(performance.now() - started).toBeLessThan(2_000);
    await until(() => server.openConnections === 0, 'the connection is closed');
  });

  it('a server that accepts and stays silent is E_TIMEOUT', async () => {
    const { port } = await tcpServer((socket) => socket.on('error', () => {}).resume());
    const error = await failure(http().open(request(`http://127.0.0.1:${port}/`, { timeoutMs: 200 })));
    expect(error).toMatchObject({ code: 'E_TIMEOUT', sent: true });
  });
});

describe('a stream', () => {
  it('gives the head before the body, and stays open while nothing comes for longer than the limit', async () => {
    const server = await listener((_, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('one'),
    );
    const client = http();
    const stream = await client.open(request(`${server.origin}/`, { timeoutMs: 100 }));
    const reader = stream.body[Symbol.asyncIterator]();
    expect((await reader.next()).value?.toString()).toBe('one');
    const second = reader.next();
    const quiet = await Promise.race([second, new Promise((resolve) => setTimeout(resolve, 400, 'quiet'))]);
    expect(quiet).toBe('quiet');
    expect(server.openConnections).toBe(1);
    server.cutConnections();
    expect(await failure(second)).toMatchObject({ code: 'E_CONNECTION_LOST', sent: true });
  });

  it('ends when the signal says so, and closes the connection', async () => {
    const server = await listener((_, response) => response.writeHead(200).write('one'));
    const abort = new AbortController();
    const stream = await http().open(request(`${server.origin}/`, { signal: abort.signal }));
    const reader = stream.body[Symbol.asyncIterator]();
    await reader.next();
    const next = failure(reader.next());
    abort.abort();
    expect(await next).toMatchObject({ code: 'E_CANCELLED' });
    await until(() => server.openConnections === 0, 'the connection is closed');
  });

  it('destroy() closes the connection, and so does leaving the loop', async () => {
    const server = await listener((_, response) => response.writeHead(200).write('one'));
    const client = http();
    (await client.open(request(`${server.origin}/`))).body.destroy();
    for await (const chunk of (await client.open(request(`${server.origin}/`))).body) {
      expect(chunk.toString()).toBe('one');
      break;
    }
    await until(() => server.openConnections === 0, 'both connections are closed');
  });

  it('a signal that is already aborted sends nothing', async () => {
    const server = await listener((_, response) => response.end());
    const error = await failure(http().open(request(`${server.origin}/`, { signal: AbortSignal.abort() })));
    expect(error).toMatchObject({ code: 'E_CANCELLED', sent: false });
    expect(server.acceptedConnections).toBe(0);
  });

  it('a slow reader slows the sender down, and gets every byte', async () => {
    const total = 20_000_000;
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
    const { body } = await http().open(request(`${server.origin}/`, { maxBytes: Number.POSITIVE_INFINITY }));
    await until(() => written > 300_000, 'the sender has begun');
    const before = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written - before).toBeLessThan(total - 1_000_000);
    expect(written).toBeLessThan(total);
    let received = 0;
    for await (const chunk of body) received += chunk.length;
    expect(received).toBe(total);
  });

  it('reuses a connection for the next call', async () => {
    const server = await listener((_, response) => response.end('ok'));
    const client = http();
    for (let call = 0; call < 5; call += 1)
      await client.fetch(request(`${server.origin}/`, { method: 'POST', body: 'x' }));
    // undici lets a connection rest for one turn of the event loop, so two take turns.
    expect(server.acceptedConnections).toBeLessThanOrEqual(2);
  });

  it('never waits behind another on one connection', async () => {
    const waiting: (() => void)[] = [];
    const server = await listener((_, response) => {
      waiting.push(() => response.end('ok'));
      if (waiting.length === 8) for (const answer of waiting) answer();
    });
    const client = http();
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.fetch(request(`${server.origin}/`))));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  });
});

describe('an answer', () => {
  it('of a redirect is given as it is', async () => {
    const other = await listener((_, response) => response.end('stolen'));
    const server = await listener((_, response) => response.writeHead(307, { location: other.origin }).end());
    const answer = await http().fetch(request(`${server.origin}/`, { method: 'POST', body: 'code' }));
    expect(answer).toMatchObject({ status: 307, headers: { location: other.origin } });
    expect(other.acceptedConnections).toBe(0);
  });

  it('has repeated headers joined, and an interim answer left out', async () => {
    const server = await listener((_, response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' });
      response.writeHead(401, { 'www-authenticate': ['Basic realm="x"', 'Bearer scope="y"'] }).end('no');
    });
    const answer = await http().fetch(request(`${server.origin}/`));
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="x", Bearer scope="y"');
    expect(answer.body.toString()).toBe('no');
  });

  it('was asked for without cookies, and with the caller’s headers as they are', async () => {
    let seen: Record<string, unknown> = {};
    const server = await listener((incoming, response) => {
      seen = incoming.headers;
      response.writeHead(200, { 'set-cookie': 'a=b' }).end();
    });
    const client = http();
    await client.fetch(request(`${server.origin}/`));
    await client.fetch(
      request(`${server.origin}/`, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json', 'user-agent': 'other/1' },
      }),
    );
    expect(seen).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'other/1', 'content-length': '2' });
    expect(seen).not.toHaveProperty('cookie');
  });
});

describe('TLS', () => {
  async function tlsServer(hosts: readonly string[], options: Parameters<typeof selfSigned>[1] = {}) {
    const certificate = selfSigned(hosts, options);
    let requests = 0;
    const server = createHttpsServer(certificate, (_, response) => {
      requests += 1;
      response.end('private');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return {
      url: `https://mcp.test:${(server.address() as AddressInfo).port}/`,
      cert: certificate.cert,
      requests: () => requests,
    };
  }
  const lookup = async () => [{ address: '127.0.0.1', family: 4 }];

  it('says of a certificate without the one that signed it that the chain is incomplete', async () => {
    const intermediate = { name: 'Intermediate', key: selfSigned(['ca.test'], { name: 'Intermediate' }).key };
    const { url } = await tlsServer(['mcp.test'], { issuer: intermediate, name: 'Leaf' });
    const error = await failure(http({ lookup }).fetch(request(url)));
    expect(error).toMatchObject({
      code: 'E_TLS',
      message: expect.stringContaining('the certificate chain is incomplete') as string,
    });
  });

  it('takes a certificate of an authority that the caller names', async () => {
    const { url, cert } = await tlsServer(['mcp.test']);
    expect((await http({ lookup, ca: [cert] }).fetch(request(url))).body.toString()).toBe('private');
  });

  it.each([
    ['of nobody we know', ['mcp.test'], false, false],
    ['for another name', ['other.test'], false, true],
    ['that has expired', ['mcp.test'], true, true],
  ] as const)(
    'refuses a certificate %s, whatever NODE_TLS_REJECT_UNAUTHORIZED says',
    async (_, hosts, expired, trusted) => {
      const { url, cert, requests } = await tlsServer(hosts, { expired });
      const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      try {
        const error = await failure(http({ lookup, ca: trusted ? [cert] : [] }).fetch(request(url)));
        expect(error).toMatchObject({ code: 'E_TLS', sent: false });
      } finally {
        if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
      }
      expect(requests()).toBe(0);
    },
  );
});
