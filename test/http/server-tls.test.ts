import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServerClient } from '../../electron/relay/server-client.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { AppError } from '../../electron/core/base/errors.ts';
import { createHttp } from '../../electron/core/http/client.ts';
import { createServerHttp, type ServerHttp } from '../../electron/core/servers/server-http.ts';
import { createLog } from '../../electron/core/base/log.ts';
import { companyHttp } from '../../electron/core/oauth/enterprise/company-http.ts';
import { withMutualTls } from '../../electron/core/oauth/client-auth/mutual-tls.ts';
import { exchangeCode } from '../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { StoredServer, viewsOf, type Server } from '../../electron/core/servers/server.ts';
import type { ServerSettings } from '../../shared/model.ts';
import { certificateText } from '../../shared/state-text.ts';
import { selfSigned, type Certificate } from '../fixtures/certificate.ts';
import { startHttpsListener, type HttpsListener } from '../fixtures/https-listener.ts';
import { readBody } from '../fixtures/listener.ts';
import { startProduct } from '../fixtures/product.ts';
import { failure } from '../fixtures/failure.ts';
import type { HttpRequest } from '../../electron/core/http/http.ts';

const closing: (() => Promise<unknown>)[] = [];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'keybridge-tls-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

function later<Value extends { close(): Promise<unknown> }>(value: Value): Value {
  closing.push(() => value.close());
  return value;
}

function file(name: string, content: string | Buffer): string {
  const place = path.join(folder, name);
  writeFileSync(place, content);
  return place;
}

const own = selfSigned(['localhost']);
const mine = (days?: number) => selfSigned([], { name: 'my laptop', ...(days === undefined ? {} : { days }) });

/** A site that asks for a client certificate, and tells whose it saw. */
async function site(
  certificate: Certificate,
  trusted?: Certificate,
): Promise<HttpsListener & { readonly seen: string[]; readonly origin: string }> {
  const seen: string[] = [];
  const listener = await startHttpsListener(
    {
      ...certificate,
      requestCert: true,
      rejectUnauthorized: trusted !== undefined,
      ...(trusted ? { ca: trusted.cert } : {}),
    },
    (request, response) => {
      const peer = (request.socket as TLSSocket).getPeerCertificate();
      seen.push(String(peer.subject?.CN ?? 'nobody'));
      response.setHeader('content-type', 'application/json').end('{"access_token":"at","token_type":"Bearer"}');
    },
  );
  return later({ ...listener, seen, origin: `https://localhost:${listener.port}` });
}

interface Subject {
  readonly client: ServerHttp;
  readonly set: (settings: ServerSettings) => void;
}

function clientOf(url: string, settings: ServerSettings, secrets: Readonly<Record<string, string>> = {}): Subject {
  const make = (now: ServerSettings) =>
    viewsOf(
      StoredServer.parse({
        id: 'abcdefgh',
        name: 'one',
        url,
        addedAt: 1,
        settings: now,
        storedSecrets: Object.keys(secrets),
      }),
    )[0];
  let server = make(settings);
  const client = createServerHttp({
    http: later(createHttp()),
    server: () => server,
    secret: async (name) => (secrets[name] === undefined ? undefined : new Secret(secrets[name])),
  });
  return {
    client: later(client),
    set(now) {
      server = make(now);
    },
  };
}

const request = (url: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  url: new URL(url),
  method: 'GET',
  allow: ['loopback'],
  timeoutMs: 5_000,
  maxBytes: 1_000,
  ...more,
});

describe('a private certificate authority of one server', () => {
  it('HT36: is trusted for this server, and for no other', async () => {
    const { origin } = await site(own);
    const trusting = clientOf(origin, { caFile: file('ca.pem', own.cert) });
    expect((await trusting.client.fetch(request(origin))).status).toBe(200);
    const other = clientOf(origin, {});
    expect(await failure(other.client.fetch(request(origin)))).toMatchObject({ code: 'E_TLS', sent: false });
    // The connection that the first one made is not there for the second to use.
    expect((await trusting.client.fetch(request(origin))).status).toBe(200);
  });

  it('is not trusted at another host that this server names, for example its authorization server, unless that is named beside it', async () => {
    const { origin } = await site(own);
    const { client, set } = clientOf('https://mcp.test/', { caFile: file('ca.pem', own.cert) });
    const error = await failure(client.fetch(request(origin, { forTokens: true })));
    expect(error).toMatchObject({ code: 'E_TLS', sent: false, field: 'settings.caOrigins' });
    expect(error.message).toContain(
      `count at mcp.test; if they are for ${origin} too, name it in the setting caOrigins`,
    );
    set({ caFile: file('ca.pem', own.cert), caOrigins: ['https://login.test', origin] });
    expect((await client.fetch(request(origin))).status).toBe(200);
    set({ caFile: file('ca.pem', own.cert), caOrigins: ['https://localhost:1'] });
    expect((await failure(client.fetch(request(origin)))).code).toBe('E_TLS');
  });

  it('is trusted at the server’s own host on another port, where its own authorization server may be', async () => {
    const [server, beside] = [await site(own), await site(own)];
    const { client } = clientOf(server.origin, { caFile: file('ca.pem', own.cert) });
    expect((await client.fetch(request(beside.origin))).status).toBe(200);
  });

  it('of one server is not trusted at its company’s identity provider; the company’s own is, for all of its servers', async () => {
    const { origin } = await site(own);
    const enterprise = { issuer: origin, clientId: 'desktop' };
    const serverWith = (settings: ServerSettings) =>
      ({ settings: { grant: 'enterprise_managed', ...settings } }) as unknown as Server;
    const caFile = file('ca.pem', own.cert);
    let servers = [serverWith({ enterprise }), serverWith({ enterprise, caFile, caOrigins: [origin] })];
    const client = later(companyHttp(() => servers, later(createHttp())));
    expect((await failure(client.fetch(request(origin)))).code).toBe('E_TLS');
    servers = [serverWith({ enterprise }), serverWith({ enterprise: { ...enterprise, caFile } })];
    expect((await client.fetch(request(origin))).status).toBe(200);
    servers = [serverWith({ enterprise: { ...enterprise, issuer: 'https://idp.test', caFile } })];
    expect((await failure(client.fetch(request(origin)))).code).toBe('E_TLS');
    servers = [
      serverWith({
        enterprise: { ...enterprise, issuer: 'https://idp.test', caFile, tokenEndpoint: `${origin}/token` },
      }),
    ];
    expect((await client.fetch(request(origin))).status).toBe(200);
  });

  it('does not take the place of the authorities that are trusted anyway', async () => {
    const { origin } = await site(own);
    const http = later(createHttp({ ca: [own.cert] }));
    const both = later(http.withTls({ ca: [selfSigned(['else.test']).cert] }));
    expect((await both.fetch(request(origin))).status).toBe(200);
  });

  it('counts from the next request on, when the setting or the file changes', async () => {
    const { origin } = await site(own);
    const ca = file('ca.pem', selfSigned(['else.test']).cert);
    const { client, set } = clientOf(origin, {});
    expect((await failure(client.fetch(request(origin)))).code).toBe('E_TLS');
    set({ caFile: ca });
    expect((await failure(client.fetch(request(origin)))).code).toBe('E_TLS');
    writeFileSync(ca, `${own.cert}\n${selfSigned(['else.test']).cert}`);
    expect((await client.fetch(request(origin))).status).toBe(200);
  });

  it.each([
    ['is not there', undefined, 'cannot be read (ENOENT)'],
    ['is no PEM', 'hello', 'does not contain a PEM certificate'],
    [
      'holds nonsense',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'contains a damaged certificate',
    ],
  ])('a file that %s ends in E_BAD_INPUT, which names it', async (_, content, says) => {
    const { origin, seen } = await site(own);
    const place = path.join(folder, 'company.pem');
    if (content !== undefined) file('company.pem', content);
    const error = await failure(clientOf(origin, { caFile: place }).client.fetch(request(origin)));
    expect(error).toMatchObject({ code: 'E_BAD_INPUT', sent: false });
    expect(error.message).toContain('company.pem');
    expect(error.message).toContain(says);
    expect(seen).toEqual([]);
  });
});

const day = 86_400_000;

describe('a file that cannot be used', () => {
  it.each([
    ['/nowhere/company.pem', 'cannot be read (ENOENT)'],
    ['company.pem', 'must be given with its full path'],
  ])('ends sign-in and call with E_BAD_INPUT: %s', async (caFile, says) => {
    const { origin } = await site(own);
    const product = later(await startProduct());
    await product.call('addServer', { url: origin, name: 'company', settings: { caFile } });
    const error = await product
      .call('signIn', { server: 'company', openBrowser: true })
      .catch((caught: Error) => caught);
    expect(error).toMatchObject({ message: 'E_BAD_INPUT' });
    expect((error as Error & { cause: { message: string } }).cause.message).toContain(says);
    const connection = product.app.connect('company');
    const upstream = createServerClient({
      connection,
      http: product.app.http,
      log: createLog(() => {}, Date.now),
      clock: systemClock(),
    });
    const refused = await failure(
      upstream.request({ method: 'POST', headers: {}, timeoutMs: 5_000, repeatable: true, onChallenge: 'quiet' }),
    );
    connection.close();
    expect(refused).toMatchObject({ code: 'E_BAD_INPUT', server: 'company', sent: false });
  });
});

describe('mutual TLS', () => {
  function pkcs12(certificate: Certificate, password: string): string {
    const args = [
      'pkcs12',
      '-export',
      '-in',
      file('c.pem', certificate.cert),
      '-inkey',
      file('k.pem', certificate.key),
      '-out',
      path.join(folder, 'me.p12'),
      '-passout',
      `pass:${password}`,
    ];
    execFileSync('openssl', args, { stdio: 'ignore' });
    return path.join(folder, 'me.p12');
  }

  it.each(['one PEM file', 'PEM, with the key in the store of secrets', 'PKCS#12 with a password'])(
    'signs in to a server that demands a certificate: %s',
    async (form) => {
      const me = mine();
      const server = await site(own, me);
      const settings = { caFile: file('ca.pem', own.cert) };
      const { client } =
        form === 'one PEM file'
          ? clientOf(server.origin, { ...settings, clientCertificateFile: file('me.pem', me.cert + me.key) })
          : form.startsWith('PEM')
            ? clientOf(
                server.origin,
                { ...settings, clientCertificateFile: file('me.pem', me.cert) },
                { privateKey: me.key },
              )
            : clientOf(
                server.origin,
                { ...settings, clientCertificateFile: pkcs12(me, 'open sesame') },
                { clientCertificatePassword: 'open sesame' },
              );
      expect((await client.fetch(request(server.origin))).status).toBe(200);
      const stream = await client.open(request(server.origin));
      stream.body.destroy();
      expect(server.seen).toEqual(['my laptop', 'my laptop']);
    },
  );

  it('the certificate is shown to no other origin, but to the one that tokens are asked of', async () => {
    const me = mine();
    const [server, third] = [await site(own), await site(own)];
    const { client } = clientOf(server.origin, {
      caFile: file('ca.pem', own.cert),
      clientCertificateFile: file('me.pem', me.cert + me.key),
    });
    await client.fetch(request(server.origin));
    await client.fetch(request(third.origin));
    expect(server.seen).toEqual(['my laptop']);
    expect(third.seen).toEqual(['nobody']);
    await client.fetch(request(third.origin, { forTokens: true }));
    expect(third.seen).toEqual(['nobody', 'my laptop']);
  });

  /** OpenSSL's own server, which says in an alert what it thinks of a certificate; Node's only breaks off. */
  async function demanding(version: string): Promise<string> {
    const files = [
      '-cert',
      file('s.pem', own.cert),
      '-key',
      file('s.key', own.key),
      '-CAfile',
      file('a.pem', mine().cert),
    ];
    const child = spawn(
      'openssl',
      ['s_server', '-accept', '127.0.0.1:0', version, '-www', '-Verify', '1', '-verify_return_error', ...files],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    closing.push(async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    });
    let said = '';
    for await (const chunk of child.stdout) {
      said += String(chunk);
      const port = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port !== undefined) return `https://localhost:${port}`;
    }
    throw new Error(`openssl did not listen: ${said}`);
  }

  it('a server that demands a certificate and gets none, or the wrong one, says so', async () => {
    const origin = await demanding('-tls1_2');
    const caFile = file('ca.pem', own.cert);
    const other = mine();
    for (const settings of [{ caFile }, { caFile, clientCertificateFile: file('me.pem', other.cert + other.key) }]) {
      const error = await failure(clientOf(origin, settings).client.fetch(request(origin)));
      expect(error).toMatchObject({ code: 'E_TLS', sent: false });
      expect(error.message).toContain('client certificate');
    }
  });

  it('RFC 8705: the token endpoint at another origin sees the certificate, and the client ID without a secret', async () => {
    const me = mine();
    const server = await site(own, me);
    const { client } = clientOf('https://mcp.test/', {
      caFile: file('ca.pem', own.cert),
      caOrigins: [server.origin],
      clientCertificateFile: file('me.pem', me.cert + me.key),
    });
    const metadata = withMutualTls(
      {
        issuer: 'https://as.test',
        authorization_endpoint: 'https://as.test/a',
        token_endpoint: 'https://as.test/t',
        mtls_endpoint_aliases: { token_endpoint: `${server.origin}/token` },
      },
      { clientCertificateFile: 'me.pem' },
    );
    const who = {
      issuer: metadata.issuer,
      tokenEndpoint: metadata.token_endpoint,
      clientId: 'c',
      clientAuth: 'none',
      resource: 'https://mcp.test/',
      allow: ['loopback'],
    } as const;
    const tokens = await exchangeCode(
      who,
      { code: new Secret('c'), codeVerifier: new Secret('v'.repeat(43)), redirectUri: 'http://127.0.0.1/' },
      { http: client },
    );
    expect(tokens.accessToken.reveal()).toBe('at');
    expect(server.seen).toEqual(['my laptop']);
  });

  it('RFC 8705 5: the aliases count only with a certificate, and are checked like every endpoint', () => {
    const plain = {
      issuer: 'https://as.test',
      authorization_endpoint: 'https://as.test/a',
      token_endpoint: 'https://as.test/t',
    };
    const aliases = { token_endpoint: 'https://mtls.as.test/t', revocation_endpoint: 'https://mtls.as.test/r' };
    const server = { ...plain, mtls_endpoint_aliases: aliases };
    expect(withMutualTls(server, {}).token_endpoint).toBe('https://as.test/t');
    expect(withMutualTls(server, { clientCertificateFile: 'x' })).toMatchObject(aliases);
    expect(withMutualTls(plain, { clientCertificateFile: 'x' })).toBe(plain);
    expect(() =>
      withMutualTls(
        { ...plain, mtls_endpoint_aliases: { token_endpoint: 'http://as.test/t' } },
        { clientCertificateFile: 'x' },
      ),
    ).toThrow(AppError);
    expect(() =>
      withMutualTls({ ...plain, mtls_endpoint_aliases: 'nonsense' }, { clientCertificateFile: 'x' }),
    ).toThrow(AppError);
  });

  it('tells when the certificate expires, in PEM and in PKCS#12', async () => {
    const me = mine(10);
    const near = (time: number | undefined) => Math.abs((time ?? 0) - (Date.now() + 10 * day)) < 60_000;
    expect(
      near(
        await clientOf('https://mcp.test/', {
          clientCertificateFile: file('me.pem', me.cert + me.key),
        }).client.certificateExpiresAt(),
      ),
    ).toBe(true);
    expect(
      near(
        await clientOf(
          'https://mcp.test/',
          { clientCertificateFile: pkcs12(me, 'x') },
          { clientCertificatePassword: 'x' },
        ).client.certificateExpiresAt(),
      ),
    ).toBe(true);
    expect(await clientOf('https://mcp.test/', {}).client.certificateExpiresAt()).toBeUndefined();
    expect(
      await clientOf('https://mcp.test/', { clientCertificateFile: 'gone' }).client.certificateExpiresAt(),
    ).toBeUndefined();
  });

  it.each([
    [-1, 'Expired'],
    [0.5, 'Expires within a day. Ask'],
    [1.5, 'Expires in 1 day. Ask'],
    [13.5, 'Expires in 13 days. Ask'],
    [14.5, 'Valid for 14 days'],
    [400, 'Valid for 400 days'],
  ])('a certificate that ends in %d days is: %s', (days, says) => {
    expect(certificateText(days * day, 0).startsWith(says)).toBe(true);
  });

  it.each([
    [
      'a wrong password',
      () => ({ clientCertificateFile: pkcs12(mine(), 'right') }),
      { clientCertificatePassword: 'hunter2' },
      'cannot be used',
    ],
    [
      'the key of another certificate',
      () => ({ clientCertificateFile: file('me.pem', mine().cert + mine().key) }),
      {},
      'cannot be used',
    ],
    ['no key', () => ({ clientCertificateFile: file('me.pem', mine().cert) }), {}, 'does not contain a private key'],
    ['a file that is neither', () => ({ clientCertificateFile: file('me.pem', 'hello') }), {}, 'cannot be used'],
  ])('%s ends in E_BAD_INPUT, with no secret in it', async (_, settings, secrets: Record<string, string>, says) => {
    const server = await site(own);
    const error = await failure(clientOf(server.origin, settings(), secrets).client.fetch(request(server.origin)));
    expect(error).toMatchObject({ code: 'E_BAD_INPUT', sent: false });
    expect(error.message).toContain(says);
    expect(error.message).not.toMatch(/hunter2|PRIVATE KEY/);
    expect(server.seen).toEqual([]);
  });
});

describe('a company: private authority, mutual TLS at the server and at the authorization server', () => {
  it('RFC 8705: the client proves itself by its certificate, and the token is of use to nobody else', async () => {
    const me = mine();
    const certificateOf = (request: IncomingMessage) =>
      (request.socket as TLSSocket).getPeerCertificate().fingerprint256 ?? 'nobody';
    const asked: { readonly at: string; readonly certificate: string; readonly body: string }[] = [];
    const boundTo = new Map<string, string>();
    const json = (response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    const listen = async (
      demand: boolean,
      handle: (request: IncomingMessage, response: ServerResponse, body: string) => void,
    ) => {
      const listener = later(
        await startHttpsListener(
          { ...own, requestCert: true, rejectUnauthorized: demand, ca: me.cert },
          (request, response) => {
            void readBody(request).then((body) => handle(request, response, body));
          },
        ),
      );
      return `https://localhost:${listener.port}`;
    };

    // Demands a certificate, and makes tokens that are bound to it.
    const tokens = await listen(true, (request, response, body) => {
      asked.push({ at: 'token', certificate: certificateOf(request), body });
      boundTo.set(`Bearer token-${asked.length}`, certificateOf(request));
      json(response, 200, { access_token: `token-${asked.length}`, token_type: 'Bearer', expires_in: 600 });
    });
    const issuer: string = await listen(false, (request, response) => {
      asked.push({ at: 'metadata', certificate: certificateOf(request), body: '' });
      if (request.url !== '/.well-known/oauth-authorization-server') return response.writeHead(404).end();
      return json(response, 200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        token_endpoint_auth_methods_supported: ['tls_client_auth'],
        tls_client_certificate_bound_access_tokens: true,
        mtls_endpoint_aliases: { token_endpoint: `${tokens}/token` },
      });
    });
    const server: string = await listen(true, (request, response) => {
      if (request.url === '/.well-known/oauth-protected-resource/mcp')
        return json(response, 200, { resource: `${server}/mcp`, authorization_servers: [issuer] });
      const bound = boundTo.get(request.headers.authorization ?? '') === certificateOf(request);
      const challenge = {
        'www-authenticate': `Bearer resource_metadata="${server}/.well-known/oauth-protected-resource/mcp"`,
      };
      return bound ? json(response, 200, { jsonrpc: '2.0', id: 1, result: {} }) : json(response, 401, {}, challenge);
    });

    const product = later(await startProduct());
    const settings = {
      grant: 'client_credentials',
      caFile: file('ca.pem', own.cert),
      clientCertificateFile: file('me.pem', me.cert + me.key),
    } as const;
    await product.call('addServer', { url: `${server}/mcp`, name: 'company', clientId: 'laptop', settings });
    await product.call('signIn', { server: 'company', openBrowser: true });

    const connection = product.app.connect('company');
    const upstream = createServerClient({
      connection,
      http: product.app.http,
      log: createLog(() => {}, Date.now),
      clock: systemClock(),
    });
    const answer = await upstream.request({
      method: 'POST',
      headers: {},
      body: Buffer.from('{}'),
      timeoutMs: 5_000,
      repeatable: true,
      onChallenge: 'quiet',
    });
    answer.body.destroy();
    connection.close();
    expect(answer.status).toBe(200);
    expect(asked.filter(({ at }) => at === 'token')).toHaveLength(1);
    for (const { at, certificate, body } of asked) {
      expect(certificate === 'nobody').toBe(at === 'metadata');
      if (at === 'token')
        expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
          client_id: 'laptop',
          grant_type: 'client_credentials',
        });
      expect(body).not.toContain('client_secret');
      expect(body).not.toContain('client_assertion');
    }
    const detail = await product.call('serverDetail', { server: 'company' });
    expect((detail.certificateExpiresAt ?? 0) - Date.now()).toBeGreaterThan(day / 2);
  });
});
