import { execFileSync, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../electron/core/base/errors.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { withMutualTls } from '../../electron/core/oauth/client-auth/mutual-tls.ts';
import { exchangeCode } from '../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { certificateText } from '../../shared/state-text.ts';
import type { Certificate } from '../fixtures/certificate.ts';
import { failure } from '../fixtures/failure.ts';
import { clientCertificate, createServerTlsRig, siteCertificate, siteRequest } from '../fixtures/server-tls-rig.ts';
import type { ServerSettings } from '../../shared/server-settings.ts';

const { clientOf, closing, file, pathOf, site } = createServerTlsRig();

const day = 86_400_000;

describe('a client certificate', () => {
  function pkcs12(certificate: Certificate, password: string): string {
    const args = [
      'pkcs12',
      '-export',
      '-in',
      file('c.pem', certificate.cert),
      '-inkey',
      file('k.pem', certificate.key),
      '-out',
      pathOf('me.p12'),
      '-passout',
      `pass:${password}`,
    ];
    execFileSync('openssl', args, { stdio: 'ignore' });
    return pathOf('me.p12');
  }

  it.each(['one PEM file', 'PEM, with the key in the secret store', 'PKCS#12 with a password'])(
    'is presented to a server that demands one: %s',
    async (form) => {
      const me = clientCertificate();
      const server = await site(me);
      const settings = { caFile: file('ca.pem', siteCertificate.cert) };
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
      expect((await client.fetch(siteRequest(server.origin))).status).toBe(200);
      const stream = await client.open(siteRequest(server.origin));
      stream.body.destroy();
      expect(server.seen).toEqual(['my laptop', 'my laptop']);
    },
  );

  it('is presented to another origin only in requests to the authorization server', async () => {
    const me = clientCertificate();
    const [server, third] = [await site(), await site()];
    const { client } = clientOf(server.origin, {
      caFile: file('ca.pem', siteCertificate.cert),
      clientCertificateFile: file('me.pem', me.cert + me.key),
    });
    await client.fetch(siteRequest(server.origin));
    await client.fetch(siteRequest(third.origin));
    expect(server.seen).toEqual(['my laptop']);
    expect(third.seen).toEqual(['nobody']);
    await client.fetch(siteRequest(third.origin, { forTokens: true }));
    expect(third.seen).toEqual(['nobody', 'my laptop']);
  });

  /** Starts OpenSSL's server, which sends an alert about an invalid certificate; Node's only closes the connection. */
  async function startOpenSslServer(version: string): Promise<string> {
    const files = [
      '-cert',
      file('s.pem', siteCertificate.cert),
      '-key',
      file('s.key', siteCertificate.key),
      '-CAfile',
      file('a.pem', clientCertificate().cert),
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
    let output = '';
    for await (const chunk of child.stdout) {
      output += String(chunk);
      const port = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(output)?.[1];
      if (port !== undefined) return `https://localhost:${port}`;
    }
    throw new Error(`openssl did not listen: ${output}`);
  }

  it('is named in the error if the server demands one and gets none or a wrong one', async () => {
    const origin = await startOpenSslServer('-tls1_2');
    const caFile = file('ca.pem', siteCertificate.cert);
    const other = clientCertificate();
    for (const settings of [{ caFile }, { caFile, clientCertificateFile: file('me.pem', other.cert + other.key) }]) {
      const error = await failure(clientOf(origin, settings).client.fetch(siteRequest(origin)));
      expect(error).toMatchObject({ code: 'E_TLS', sent: false });
      expect(error.message).toContain('client certificate');
    }
  });

  it('RFC 8705: authenticates the client at a token endpoint on another origin, without a secret', async () => {
    const me = clientCertificate();
    const server = await site(me);
    const { client } = clientOf('https://mcp.test/', {
      caFile: file('ca.pem', siteCertificate.cert),
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
    const tokenClient = {
      issuer: metadata.issuer,
      tokenEndpoint: metadata.token_endpoint,
      clientId: 'c',
      clientAuth: 'none',
      resource: 'https://mcp.test/',
      allow: ['loopback'],
    } as const;
    const tokens = await exchangeCode(
      tokenClient,
      { code: new Secret('c'), codeVerifier: new Secret('v'.repeat(43)), redirectUri: 'http://127.0.0.1/' },
      { http: client },
    );
    expect(tokens.accessToken.reveal()).toBe('at');
    expect(server.seen).toEqual(['my laptop']);
  });

  it('RFC 8705 5: switches to the mtls_endpoint_aliases, which are checked like all endpoints', () => {
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

  it('has a known expiry date, in PEM and in PKCS#12', async () => {
    const me = clientCertificate(10);
    const validTo = Date.parse(new X509Certificate(me.cert).validTo);
    const expiryOf = (settings: ServerSettings, secrets?: Readonly<Record<string, string>>) =>
      clientOf('https://mcp.test/', settings, secrets).client.certificateExpiresAt();
    const pem = { clientCertificateFile: file('me.pem', me.cert + me.key) };
    expect(await expiryOf(pem)).toBe(validTo);
    const archive = { clientCertificateFile: pkcs12(me, 'x') };
    expect(await expiryOf(archive, { clientCertificatePassword: 'x' })).toBe(validTo);
    expect(await expiryOf({})).toBeUndefined();
    expect(await expiryOf({ clientCertificateFile: 'gone' })).toBeUndefined();
  });

  it.each([
    [-1, 'Expired'],
    [0.5, 'Expires within a day. Ask'],
    [1.5, 'Expires in 1 day. Ask'],
    [13.5, 'Expires in 13 days. Ask'],
    [14.5, 'Valid for 14 days'],
    [400, 'Valid for 400 days'],
  ])('that expires in %d days is shown as: %s', (days, text) => {
    expect(certificateText(days * day, 0).startsWith(text)).toBe(true);
  });

  it.each([
    [
      'a wrong password',
      () => ({ clientCertificateFile: pkcs12(clientCertificate(), 'right') }),
      { clientCertificatePassword: 'hunter2' },
      'cannot be used',
    ],
    [
      'the key of another certificate',
      () => ({ clientCertificateFile: file('me.pem', clientCertificate().cert + clientCertificate().key) }),
      {},
      'cannot be used',
    ],
    [
      'no key',
      () => ({ clientCertificateFile: file('me.pem', clientCertificate().cert) }),
      {},
      'does not contain a private key',
    ],
    ['a file of another kind', () => ({ clientCertificateFile: file('me.pem', 'hello') }), {}, 'cannot be used'],
  ])(
    'with %s causes E_BAD_INPUT without a secret in it',
    async (_, settings, secrets: Record<string, string>, text) => {
      const server = await site();
      const error = await failure(
        clientOf(server.origin, settings(), secrets).client.fetch(siteRequest(server.origin)),
      );
      expect(error).toMatchObject({ code: 'E_BAD_INPUT', sent: false });
      expect(error.message).toContain(text);
      expect(error.message).not.toMatch(/hunter2|PRIVATE KEY/);
      expect(server.seen).toEqual([]);
    },
  );
});
