import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ErrorInfo } from '../../shared/reply.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { createFakeStore } from '../fixtures/fake-store.ts';
import { startFaulty } from '../fixtures/faulty-server.ts';
import { outcomeOf } from '../fixtures/access-tokens-rig.ts';
import { startOpenidSite } from '../fixtures/openid-site.ts';
import { startProduct, type Product } from '../fixtures/product.ts';

// Attacks by a program that can write to the data folder, but has no access to the keychain or the local socket.

const closing = closeAfterEach();

type Json = Record<string, unknown>;
/** The members of both files that the tests edit. */
interface Content extends Json {
  servers: [Json, ...Json[]];
  credentials: Json;
  clientSecrets: Json;
  facts: Record<string, Json>;
}

async function folder() {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-edited-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  const store = createFakeStore();
  return {
    dataDir,
    store,
    open: async () => {
      const product = await startProduct({ dataDir, store });
      closing.push(() => product.close());
      return product;
    },
    edit: async (name: string, change: (content: Content) => unknown) => {
      const file = path.join(dataDir, name);
      const content = JSON.parse(await readFile(file, 'utf8')) as Content;
      change(content);
      await writeFile(file, JSON.stringify(content));
    },
  };
}

/** A data folder with a signed-in server, while the app is not running. */
async function signedIn() {
  const there = await folder();
  const remote = await startFaulty();
  closing.push(() => remote.close());
  const first = await there.open();
  await first.call('addServer', { url: remote.url, name: 'work' });
  await first.call('signIn', { server: 'work' });
  await first.close();
  const lead = ({ servers: [work] }: Content) => (work['url'] = 'https://evil.example/mcp');
  return {
    ...there,
    lead,
    installId: (JSON.parse(await readFile(path.join(there.dataDir, 'servers.json'), 'utf8')) as { installId: string })
      .installId,
  };
}

const aside = (product: Product) =>
  (product.app.status.current().setAside ?? []).map(({ name, error }) => `${name} ${error.code}`);
const failure = (promise: Promise<unknown>): Promise<ErrorInfo | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error as Error).cause as ErrorInfo,
  );

describe('an edited servers.json', () => {
  it.each([1, 2])('cannot pose as a new list by another install id (file version %d)', async (version) => {
    const { open, edit, lead } = await signedIn();
    await edit('servers.json', (content) => {
      lead(content);
      Object.assign(content, { version, installId: 'abcdef0123456789' });
    });
    const product = await open();
    expect(aside(product)).toEqual(['work E_CONFIG_CHANGED']);
    await product.close();
    expect(aside(await open())).toEqual(['work E_CONFIG_CHANGED']);
  });

  it('is accepted entry by entry if it comes from another data folder', async () => {
    const [one, other] = [await signedIn(), await folder()];
    const foreign = await startProduct({ dataDir: other.dataDir, store: one.store });
    await foreign.call('addServer', { url: 'https://evil.example/mcp', name: 'theirs' });
    await foreign.close();
    for (const name of ['servers.json', 'servers.json.bak'])
      await writeFile(path.join(one.dataDir, name), await readFile(path.join(other.dataDir, name)), { mode: 0o600 });
    const product = await one.open();
    expect(aside(product)).toEqual(['theirs E_CONFIG_CHANGED']);
    await product.close();
    const again = await one.open();
    expect(aside(again)).toEqual(['theirs E_CONFIG_CHANGED']);
    await again.call('acceptServer', { server: 'theirs' });
    await again.close();
    expect(aside(await one.open())).toEqual([]);
  });

  it('has its confirmed hosts and its private networks reset when a user accepts it', async () => {
    const { open, edit } = await signedIn();
    const hosts = [{ what: 'token', host: 'evil.example' }];
    await edit('servers.json', ({ servers: [work] }) =>
      Object.assign(work, {
        confirmedHosts: [{ issuer: 'https://evil.example', hosts }],
        networks: [
          { origin: 'https://evil.example', own: 'private' },
          { origin: 'https://work.example', own: 'public' },
        ],
      }),
    );
    const product = await open();
    await product.call('acceptServer', { server: 'work' });
    await product.close();
    await edit('servers.json', ({ servers: [work] }) =>
      expect(work).toMatchObject({ confirmedHosts: [], networks: [{ origin: 'https://work.example', own: 'public' }] }),
    );
  });

  it('cannot change the redirect URI that a user is told to register', async () => {
    const { open, edit } = await signedIn();
    await edit(
      'servers.json',
      ({ servers: [work] }) =>
        (work['reservedRedirect'] = { issuer: 'https://login.example', redirect_uri: 'https://evil.example/callback' }),
    );
    expect(aside(await open())).toEqual(['work E_CONFIG_CHANGED']);
  });

  it.each(['name', 'id'] as const)(
    'cannot displace a server by an earlier entry with its %s, or delete its sign-in through that entry',
    async (same) => {
      const { open, edit } = await signedIn();
      await edit('servers.json', ({ servers }) => {
        const [work] = servers;
        servers.unshift({
          ...work,
          name: 'false',
          id: 'abcdef0123456789',
          [same]: work[same],
          url: 'https://evil.example/mcp',
        });
      });
      const product = await open();
      expect([
        product.app.status.current().servers.map(({ name }) => name),
        product.app.status.current().setAside?.map(({ why }) => why),
      ]).toEqual([['work'], ['bad']]);
      await product.call('removeServer', { server: product.app.status.current().setAside?.[0]?.key ?? '' });
      expect(aside(product)).toEqual([]);
      expect(outcomeOf(await product.app.connect('work').accessToken())).toMatch(/^kb-access-/);
    },
  );

  it('cannot delete the sign-ins of companies by the name of an entry that a user removes', async () => {
    const { open, edit, store } = await signedIn();
    await edit('servers.json', ({ servers }) => servers.push({ id: 'enterprise', name: 'odd' }));
    const product = await open();
    expect(product.app.status.current().setAside?.map(({ key }) => key)).toEqual(['entry-2']);
    store.calls.length = 0;
    await product.call('removeServer', { server: 'odd' });
    expect(store.calls.filter((call) => call.startsWith('delete'))).toEqual([]);
  });
});

describe('an edited credentials.json', () => {
  it('cannot delete the key of the list from the keychain to get a changed list accepted', async () => {
    const { open, edit, lead, store, installId } = await signedIn();
    const items = [...store.items.keys()].filter((item) => item.endsWith('/list-key'));
    expect(items).toContain(`${installId}/list-key`);
    await edit('credentials.json', ({ credentials, clientSecrets }) => {
      for (const shelf of [credentials, clientSecrets])
        shelf['gone0000:main'] = { generation: 1, items, deleting: true };
    });
    await (await open()).close();
    expect([...store.items.keys()]).toEqual(expect.arrayContaining(items));
    await edit('servers.json', lead);
    expect(aside(await open())).toEqual(['work E_CONFIG_CHANGED']);
  });

  it('cannot release a token that is withheld because it is for another website', async () => {
    const graph = 'https://graph.example/v1';
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const token = `${encode({ alg: 'RS256' })}.${encode({ aud: graph, exp: 4_000_000_000 })}.c2ln`;
    const { open, edit } = await folder();
    const site = await startOpenidSite({ accessToken: () => token, answer: { refresh_token: undefined } });
    closing.push(() => site.close());
    const first = await open();
    await first.call('addServer', { url: site.mcpUrl, name: 'tools' });
    expect((await failure(first.call('signIn', { server: 'tools' })))?.code).toBe('E_TOKEN_AUDIENCE');
    await first.close();
    await edit('credentials.json', ({ facts }) => {
      for (const one of Object.values(facts))
        Object.assign(one, { resource: graph, issuer: 'https://graph.example', clientId: graph });
    });
    const connection = (await open()).app.connect('tools');
    expect(outcomeOf(await connection.accessToken())).toBe('refused E_TOKEN_AUDIENCE');
  });
});

describe('a list whose key is missing from the keychain', () => {
  it('does not count as a new list', async () => {
    const { open, edit, lead, store, installId } = await signedIn();
    store.items.delete(`${installId}/list-key`);
    await edit('servers.json', lead);
    const product = await open();
    expect(aside(product)).toEqual(['work E_CONFIG_CHANGED']);
    await product.call('acceptServer', { server: 'work' });
    await product.close();
    expect(aside(await open())).toEqual([]);
  });

  it('is used as before if only the data folder was moved', async () => {
    const { dataDir, store } = await signedIn();
    const moved = `${dataDir}-moved`;
    closing.push(() => rm(moved, { recursive: true, force: true }));
    await rename(dataDir, moved);
    const product = await startProduct({ dataDir: moved, store });
    closing.push(() => product.close());
    expect(aside(product)).toEqual([]);
    expect(outcomeOf(await product.app.connect('work').accessToken())).toMatch(/^kb-access-/);
  });
});
