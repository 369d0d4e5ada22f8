import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHttp, type HttpOptions } from '../../electron/core/http/client.ts';
import { proxyFromEnvironment } from '../../electron/core/http/proxy.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { bareMachine } from '../fixtures/command-line.ts';
import { startConnectProxy, type ConnectProxy, type ConnectProxyOptions } from '../fixtures/connect-proxy.ts';
import { startHttpsListener } from '../fixtures/https-listener.ts';
import { startListener } from '../fixtures/listener.ts';
import { failure } from '../fixtures/failure.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import type { Http, HttpRequest } from '../../electron/core/http/http.ts';

const closing = closeAfterEach();

function later<Value extends { close(): Promise<unknown> }>(value: Value): Value {
  closing.push(() => value.close());
  return value;
}

/** Starts an https site named `name`, and a proxy that connects to it. */
async function startProxiedSite(name: string, options: ConnectProxyOptions = {}) {
  const certificate = selfSigned([name]);
  const seen: (string | undefined)[] = [];
  const server = later(
    await startHttpsListener(certificate, (request, response) => {
      seen.push(request.headers.authorization);
      response.end('hello');
    }),
  );
  const proxy = later(await startConnectProxy({ routes: { [name]: server.port }, ...options }));
  return { server, proxy, seen, ca: [certificate.cert] };
}

const environment = (proxy: ConnectProxy, more: Record<string, string> = {}) =>
  proxyFromEnvironment({ HTTPS_PROXY: proxy.url, ...more });
const unknownName: NonNullable<HttpOptions['lookup']> = async () => {
  throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
};
const resolvesTo = (address: string) => async () => [{ address, family: 4 }];
/** Treats 127.0.0.1 as the internet. */
const internet = (address: string) =>
  address === '127.0.0.1' ? 'public' : address.startsWith('10.') ? 'private' : 'unspecified';

const client = (options: HttpOptions): Http => later(createHttp(options));
const request = (url: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  url: new URL(url),
  method: 'GET',
  allow: ['public'],
  timeoutMs: 5_000,
  maxBytes: 1_000,
  ...more,
});

describe('HTTPS_PROXY and NO_PROXY', () => {
  const proxied = (env: Record<string, string>, hostname: string, port = 443) =>
    proxyFromEnvironment(env)?.(hostname, port) !== undefined;

  it('HT33: are read in lower case first, then in upper case, with HTTP_PROXY as the fallback', () => {
    expect(proxyFromEnvironment({})).toBeUndefined();
    expect(proxyFromEnvironment({ HTTPS_PROXY: '', http_proxy: ' ' })).toBeUndefined();
    expect(
      proxyFromEnvironment({ https_proxy: 'http://one:1', HTTPS_PROXY: 'http://two:2' })?.('a.test', 443)?.host,
    ).toBe('one:1');
    expect(proxyFromEnvironment({ HTTP_PROXY: 'three:3' })?.('a.test', 443)).toMatchObject({
      host: 'three:3',
      port: 3,
      protocol: 'http:',
    });
    expect(proxyFromEnvironment({ HTTPS_PROXY: 'https://four' })?.('a.test', 443)).toMatchObject({
      port: 443,
      protocol: 'https:',
    });
  });

  it.each([
    ['example.com', 'example.com', 443, false],
    ['example.com', 'api.example.com', 443, false],
    ['.example.com', 'api.example.com', 443, false],
    ['*.example.com', 'api.example.com', 443, false],
    ['example.com', 'badexample.com', 443, true],
    ['example.com:8443', 'example.com', 8443, false],
    ['example.com:8443', 'example.com', 443, true],
    ['*', 'anything.test', 443, false],
    ['10.0.0.0/8', '10.1.2.3', 443, false],
    ['10.0.0.0/8', '11.1.2.3', 443, true],
    ['fd00::/8', 'fd12::1', 443, false],
    ['192.168.1.1', '192.168.1.1', 443, false],
    ['a.test, EXAMPLE.com  b.test', 'example.COM', 443, false],
    ['', 'example.com', 443, true],
  ])('HT33: with NO_PROXY=%s, %s:%d goes through the proxy: %s', (list, hostname, port, expected) => {
    expect(proxied({ https_proxy: 'http://p:1', no_proxy: list }, hostname, port)).toBe(expected);
    expect(proxied({ HTTPS_PROXY: 'http://p:1', NO_PROXY: list }, hostname, port)).toBe(expected);
  });

  it('never reveal the password of the proxy when printed', () => {
    const proxy = proxyFromEnvironment({ HTTPS_PROXY: 'http://user:hunter2@p.test:3128' })?.('a.test', 443);
    expect(proxy?.authorization?.reveal()).toBe(`Basic ${Buffer.from('user:hunter2').toString('base64')}`);
    expect(JSON.stringify(proxy)).not.toContain('hunter2');
    expect(JSON.stringify(proxy)).not.toContain(Buffer.from('hunter2').toString('base64').slice(0, 6));
  });
});

describe('requests behind a proxy', () => {
  it('HT33: use CONNECT for https, so that the proxy sees only host and port', async () => {
    const { proxy, seen, ca } = await startProxiedSite('server.test');
    const http = client({ ca, lookup: resolvesTo('127.0.0.1'), classify: internet, proxyFor: environment(proxy) });
    const response = await http.fetch(request('https://server.test/mcp', { headers: { authorization: 'Bearer abc' } }));
    expect(response.body.toString()).toBe('hello');
    expect(seen).toEqual(['Bearer abc']);
    expect(proxy.tunnels).toEqual([{ target: 'server.test:443', authorization: undefined }]);
    expect(proxy.plain).toEqual([]);
  });

  it('HT33: reach a name that only the proxy can resolve, which counts as public', async () => {
    const { proxy, ca } = await startProxiedSite('server.test');
    const http = client({ ca, lookup: unknownName, classify: internet, proxyFor: environment(proxy) });
    expect(await http.classOf(new URL('https://server.test/'))).toBe('public');
    expect((await http.fetch(request('https://server.test/'))).status).toBe(200);
    expect((await failure(http.fetch(request('https://server.test/', { allow: ['loopback'] })))).code).toBe('E_DNS');
    expect(proxy.tunnels).toHaveLength(1);
  });

  it('use the same proxy and rules for a server with its own certificates', async () => {
    const { proxy, ca } = await startProxiedSite('server.test');
    const http = later(
      client({ lookup: unknownName, classify: internet, proxyFor: environment(proxy) }).withTls({ ca }),
    );
    expect((await http.fetch(request('https://server.test/'))).status).toBe(200);
    expect((await failure(http.fetch(request('https://10.0.0.1/')))).code).toBe('E_ADDRESS_REFUSED');
    expect(proxy.tunnels.map(({ target }) => target)).toEqual(['server.test:443']);
  });

  it('verify the certificate of an https proxy', async () => {
    const certificate = selfSigned(['server.test', 'localhost']);
    const server = later(await startHttpsListener(certificate, (_, response) => response.end('hello')));
    const proxy = later(await startConnectProxy({ routes: { 'server.test': server.port }, tls: certificate }));
    const options = {
      lookup: unknownName,
      classify: internet,
      proxyFor: proxyFromEnvironment({ HTTPS_PROXY: `https://localhost:${proxy.port}` }),
    };
    expect((await client({ ...options, ca: [certificate.cert] }).fetch(request('https://server.test/'))).status).toBe(
      200,
    );
    const error = await failure(client(options).fetch(request('https://server.test/')));
    expect(error.code).toBe('E_TLS');
    expect(error.message).toContain(`The proxy localhost:${proxy.port}`);
  });

  it('HT33: fail with E_DNS for an unknown name if there is no proxy', async () => {
    const http = client({ lookup: unknownName });
    expect((await failure(http.classOf(new URL('https://server.test/')))).code).toBe('E_DNS');
  });

  it('DM15: refuse a name inside the private network without contacting the proxy', async () => {
    const { proxy, ca } = await startProxiedSite('server.test');
    const http = client({ ca, lookup: resolvesTo('10.0.0.1'), classify: internet, proxyFor: environment(proxy) });
    expect((await failure(http.fetch(request('https://server.test/')))).code).toBe('E_ADDRESS_REFUSED');
    expect((await failure(http.fetch(request('https://10.0.0.1/')))).code).toBe('E_ADDRESS_REFUSED');
    expect(proxy.tunnels).toEqual([]);
  });

  it('HT33: bypass the proxy for loopback, by address and by name, http and https', async () => {
    const { proxy, server, ca } = await startProxiedSite('localhost');
    const plain = later(await startListener((_, response) => response.end('direct')));
    const http = client({ ca, proxyFor: environment(proxy, { HTTP_PROXY: proxy.url }) });
    const allow = ['loopback'] as const;
    expect((await http.fetch(request(`https://localhost:${server.port}/`, { allow }))).body.toString()).toBe('hello');
    expect(
      (
        await http.fetch(request(`${plain.origin}/`, { allow, headers: { authorization: 'Bearer abc' } }))
      ).body.toString(),
    ).toBe('direct');
    expect((await http.fetch(request(`http://localhost:${plain.port}/`, { allow }))).body.toString()).toBe('direct');
    expect(proxy.tunnels).toEqual([]);
    expect(proxy.plain).toEqual([]);
  });

  it('HT33: bypass the proxy for NO_PROXY and for the private network', async () => {
    const { proxy, server, ca } = await startProxiedSite('server.test');
    const url = `https://server.test:${server.port}/`;
    const bypassing = client({
      ca,
      lookup: resolvesTo('127.0.0.1'),
      classify: internet,
      proxyFor: environment(proxy, { NO_PROXY: 'server.test' }),
    });
    expect((await bypassing.fetch(request(url))).status).toBe(200);
    const inside = client({
      ca,
      lookup: resolvesTo('127.0.0.1'),
      classify: () => 'private',
      proxyFor: environment(proxy),
    });
    expect((await inside.fetch(request(url, { allow: ['private'] }))).status).toBe(200);
    expect(proxy.tunnels).toEqual([]);
  });

  it('HT33: refuse plain http to other computers behind a proxy as well', async () => {
    const { proxy } = await startProxiedSite('server.test');
    const http = client({
      lookup: resolvesTo('127.0.0.1'),
      classify: internet,
      proxyFor: environment(proxy, { HTTP_PROXY: proxy.url }),
    });
    expect((await failure(http.fetch(request('http://server.test/')))).code).toBe('E_INSECURE_URL');
    expect(proxy.plain).toEqual([]);
  });

  it('HT36: refuse a certificate for another name or of an unknown authority through a proxy', async () => {
    const other = await startProxiedSite('other.test');
    const proxy = later(await startConnectProxy({ routes: { 'server.test': other.server.port } }));
    const lookup = resolvesTo('127.0.0.1');
    const wrongName = client({ ca: other.ca, lookup, classify: internet, proxyFor: environment(proxy) });
    expect((await failure(wrongName.fetch(request('https://server.test/')))).code).toBe('E_TLS');
    const unknown = client({ lookup, classify: internet, proxyFor: environment(other.proxy) });
    expect((await failure(unknown.fetch(request('https://other.test/')))).code).toBe('E_TLS');
    expect(other.seen).toEqual([]);
  });

  it('authenticate to the proxy, and the error names the proxy but not a wrong password', async () => {
    const wants = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
    const { proxy, ca } = await startProxiedSite('server.test', { wants });
    const options = { ca, lookup: resolvesTo('127.0.0.1'), classify: internet };
    const right = client({
      ...options,
      proxyFor: proxyFromEnvironment({ HTTPS_PROXY: `http://user:p%40ss@127.0.0.1:${proxy.port}` }),
    });
    expect((await right.fetch(request('https://server.test/'))).status).toBe(200);
    const wrong = client({
      ...options,
      proxyFor: proxyFromEnvironment({ HTTPS_PROXY: `http://user:hunter2@127.0.0.1:${proxy.port}` }),
    });
    const error = await failure(wrong.fetch(request('https://server.test/')));
    expect(error).toMatchObject({ code: 'E_CONNECT', sent: false });
    expect(error.message).toContain(`127.0.0.1:${proxy.port}`);
    expect(error.message).toContain('does not accept');
    expect(error.message).not.toContain('hunter2');
  });

  it.each([
    ['socks5://127.0.0.1:1', 'protocol'],
    ['http://', 'not a valid address'],
    ['http://127.0.0.1:1', '127.0.0.1:1'],
  ])('HT33: fail with E_CONNECT for HTTPS_PROXY=%s, without a direct connection', async (address, message) => {
    const { server, ca, seen } = await startProxiedSite('server.test');
    const http = client({
      ca,
      lookup: resolvesTo('127.0.0.1'),
      classify: internet,
      proxyFor: proxyFromEnvironment({ HTTPS_PROXY: address }),
    });
    const error = await failure(http.fetch(request(`https://server.test:${server.port}/`)));
    expect(error).toMatchObject({ code: 'E_CONNECT', sent: false });
    expect(error.message).toContain(message);
    expect(seen).toEqual([]);
  });

  it('name the proxy in the error if it cannot connect, and time out if it is silent', async () => {
    const { ca } = await startProxiedSite('server.test');
    const unable = later(await startConnectProxy());
    const options = { ca, lookup: resolvesTo('127.0.0.1'), classify: internet };
    const error = await failure(
      client({ ...options, proxyFor: environment(unable) }).fetch(request('https://server.test/')),
    );
    expect(error.message).toBe(`The proxy 127.0.0.1:${unable.port} does not connect to server.test:443 (status 502).`);
    const silent = later(await startConnectProxy({ silent: true }));
    const timeout = await failure(
      client({ ...options, proxyFor: environment(silent) }).fetch(request('https://server.test/', { timeoutMs: 300 })),
    );
    expect(timeout).toMatchObject({ code: 'E_TIMEOUT', sent: false });
  });
});

describe('`keybridge serve`', () => {
  it('HT33: takes the proxy from its environment, also for one with its own certificate authority', async () => {
    const { proxy, seen, ca } = await startProxiedSite('keybridge-proxy.test');
    const machine = later(await bareMachine());
    const caFile = path.join(machine.home, 'ca.pem');
    await writeFile(caFile, ca.join(''));
    await machine.serve([], { https_proxy: proxy.url, no_proxy: 'localhost' });
    const added = await machine.run([
      'add',
      'https://keybridge-proxy.test/mcp',
      '--name',
      'company',
      '--set',
      `caFile=${caFile}`,
    ]);
    expect(added).toMatchObject({ code: 0 });
    // There is no MCP server behind the site: this test is about the route to it.
    await machine.run(['login', 'company']);
    expect(proxy.tunnels[0]).toEqual({ target: 'keybridge-proxy.test:443', authorization: undefined });
    expect(proxy.plain).toEqual([]);
    expect(seen.length).toBeGreaterThan(0);
  });
});
