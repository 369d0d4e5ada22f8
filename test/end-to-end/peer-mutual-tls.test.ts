import { createHash, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createLocalJWKSet, jwtVerify, type JWK } from 'jose';
import type { ClientMetadata } from 'oidc-provider';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signingKey } from '../fixtures/authorization-configuration.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { textOf, type Host } from '../fixtures/host.ts';
import { startHttpsListener } from '../fixtures/https-listener.ts';
import { startHttpsProvider, type HttpsProvider } from '../fixtures/https-provider.ts';
import { readBody, sendJson } from '../fixtures/listener.ts';
import { createEra2025 } from '../fixtures/mcp-2025.ts';
import { startProduct, type Product } from '../fixtures/product.ts';

// Mutual TLS (RFC 8705) with oidc-provider and the official SDK's server, which requires certificate-bound tokens.

const closing: (() => Promise<unknown>)[] = [];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'keybridge-mutual-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

function later<Value extends { close(): Promise<unknown> }>(value: Value): Value {
  closing.push(() => value.close());
  return value;
}

function file(name: string, content: string): string {
  const place = path.join(folder, name);
  writeFileSync(place, content);
  return place;
}

const sites = selfSigned(['localhost']);
const laptop = selfSigned([], { name: 'my laptop' });
const stranger = selfSigned([], { name: 'somebody else' });
const certificateOf = (request: IncomingMessage) => (request.socket as TLSSocket).getPeerX509Certificate();
const thumbprint = (certificate: X509Certificate) => createHash('sha256').update(certificate.raw).digest('base64url');

/** The two methods by their names in the metadata (RFC 8705 2.1, 2.2). */
const ways: Record<'tls_client_auth' | 'self_signed_tls_client_auth', ClientMetadata> = {
  tls_client_auth: { client_id: 'laptop', tls_client_auth_subject_dn: 'CN=my laptop' },
  self_signed_tls_client_auth: { client_id: 'laptop', jwks: { keys: [knownCertificate(laptop.cert)] } },
};

function knownCertificate(pem: string) {
  const certificate = new X509Certificate(pem);
  return {
    ...certificate.publicKey.export({ format: 'jwk' }),
    use: 'sig',
    x5c: [certificate.raw.toString('base64')],
  } as never;
}

interface Peers {
  readonly url: string;
  /** The granted token requests: their grant, and whether they used the usual endpoint or the alias. */
  readonly granted: { readonly grant: string; readonly mutual: boolean }[];
  /** Thumbprints of the certificates that called the MCP server with a token bound to them. */
  readonly callers: string[];
}

async function peers(method: keyof typeof ways): Promise<Peers> {
  const key = signingKey();
  const granted: { grant: string; mutual: boolean }[] = [];
  const callers: string[] = [];
  const keys = createLocalJWKSet({
    keys: [{ ...createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' }), kid: key.kid }] as JWK[],
  });
  const era = later(createEra2025({ json: true, sessions: true, resumable: false, onToolRun: () => {} }));

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    if (request.url === '/.well-known/oauth-protected-resource/mcp')
      return sendJson(response, 200, {
        resource: url,
        authorization_servers: [as.issuer],
        scopes_supported: ['mcp:tools'],
      });
    const certificate = certificateOf(request);
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    const claims = await jwtVerify(token, keys, { issuer: as.issuer, audience: url }).then(
      ({ payload }) => payload,
      () => undefined,
    );
    const bound = (claims?.['cnf'] as { 'x5t#S256'?: string } | undefined)?.['x5t#S256'];
    if (!certificate || bound !== thumbprint(certificate))
      return sendJson(response, 401, {}, { 'www-authenticate': 'Bearer' });
    callers.push(bound);
    return era.handle(request, response, body === '' ? undefined : JSON.parse(body));
  };
  const server = later(
    await startHttpsListener(
      { ...sites, requestCert: true, rejectUnauthorized: false },
      (request, response) => void serve(request, response),
    ),
  );
  const url = `https://localhost:${server.port}/mcp`;

  const as: HttpsProvider = later(
    await startHttpsProvider({
      tls: sites,
      mutualTls: { ...sites, requestCert: true, rejectUnauthorized: false, ca: laptop.cert },
      prepare: (provider) =>
        provider.on('grant.success', ({ req, oidc }) =>
          granted.push({ grant: String(oidc.params?.['grant_type']), mutual: certificateOf(req) !== undefined }),
        ),
      configure: (_issuer, adapter, mutual) => ({
        adapter,
        jwks: { keys: [key] },
        cookies: { keys: [randomBytes(24).toString('base64url')] },
        clientAuthMethods: [method],
        clients: [
          {
            ...ways[method],
            token_endpoint_auth_method: method,
            tls_client_certificate_bound_access_tokens: true,
            grant_types: ['client_credentials'],
            response_types: [],
            redirect_uris: [],
          },
        ],
        clientBasedCORS: () => false,
        discovery: { mtls_endpoint_aliases: { token_endpoint: `${mutual}/token` } },
        ttl: { ClientCredentials: 600 },
        features: {
          devInteractions: { enabled: false },
          clientCredentials: { enabled: true },
          mTLS: {
            enabled: true,
            certificateBoundAccessTokens: true,
            tlsClientAuth: true,
            selfSignedTlsClientAuth: true,
            getCertificate: ({ req }) => certificateOf(req)?.toString(),
            certificateAuthorized: ({ req }) => (req.socket as TLSSocket).authorized,
            certificateSubjectMatches: ({ req }, _property, expected) => certificateOf(req)?.subject === expected,
          },
          resourceIndicators: {
            enabled: true,
            useGrantedResource: () => true,
            getResourceServerInfo: (_ctx, audience) => ({
              scope: 'mcp:tools',
              audience,
              accessTokenFormat: 'jwt',
              jwt: { sign: { alg: 'RS256' } },
              accessTokenTTL: 600,
            }),
          },
        },
      }),
    }),
  );
  return { url, granted, callers };
}

async function withCertificate(
  url: string,
  certificate: { readonly cert: string; readonly key: string },
): Promise<{ product: Product; host: Host }> {
  const product = later(await startProduct());
  const settings = {
    grant: 'client_credentials',
    caFile: file('ca.pem', sites.cert),
    clientCertificateFile: file('me.pem', certificate.cert + certificate.key),
  } as const;
  await product.call('addServer', { url, name: 'company', clientId: 'laptop', settings });
  return { product, host: product.host('company') };
}

describe.each(Object.keys(ways) as (keyof typeof ways)[])('%s at oidc-provider', (method) => {
  it('gets a certificate-bound token at the alias, and calls a tool with it through the bridge', async () => {
    const { url, granted, callers } = await peers(method);
    const { product, host } = await withCertificate(url, laptop);
    await product.call('signIn', { server: 'company' });
    await host.initialize();
    expect(textOf(await host.call('echo', { text: 'bound' }))).toContain('bound');
    expect(granted).toEqual([{ grant: 'client_credentials', mutual: true }]);
    expect(new Set(callers)).toEqual(new Set([thumbprint(new X509Certificate(laptop.cert))]));
    expect(product.browser.openings).toBe(0);
  });

  it('gets no token with another certificate', async () => {
    const { url, granted, callers } = await peers(method);
    const { product } = await withCertificate(url, stranger);
    await expect(product.call('signIn', { server: 'company' })).rejects.toThrow('E_CLIENT_REFUSED');
    expect([granted, callers]).toEqual([[], []]);
  });
});
