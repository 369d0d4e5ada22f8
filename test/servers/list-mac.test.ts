import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { callBroker } from '../../electron/broker/control-client.ts';
import { coveredText } from '../../electron/core/servers/covered.ts';
import { StoredServer } from '../../electron/core/servers/server.ts';
import { createRecords } from '../../electron/core/vault/records.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { createFakeStore, locked, type FakeStore } from '../fixtures/fake-store.ts';
import { startFaulty } from '../fixtures/faulty-server.ts';
import { outcomeOf } from '../fixtures/access-tokens-rig.ts';
import { startProduct, type Product } from '../fixtures/product.ts';
import { startSite } from '../fixtures/site.ts';

// Each entry of servers.json carries a MAC under a key from the secret store.

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

type Entry = Record<string, unknown>;

async function signedIn() {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-mac-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  const remote = await startFaulty();
  closing.push(() => remote.close());
  const store = createFakeStore();
  const open = () => startProduct({ dataDir, store });
  const first = await open();
  await first.call('addServer', { url: remote.url, name: 'work' });
  await first.call('addServer', { url: 'https://other.example/mcp', name: 'other' });
  await first.call('signIn', { server: 'work' });
  await first.close();
  const file = path.join(dataDir, 'servers.json');
  const entries = async () => (JSON.parse(await readFile(file, 'utf8')) as { servers: [Entry, Entry] }).servers;
  return {
    remote,
    store,
    dataDir,
    entries,
    /** Restarts the app. */
    open: async () => {
      const product = await open();
      closing.push(() => product.close());
      return product;
    },
    /** Edits the file like another program, while the app is not running. */
    edit: async (change: (work: Entry, other: Entry) => unknown) => {
      const content = JSON.parse(await readFile(file, 'utf8')) as { servers: [Entry, Entry] };
      change(...content.servers);
      await writeFile(file, JSON.stringify(content));
    },
  };
}

const used = (product: Product) => product.app.status.current().servers.map(({ name }) => name);
const aside = (product: Product) =>
  (product.app.status.current().setAside ?? []).map(({ name, error }) => `${name} ${error.code}`);
const failure = (promise: Promise<unknown>): Promise<ErrorInfo | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error as Error).cause as ErrorInfo,
  );
/** Removes the keys, so that no list seems to have been signed yet. */
function forgetKey(store: FakeStore): void {
  for (const item of store.items.keys()) if (item.endsWith('/list-key')) store.items.delete(item);
}

function registrationIn(entry: Entry): Entry {
  const [account] = entry['accounts'] as [{ readonly registrations: [Entry] }];
  return account.registrations[0];
}

const changes: readonly (readonly [string, (entry: Entry) => unknown])[] = [
  ['the address', (entry) => (entry['url'] = 'https://evil.example/mcp')],
  ['the client ID', (entry) => (entry['clientId'] = 'theirs')],
  ['the certificate authority', (entry) => (entry['settings'] = { caFile: '/tmp/theirs.pem' })],
  [
    'an issuer exception',
    (entry) => (entry['settings'] = { issuerException: { named: 'https://a.example', found: 'https://evil.example' } }),
  ],
  [
    'the company',
    (entry) =>
      (entry['settings'] = {
        grant: 'enterprise_managed',
        enterprise: { issuer: 'https://evil.example', clientId: 'us' },
      }),
  ],
  ['the exception from PKCE', (entry) => (entry['allowMissingPkce'] = true)],
  [
    'the management address of its registration',
    (entry) => Object.assign(registrationIn(entry), { registration_client_uri: 'https://evil.example/r' }),
  ],
  [
    'the default account',
    (entry) => {
      entry['accounts'] = [...(entry['accounts'] as Entry[]), { id: 'second', name: 'second' }];
      entry['defaultAccount'] = 'second';
    },
  ],
  ['its MAC, which is removed', (entry) => delete entry['mac']],
];

describe('an entry that another program changed', () => {
  it.each(changes)(
    'is shown but not used after a change of %s, until a person accepts it with one command',
    async (_what, change) => {
      const { store, open, edit, remote } = await signedIn();
      await edit((work) => change(work));
      const requests = remote.counts.refreshes;
      store.calls.length = 0;
      const product = await open();
      expect([used(product), aside(product)]).toEqual([['other'], ['work E_CONFIG_CHANGED']]);
      for (const call of [product.call('signIn', { server: 'work' }), product.call('refreshNow', { server: 'work' })])
        expect((await failure(call))?.code).toBe('E_CONFIG_CHANGED');
      expect(() => product.app.connect('work')).toThrow(expect.objectContaining({ code: 'E_CONFIG_CHANGED' }));
      expect(remote.counts.refreshes).toBe(requests);
      expect(store.calls.filter((call) => call.includes('credential/'))).toEqual([]);

      await callBroker(product.dataDir, 'acceptServer', { server: 'work' });
      expect([new Set(used(product)), aside(product)]).toEqual([new Set(['other', 'work']), []]);
      await product.close();
      expect(aside(await open())).toEqual([]);
    },
  );

  it('is still used if only its name, or what was learned about the server, has changed', async () => {
    const { open, edit } = await signedIn();
    await edit((work) => Object.assign(work, { name: 'renamed', signInRequired: false }));
    const product = await open();
    expect([used(product), aside(product)]).toEqual([['renamed', 'other'], []]);
    expect(outcomeOf(await product.app.connect('renamed').accessToken())).toMatch(/^kb-access-/);
  });

  it('is not used if it carries the MAC of another entry', async () => {
    const { open, edit } = await signedIn();
    await edit((work, other) => {
      other['mac'] = work['mac'];
    });
    expect(aside(await open())).toEqual(['other E_CONFIG_CHANGED']);
  });

  it('is not used if the file claims to be from a newer version', async () => {
    const { open, edit, dataDir } = await signedIn();
    await edit((work) => (work['url'] = 'https://evil.example/mcp'));
    const file = path.join(dataDir, 'servers.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"version":1', '"version":2'));
    const product = await open();
    expect(product.app.status.current().notice).toMatchObject({ code: 'E_CONFIG_NEWER' });
    expect([used(product), aside(product)]).toEqual([['other'], ['work E_CONFIG_CHANGED']]);
    expect((await failure(product.call('acceptServer', { server: 'work' })))?.code).toBe('E_CONFIG_NEWER');
  });

  it('is not used if credentials.json was removed, where the key might have been listed', async () => {
    const { open, edit, dataDir } = await signedIn();
    await edit((work) => delete work['mac']);
    await rm(path.join(dataDir, 'credentials.json'));
    expect(aside(await open())).toEqual(['work E_CONFIG_CHANGED']);
  });
});

describe('the check of the list', () => {
  it('waits for a locked keychain, then sets a changed entry aside before any secret is read for it', async () => {
    const { store, open, edit } = await signedIn();
    const evil = await startSite();
    closing.push(() => evil.close());
    await edit((work) => (work['url'] = `${evil.origin}/mcp`));
    store.fault = () => locked;
    const product = await open();
    expect([used(product), aside(product)]).toEqual([['work', 'other'], []]);
    const connection = product.app.connect('work');
    expect(outcomeOf(await connection.accessToken())).toMatch(/E_STORE_LOCKED/);

    store.fault = undefined;
    // Without an explicit unlock: the first read of a secret triggers the check.
    await failure(product.call('refreshNow', { server: 'work' }));
    expect([used(product), aside(product)]).toEqual([['other'], ['work E_CONFIG_CHANGED']]);
    expect(evil.hits).toEqual([]);
  });

  it('signs a server that was added while the keychain was locked', async () => {
    const { store, open, entries } = await signedIn();
    store.fault = () => locked;
    const product = await open();
    await product.call('addServer', { url: 'https://new.example/mcp', name: 'new' });
    expect((await entries()).map(({ mac }) => typeof mac)).toEqual(['string', 'string', 'undefined']);
    store.fault = undefined;
    await product.call('unlockStore');
    expect((await entries()).map(({ mac }) => typeof mac)).toEqual(['string', 'string', 'string']);
    await product.close();
    expect(aside(await open())).toEqual([]);
  });

  it('signs the data folder of an older version at the first start', async () => {
    const { store, open, edit, entries } = await signedIn();
    forgetKey(store);
    await edit((...all) => all.forEach((entry) => delete entry['mac']));
    const product = await open();
    expect([used(product), aside(product)]).toEqual([['work', 'other'], []]);
    expect((await entries()).map(({ mac }) => typeof mac)).toEqual(['string', 'string']);
    expect(outcomeOf(await product.app.connect('work').accessToken())).toMatch(/^kb-access-/);
    await product.close();
    await edit((work) => (work['url'] = 'https://evil.example/mcp'));
    expect(aside(await open())).toEqual(['work E_CONFIG_CHANGED']);
  });

  it('signs the list again if the last start ended before the key was stored', async () => {
    const { store, open, entries } = await signedIn();
    forgetKey(store);
    store.fault = (operation, item) => (operation === 'set' && item.endsWith('/list-key') ? locked : undefined);
    await (await open()).close();
    const before = (await entries()).map(({ mac }) => mac);
    store.fault = undefined;
    expect(aside(await open())).toEqual([]);
    const after = (await entries()).map(({ mac }) => mac);
    expect(after.every((mac) => typeof mac === 'string' && !before.includes(mac))).toBe(true);
  });

  it('binds the secrets of an older version when it signs the list for the first time', async () => {
    const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-mac-'));
    closing.push(() => rm(dataDir, { recursive: true, force: true }));
    const [honest, evil] = [await startSite(), await startSite()];
    closing.push(
      () => honest.close(),
      () => evil.close(),
    );
    const store = createFakeStore();
    const first = await startProduct({ dataDir, store });
    await first.call('addServer', {
      url: `${honest.origin}/mcp`,
      name: 'work',
      settings: { grant: 'static_header' },
      secrets: { headerValue: 'fixed-key' },
    });
    await first.close();
    const [head = ''] = [...store.items.keys()].filter(
      (item) => item.includes('client-secret/') && item.endsWith('/head'),
    );
    await createRecords(store).write(head.replace(/\/head$/, ''), 2, 'fixed-key');
    forgetKey(store);
    await (await startProduct({ dataDir, store })).close();

    const file = path.join(dataDir, 'servers.json');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(honest.origin, evil.origin));
    const product = await startProduct({ dataDir, store });
    closing.push(() => product.close());
    await product.call('acceptServer', { server: 'work' });
    expect((await failure(product.call('signIn', { server: 'work' })))?.code).toBe('E_SECRET_AGAIN');
  });
});

describe('the text that the MAC covers', () => {
  const server = (more: object = {}) =>
    StoredServer.parse({ id: '0123456789abcdef', name: 'work', url: 'https://work.example/mcp', addedAt: 1, ...more });

  it('does not depend on the order of members, or on empty members', () => {
    const settings = { scopes: ['b', 'a'], caFile: '/ca.pem' };
    expect(coveredText(server({ settings: { caFile: '/ca.pem', scopes: ['b', 'a'] }, allowMissingPkce: false }))).toBe(
      coveredText(server({ settings })),
    );
    expect(coveredText(server({ settings: { ...settings, scopes: ['a', 'b'] } }))).not.toBe(
      coveredText(server({ settings })),
    );
  });

  it('differs between any two different settings', () => {
    const texts = [
      { authorizeParameters: { a: 'b' } },
      { authorizeParameters: { 'a","b': '' } },
      { scopes: ['members', 'a'] },
      { tokenParameters: { a: 'b' } },
    ].map((settings) => coveredText(server({ settings })));
    expect(new Set(texts).size).toBe(texts.length);
  });
});
