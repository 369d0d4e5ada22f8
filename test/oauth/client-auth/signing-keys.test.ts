import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose';
import type { ClientMetadata } from 'oidc-provider';
import { describe, expect, it } from 'vitest';
import type { ErrorInfo } from '../../../shared/reply.ts';
import { startAuthorizationServer, type AuthorizationServer } from '../../fixtures/authorization-server.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { bareMachine } from '../../fixtures/command-line.ts';
import { createFakeStore, type FakeStore } from '../../fixtures/fake-store.ts';
import { freePort } from '../../fixtures/free-port.ts';
import { startMcpServer } from '../../fixtures/mcp-server.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';

const closing = closeAfterEach();

const algorithms = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const;
type Algorithm = (typeof algorithms)[number];

async function product(store: FakeStore = createFakeStore()): Promise<Product & { readonly store: FakeStore }> {
  const started = await startProduct({ store });
  closing.push(() => started.close());
  return Object.assign(Object.create(started) as Product, { store });
}

/** oidc-provider with `private_key_jwt` clients for client credentials, and the SDK's MCP server at this port. */
async function servers(
  port: number,
  clients: Readonly<Record<string, { readonly jwk: object; readonly algorithm: Algorithm }>>,
): Promise<AuthorizationServer> {
  const as = await startAuthorizationServer({
    clientAuthMethods: ['private_key_jwt'],
    clients: Object.entries(clients).map(([client_id, { jwk, algorithm }]): ClientMetadata => ({
      client_id,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: algorithm,
      jwks: { keys: [jwk] },
    })),
  });
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as, port });
  closing.push(() => mcp.close());
  return as;
}

async function failure(promise: Promise<unknown>): Promise<ErrorInfo> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return (error as Error | undefined)?.cause as ErrorInfo;
}

const pairs: Readonly<Record<Algorithm, { readonly privateKey: KeyObject; readonly publicKey: KeyObject }>> = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const pem = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1'): string =>
  key.export({ type, format: 'pem' } as { type: 'pkcs8'; format: 'pem' }).toString();
const jwkOf = (key: KeyObject, more: object = {}): string =>
  JSON.stringify({ ...key.export({ format: 'jwk' }), ...more });

describe('a private key of the user', () => {
  const forms: [Algorithm, string, string][] = [
    ...algorithms.flatMap((algorithm): [Algorithm, string, string][] => [
      [algorithm, 'PEM (PKCS#8)', pem(pairs[algorithm].privateKey, 'pkcs8')],
      [algorithm, 'JWK with alg and kid', jwkOf(pairs[algorithm].privateKey, { alg: algorithm, kid: 'the-key' })],
      [algorithm, 'JWK without', jwkOf(pairs[algorithm].privateKey)],
    ]),
    ['RS256', 'PEM (PKCS#1)', pem(pairs.RS256.privateKey, 'pkcs1')],
    ['PS256', 'PEM (PKCS#1)', pem(pairs.PS256.privateKey, 'pkcs1')],
    ['ES256', 'PEM (SEC1)', pem(pairs.ES256.privateKey, 'sec1')],
    ['ES256', 'PEM with CRLF', pem(pairs.ES256.privateKey, 'sec1').replaceAll('\n', '\r\n')],
    ['ES256', 'PEM after other text', `Bag Attributes\n    friendlyName: x\n${pem(pairs.ES256.privateKey, 'pkcs8')}`],
  ];

  it.each(forms)('signs in to oidc-provider with %s as %s', async (algorithm, _form, privateKey) => {
    const one = await product();
    const port = await freePort();
    const { publicKey } = pairs[algorithm];
    const as = await servers(port, {
      robot: { algorithm, jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'the-key', use: 'sig' } },
    });
    const own = privateKey.includes('"alg"') ? {} : { signingAlgorithm: algorithm, keyId: 'the-key' };
    await one.call('addServer', {
      url: `http://127.0.0.1:${port}/mcp`,
      name: 'robot',
      clientId: 'robot',
      settings: { grant: 'client_credentials', ...own },
      secrets: { privateKey },
    });
    expect((await one.call('signIn', { server: 'robot' })).state.kind).toBe('signed_in');
    expect(decodeProtectedHeader(String(as.seen.token[0]?.['client_assertion']))).toEqual({
      alg: algorithm,
      kid: 'the-key',
    });
  });

  const encrypted = { cipher: 'aes-256-cbc', passphrase: 'a-password' } as const;
  it.each([
    [
      'PKCS#8 with a password',
      pairs.ES256.privateKey.export({ type: 'pkcs8', format: 'pem', ...encrypted }),
      'password',
    ],
    [
      'PKCS#1 with a password',
      pairs.RS256.privateKey.export({ type: 'pkcs1', format: 'pem', ...encrypted }),
      'password',
    ],
    ['RSA of 1,024 bits', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'pkcs8'), 'cannot sign'],
    [
      'RSA for PSS alone',
      pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey, 'pkcs8'),
      'cannot sign',
    ],
    ['EC on another curve', pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'pkcs8'), 'cannot sign'],
    ['X25519, which cannot sign', pem(generateKeyPairSync('x25519').privateKey, 'pkcs8'), 'cannot sign'],
    ['a JWK without its private part', jwkOf(pairs.ES256.publicKey), 'cannot be read'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n', 'cannot be read'],
  ])('is rejected with a reason, not shown and not sent when it is %s', async (_what, key, why) => {
    const privateKey = key.toString();
    const one = await product();
    const port = await freePort();
    const as = await servers(port, {
      robot: { algorithm: 'ES256', jwk: pairs.ES256.publicKey.export({ format: 'jwk' }) },
    });
    await one.call('addServer', {
      url: `http://127.0.0.1:${port}/mcp`,
      name: 'robot',
      clientId: 'robot',
      settings: { grant: 'client_credentials' },
      secrets: { privateKey },
    });
    const error = await failure(one.call('signIn', { server: 'robot' }));
    expect(error).toMatchObject({
      code: 'E_BAD_INPUT',
      field: 'secrets.privateKey',
      message: expect.stringContaining(why),
    });
    const [, line = privateKey] = privateKey.split('\n').filter((text) => text.length > 40);
    expect(one.log.join('\n') + error.message).not.toContain(line.slice(0, 40));
    expect(as.seen.token).toEqual([]);
  });
});

describe('a key that Keybridge generates', () => {
  it.each(algorithms)(
    'signs in with %s when only its public half is registered, and the private half is only in the store',
    async (algorithm) => {
      const one = await product();
      const port = await freePort();
      await one.call('addServer', {
        url: `http://127.0.0.1:${port}/mcp`,
        name: 'robot',
        clientId: 'robot',
        settings: { grant: 'client_credentials' },
      });
      const { kid, publicJwk, publicPem } = await one.call('generateKey', { server: 'robot', algorithm });
      expect(kid).toBe(await calculateJwkThumbprint(publicJwk));
      expect(publicJwk).toMatchObject({ kid, alg: algorithm, use: 'sig' });
      expect(
        Object.keys(publicJwk).filter(
          (name) => !['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use'].includes(name),
        ),
      ).toEqual([]);
      expect(publicPem).toMatch(/^-----BEGIN PUBLIC KEY-----/);
      expect((await one.call('serverDetail', { server: 'robot' })).settings).toMatchObject({
        clientAuth: 'private_key_jwt',
        keyId: kid,
        signingAlgorithm: algorithm,
      });

      const as = await servers(port, { robot: { algorithm, jwk: publicJwk } });
      expect((await one.call('signIn', { server: 'robot' })).state.kind).toBe('signed_in');
      expect(decodeProtectedHeader(String(as.seen.token[0]?.['client_assertion']))).toEqual({ alg: algorithm, kid });
      const stored = [...one.store.items]
        .filter(([item]) => item.includes(':privateKey'))
        .map(([, value]) => value)
        .join('');
      expect(stored).toContain('\\"d\\"');
    },
  );

  it('is replaced only if that is requested explicitly, and the old one is deleted', async () => {
    const one = await product();
    await one.call('addServer', { url: 'http://127.0.0.1:9/mcp', name: 'robot', clientId: 'robot' });
    const first = await one.call('generateKey', { server: 'robot' });
    const error = await failure(one.call('generateKey', { server: 'robot' }));
    expect(error).toMatchObject({
      code: 'E_BAD_INPUT',
      field: 'replace',
      message: expect.stringContaining('--replace'),
    });
    expect((await one.call('serverDetail', { server: 'robot' })).settings.keyId).toBe(first.kid);
    const second = await one.call('generateKey', { server: 'robot', algorithm: 'EdDSA', replace: true });
    expect(second.kid).not.toBe(first.kid);
    expect((await one.call('serverDetail', { server: 'robot' })).settings).toMatchObject({
      keyId: second.kid,
      signingAlgorithm: 'EdDSA',
    });
  });

  it('does not replace an entered key or the key of a client certificate', async () => {
    const one = await product();
    await one.call('addServer', {
      url: 'http://127.0.0.1:9/mcp',
      name: 'entered',
      clientId: 'robot',
      secrets: { privateKey: pem(pairs.ES256.privateKey, 'pkcs8') },
    });
    expect(await failure(one.call('generateKey', { server: 'entered' }))).toMatchObject({
      code: 'E_BAD_INPUT',
      field: 'replace',
    });
    await one.call('addServer', {
      url: 'http://127.0.0.1:9/mcp',
      name: 'mutual',
      clientId: 'robot',
      settings: { clientCertificateFile: '/nowhere.pem' },
    });
    expect(await failure(one.call('generateKey', { server: 'mutual', replace: true }))).toMatchObject({
      code: 'E_BAD_INPUT',
      field: 'settings.clientCertificateFile',
    });
  });

  it('is used only for its account if the account has its own client', async () => {
    const one = await product();
    const port = await freePort();
    await one.call('addServer', {
      url: `http://127.0.0.1:${port}/mcp`,
      name: 'robot',
      clientId: 'robot',
      settings: { grant: 'client_credentials' },
    });
    await one.call('addAccount', { server: 'robot', name: 'second' });
    expect(await failure(one.call('generateKey', { server: 'robot', account: 'second' }))).toMatchObject({
      code: 'E_BAD_INPUT',
      message: expect.stringContaining('all accounts'),
    });
    await one.call('configureServer', { server: 'robot', account: 'second', clientId: 'robot-2' });
    const first = await one.call('generateKey', { server: 'robot', algorithm: 'RS256' });
    const second = await one.call('generateKey', { server: 'robot', account: 'second', algorithm: 'EdDSA' });
    expect((await one.call('serverDetail', { server: 'robot' })).settings).toMatchObject({
      keyId: first.kid,
      signingAlgorithm: 'RS256',
    });
    const as = await servers(port, {
      robot: { algorithm: 'RS256', jwk: first.publicJwk },
      'robot-2': { algorithm: 'EdDSA', jwk: second.publicJwk },
    });
    for (const account of ['main', 'second'])
      expect((await one.call('signIn', { server: 'robot', account })).state.kind).toBe('signed_in');
    expect(as.seen.token.map((form) => decodeProtectedHeader(String(form['client_assertion'])).kid)).toEqual([
      first.kid,
      second.kid,
    ]);
  });

  it('is not used if it cannot be stored, and nothing is changed', async () => {
    const one = await product();
    await one.call('addServer', { url: 'http://127.0.0.1:9/mcp', name: 'robot', clientId: 'robot' });
    one.store.fault = () => ({ kind: 'locked', detail: 'test' });
    expect(await failure(one.call('generateKey', { server: 'robot' }))).toMatchObject({ code: 'E_STORE_LOCKED' });
    one.store.fault = undefined;
    const { settings, storedSecrets } = await one.call('serverDetail', { server: 'robot' });
    expect([settings, storedSecrets]).toEqual([{}, []]);
  });
});

it('is printed by `keybridge key` as JWK, PEM or JSON, and not replaced without confirmation', async () => {
  const bare = await bareMachine();
  closing.push(() => bare.close());
  await bare.serve(['--json']);
  await bare.run(['add', 'http://127.0.0.1:9/mcp', '--name', 'robot', '--client-id', 'robot']);
  const made = await bare.run(['key', 'robot']);
  const jwk = JSON.parse(made.stdout) as Record<string, string>;
  expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining(jwk['kid'] ?? 'none') });
  expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
  expect(jwk['d']).toBeUndefined();

  expect(await bare.run(['key', 'robot'])).toMatchObject({
    stdout: '',
    stderr: expect.stringMatching(/--replace[\s\S]*E_BAD_INPUT/),
  });
  expect(await bare.run(['key', 'robot', '--algorithm', 'HS256', '--replace'])).toMatchObject({
    stdout: '',
    stderr: expect.stringContaining('ES256'),
  });
  const again = await bare.run(['key', 'robot', '--algorithm', 'EdDSA', '--replace', '--pem']);
  expect(again.stdout).toMatch(/^-----BEGIN PUBLIC KEY-----\n[\s\S]+\n-----END PUBLIC KEY-----\n$/);
  expect(() => createPrivateKey(again.stdout)).toThrow();
  const json = JSON.parse((await bare.run(['key', 'robot', '--replace', '--json'])).stdout) as Record<string, unknown>;
  expect(Object.keys(json).toSorted()).toEqual(['kid', 'publicJwk', 'publicPem']);
});
