import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../electron/core/base/log.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { openVault, type Vault } from '../../electron/core/vault/credentials.ts';
import { createRecords } from '../../electron/core/vault/records.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import { createFakeStore, locked, type FakeStore } from '../fixtures/fake-store.ts';
import { sendJson } from '../fixtures/listener.ts';
import { startProduct } from '../fixtures/product.ts';
import { startSite, type Route, type Site } from '../fixtures/site.ts';
import type { ServerSettings } from '../../shared/server-settings.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function folder(): Promise<string> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-bound-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

const failure = (promise: Promise<unknown>): Promise<ErrorInfo | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error as Error).cause as ErrorInfo,
  );

/** An MCP server that is its own authorization server, and accepts any credentials. */
async function startServer(): Promise<Site & { readonly url: string }> {
  const site = await startSite();
  closing.push(() => site.close());
  const { origin } = site;
  Object.assign(site.routes, {
    '/.well-known/oauth-protected-resource/mcp': { resource: `${origin}/mcp`, authorization_servers: [origin] },
    '/.well-known/oauth-authorization-server': {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    },
    '/token': { access_token: 'an-access-token', token_type: 'Bearer', expires_in: 600 },
    '/mcp': ((_request, response) => {
      response.setHeader(
        'www-authenticate',
        `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
      );
      sendJson(response, 401, {});
    }) satisfies Route,
  });
  return Object.assign(site, { url: `${origin}/mcp` });
}

const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
}) as string;
const assertion = new UnsecuredJWT({ iss: 'platform', sub: 'workload' }).encode();

interface Entered {
  readonly settings: ServerSettings;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly secrets?: Readonly<Record<string, string>>;
}

const ways: readonly (readonly [string, Entered])[] = [
  ['headerValue', { settings: { grant: 'static_header' }, secrets: { headerValue: 'fixed-key-of-the-person' } }],
  [
    'clientSecret',
    {
      settings: { grant: 'client_credentials', clientAuth: 'client_secret_post' },
      clientId: 'robot',
      clientSecret: 'secret-of-the-robot',
    },
  ],
  [
    'privateKey',
    {
      settings: { grant: 'client_credentials', clientAuth: 'private_key_jwt' },
      clientId: 'robot',
      secrets: { privateKey },
    },
  ],
  ['assertion', { settings: { grant: 'jwt_bearer' }, clientId: 'robot', secrets: { assertion } }],
];

describe('a server whose address was changed in servers.json', () => {
  it.each(ways)(
    'does not get the %s, not even with the next sign-in, until the user enters it again',
    async (name, entered) => {
      const [honest, other] = [await startServer(), await startServer()];
      const dataDir = await folder();
      const store = createFakeStore();
      const first = await startProduct({ dataDir, store });
      await first.call('addServer', { url: honest.url, name: 'work', ...entered });
      await first.call('signIn', { server: 'work' });
      await first.close();
      await changeAddress(dataDir, honest.origin, other.origin);

      const second = await startProduct({ dataDir, store });
      closing.push(() => second.close());
      await second.call('acceptServer', { server: 'work' });
      expect(
        (await second.call('status', undefined)).servers[0]?.state,
        'nobody has signed in at the new address',
      ).toMatchObject({ kind: 'needs_sign_in', error: { code: 'E_SIGN_IN_AGAIN' } });
      const error = await failure(second.call('signIn', { server: 'work' }));
      expect(error).toMatchObject({
        code: expect.stringMatching(/^E_(SECRET_AGAIN|CLIENT_ID_NEEDED|BAD_INPUT)$/) as string,
      });
      const secrets = [entered.clientSecret ?? '', ...Object.values(entered.secrets ?? {})].filter(
        (secret) => secret !== '',
      );
      for (const secret of secrets) expect(JSON.stringify(other.hits)).not.toContain(secret);
      expect(other.hits.filter(({ path: at }) => at === '/token')).toEqual([]);

      const again =
        name === 'clientSecret' ? { clientSecret: entered.clientSecret ?? '' } : { secrets: { ...entered.secrets } };
      await second.call('configureServer', { server: 'work', ...again });
      expect((await second.call('signIn', { server: 'work' })).state.kind).toBe('signed_in');
      if (name !== 'headerValue') expect(other.hits.some(({ path: at }) => at === '/token')).toBe(true);
    },
  );
});

/** Changes the address like another program would. */
async function changeAddress(dataDir: string, from: string, to: string): Promise<void> {
  const file = path.join(dataDir, 'servers.json');
  // Includes the registrations, so that the list has no trace of the old address.
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll(from, to));
}

describe('a secret in the store', () => {
  const as = (n: number) => ({
    server: 'https://mcp.example',
    issuer: `https://as${n}.example`,
    endpoint: `https://as${n}.example`,
  });

  async function vaultWith(write: (vault: Vault, store: FakeStore) => Promise<unknown>) {
    const store = createFakeStore();
    const vault = await openVault({
      store,
      dataDir: await folder(),
      installId: '0123456789abcdef',
      clock: createFakeClock(),
      log: silentLog,
    });
    await write(vault, store);
    return { store, vault };
  }

  it('is bound to an issuer at its first use', async () => {
    const { vault } = await vaultWith((into) =>
      into.writeClientSecret('k', new Secret('s3cret'), { server: 'https://mcp.example' }),
    );
    expect((await vault.readClientSecret('k', as(1))).kind).toBe('found');
    expect(await vault.readClientSecret('k', as(2))).toEqual({
      kind: 'elsewhere',
      was: 'https://as1.example',
      now: 'https://as2.example',
    });
    expect((await vault.readClientSecret('k', as(1))).kind).toBe('found');
    expect(await vault.readClientSecret('k', { ...as(1), endpoint: 'https://evil.example' })).toMatchObject({
      kind: 'elsewhere',
      now: 'https://evil.example',
    });
    expect(await vault.readClientSecret('k', { ...as(1), server: 'https://evil.example' })).toMatchObject({
      kind: 'elsewhere',
      was: 'https://mcp.example',
    });
  });

  it('is bound to one of two issuers that use it concurrently for the first time', async () => {
    const { vault } = await vaultWith((into) => into.writeClientSecret('k', new Secret('s3cret')));
    const both = await Promise.all([vault.readClientSecret('k', as(1)), vault.readClientSecret('k', as(2))]);
    expect(both.map(({ kind }) => kind)).toEqual(['found', 'elsewhere']);
  });

  it('is not returned before its binding is stored', async () => {
    const { store, vault } = await vaultWith((into) => into.writeClientSecret('k', new Secret('s3cret')));
    store.fault = (operation) => (operation === 'set' ? locked : undefined);
    expect((await vault.readClientSecret('k', as(1))).kind).toBe('locked');
    store.fault = undefined;
    expect((await vault.readClientSecret('k', as(2))).kind).toBe('found');
  });

  it('is bound according to servers.json if an older version stored it without a binding', async () => {
    const { vault } = await vaultWith(async (into, store) => {
      await into.writeClientSecret('k', new Secret('s3cret'));
      expect((await createRecords(store).write('0123456789abcdef/client-secret/k', 2, 's3cret')).kind).toBe('done');
    });
    expect(await vault.readClientSecret('k', as(2), as(1))).toMatchObject({ kind: 'elsewhere' });
    const read = await vault.readClientSecret('k', as(1), as(1));
    expect(read.kind === 'found' && read.value.reveal()).toBe('s3cret');
    // The list has no effect once the binding is stored.
    expect(await vault.readClientSecret('k', as(2), as(2))).toMatchObject({ kind: 'elsewhere' });
  });
});
