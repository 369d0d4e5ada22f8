import { readdirSync, readFileSync, rmSync, writeFileSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../electron/core/base/log.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { openVault, type Vault } from '../../electron/core/vault/credentials.ts';
import { createMemoryStore } from '../../electron/core/vault/memory.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import { createFakeStore, locked, unavailable, type FakeStore } from '../fixtures/fake-store.ts';
import type { Credential } from '../../electron/core/vault/credential.ts';

let dataDir: string;
let store: FakeStore;
let events: string[];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'vault-'));
  store = createFakeStore();
  events = [];
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const id = 'srv00001:main';
const clock = createFakeClock();

const open = (options: { knownIds?: readonly string[]; installId?: string } = {}): Promise<Vault> =>
  openVault({
    store,
    dataDir,
    installId: 'install01',
    clock,
    log: createLog(
      (line) => void events.push(line),
      () => clock.now(),
    ),
    ...options,
  });

const credential = (change: Partial<Credential> = {}): Credential => ({
  id,
  issuer: 'https://as.example',
  resource: 'https://mcp.example/mcp',
  tokenEndpoint: 'https://as.example/token',
  clientId: 'client-1',
  clientAuth: 'none',
  requestedScopes: ['a', 'b'],
  grantedScopes: ['a'],
  refreshToken: new Secret('refresh-1'),
  account: 'Ada',
  idTokenClaims: { sub: '1' },
  signedInAt: 1,
  generation: 0,
  ...change,
});

async function refreshTokenOf(vault: Vault): Promise<string | undefined> {
  const read = await vault.read(id);
  return read.kind === 'found' ? read.credential.refreshToken?.reveal() : read.kind;
}

const item = (name: string): string => `install01/credential/${id}/${name}`;
const index = (): string => readFileSync(path.join(dataDir, 'credentials.json'), 'utf8');

describe('keeping a credential', () => {
  it('gives back exactly what was stored, also after a restart', async () => {
    const stored = credential({
      clientSecret: new Secret('s3cret'),
      clientAuth: 'client_secret_basic',
      revocationEndpoint: 'https://as.example/revoke',
    });
    await (await open()).write(stored);
    const read = await (await open()).read(id);
    if (read.kind !== 'found') throw new Error(read.kind);
    const { refreshToken, clientSecret, ...facts } = read.credential;
    expect(refreshToken?.reveal()).toBe('refresh-1');
    expect(clientSecret?.reveal()).toBe('s3cret');
    const { refreshToken: _r, clientSecret: _c, ...expected } = stored;
    expect(facts).toEqual({ ...expected, generation: 1 });
  });

  it('says what is no secret without the store, after a restart too', async () => {
    await (await open()).write(credential());
    store.calls.length = 0;
    store.fault = () => locked;
    expect((await open()).facts(id)).toMatchObject({
      account: 'Ada',
      generation: 1,
      renewable: true,
      idTokenClaims: { sub: '1' },
    });
    expect(store.calls).toEqual([]);
  });

  it('writes no secret to the disk, and the index for the user alone', async () => {
    await (
      await open()
    ).write(credential({ accessToken: new Secret('access-1'), clientSecret: new Secret('client-secret-1') }));
    expect(index()).not.toMatch(/refresh-1|access-1|client-secret-1/);
    expect(statSync(path.join(dataDir, 'credentials.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(dataDir)).toEqual(['credentials.json']);
  });

  it('TR12 KC05 keeps a refresh token of 16 KB byte-exact, in items of at most 2,000 bytes', async () => {
    const long = `${'x'.repeat(16_000)}é🔑`;
    await (await open()).write(credential({ refreshToken: new Secret(long) }));
    expect(await refreshTokenOf(await open())).toBe(long);
    expect(Math.max(...[...store.items.values()].map((value) => Buffer.byteLength(value)))).toBeLessThanOrEqual(2_000);
    expect(store.items.size).toBeGreaterThan(8);
  });

  it('KC10 keeps NUL, emoji and lone surrogates exactly', async () => {
    const odd = 'a\0b🔑\ud800\n\u2028é';
    await (await open()).write(credential({ refreshToken: new Secret(odd) }));
    expect(await refreshTokenOf(await open())).toBe(odd);
    expect([...store.items.values()].every((value) => /^[\x20-\x7e]+$/.test(value))).toBe(true);
  });

  it('KC13 keeps two accounts of one server, and two data folders on one store, apart', async () => {
    const vault = await open();
    await vault.write(credential());
    await vault.write(credential({ id: 'srv00001:second', refreshToken: new Secret('refresh-2') }));
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
    const otherDir = mkdtempSync(path.join(tmpdir(), 'vault-'));
    try {
      const other = await openVault({ store, dataDir: otherDir, installId: 'install02', clock, log: () => {} });
      await other.write(credential({ refreshToken: new Secret('other') }));
      await other.delete(id);
    } finally {
      rmSync(otherDir, { recursive: true, force: true });
    }
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
  });

  it('keeps the generation before beside the newest, and no more', async () => {
    const vault = await open();
    for (const token of ['r1', 'r2', 'r3']) await vault.write(credential({ refreshToken: new Secret(token) }));
    expect(vault.facts(id)?.generation).toBe(3);
    expect([...store.items.keys()].sort()).toEqual([item('even.1'), item('head'), item('odd.1')]);
    expect(store.items.get(item('even.1'))).toContain('r2');
  });

  it('removes the parts that a shorter value no longer needs', async () => {
    const vault = await open();
    await vault.write(credential({ refreshToken: new Secret('x'.repeat(7_000)) }));
    await vault.write(credential());
    await vault.write(credential());
    expect([...store.items.keys()].sort()).toEqual([item('even.1'), item('head'), item('odd.1')]);
  });

  it('the memory store leaves the index of the keychain alone', async () => {
    await (await open()).write(credential());
    const before = index();
    const inMemory = await openVault({
      store: createMemoryStore(),
      dataDir,
      installId: 'install01',
      clock,
      log: () => {},
    });
    expect(inMemory.facts(id)).toBeUndefined();
    await inMemory.write(credential({ refreshToken: new Secret('memory-1') }));
    expect(await refreshTokenOf(inMemory)).toBe('memory-1');
    expect(index()).toBe(before);
  });
});

describe('faults of the store', () => {
  it('KC01 a locked store is an answer: nothing is deleted, and reading goes on after the unlock', async () => {
    const vault = await open();
    await vault.write(credential());
    const before = new Map(store.items);
    store.fault = () => locked;
    expect((await vault.read(id)).kind).toBe('locked');
    expect((await vault.write(credential({ refreshToken: new Secret('r2') }))).kind).toBe('locked');
    expect((await vault.openJournal(id, 1)).kind).toBe('locked');
    expect(store.items).toEqual(before);
    store.fault = undefined;
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
  });

  it.each([0, 1, 2, 3])(
    'RF18 KC04 a write that stops after %i store calls leaves the old or the new value, never a mixture',
    async (calls) => {
      const vault = await open();
      await vault.write(credential({ refreshToken: new Secret(`old-${'o'.repeat(3_000)}`) }));
      await vault.write(credential({ refreshToken: new Secret(`old2-${'p'.repeat(3_000)}`) }));
      let left = calls;
      store.fault = (operation) => (operation === 'set' && (left -= 1) < 0 ? unavailable : undefined);
      const written = await vault.write(credential({ refreshToken: new Secret(`new-${'n'.repeat(3_000)}`) }));
      store.fault = undefined;
      expect(written.kind).toBe(calls < 3 ? 'unavailable' : 'done');
      expect((await refreshTokenOf(await open()))?.slice(0, 5)).toBe(calls < 3 ? 'old2-' : 'new-n');
    },
  );

  it('a store that says done and keeps something else is noticed', async () => {
    const vault = await open();
    await vault.write(credential());
    const set = store.set.bind(store);
    store.set = async (name, value) => set(name, new Secret(value.reveal().slice(0, 50)));
    expect(await vault.write(credential({ refreshToken: new Secret('r2') }))).toMatchObject({ kind: 'unavailable' });
    store.set = set;
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
  });

  it('KC06 one damaged entry is reported and kept; the other credentials work', async () => {
    const vault = await open();
    const second = 'srv00002:main';
    await vault.write(credential());
    await vault.write(credential({ id: second }));
    store.items.set(item('odd.1'), 'garbage');
    const before = new Map(store.items);
    expect((await vault.read(id)).kind).toBe('damaged');
    expect((await vault.read(second)).kind).toBe('found');
    expect(store.items).toEqual(before);
    expect(events.join('')).toContain('vault_item_damaged');
  });

  it('KC06 a damaged newest generation falls back to the one before', async () => {
    const vault = await open();
    await vault.write(credential());
    await vault.write(credential({ refreshToken: new Secret('r2') }));
    store.items.set(item('even.1'), 'garbage');
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
    expect(events.join('')).toContain('vault_item_rolled_back');
  });

  it('a lost head item costs nothing: the newest whole generation counts', async () => {
    const vault = await open();
    await vault.write(credential());
    await vault.write(credential({ refreshToken: new Secret('r2') }));
    store.items.delete(item('head'));
    expect(await refreshTokenOf(vault)).toBe('r2');
    store.items.set(item('head'), '{}');
    expect(await refreshTokenOf(vault)).toBe('r2');
  });

  it('KC09 an older head from outside is noticed, and the newest whole generation wins', async () => {
    const vault = await open();
    await vault.write(credential());
    const oldHead = store.items.get(item('head')) ?? '';
    await vault.write(credential({ refreshToken: new Secret('r2') }));
    store.items.set(item('head'), oldHead);
    expect(await refreshTokenOf(await open())).toBe('r2');
  });

  it('KC09 when everything was rolled back the old one is used, and the log says so', async () => {
    const vault = await open();
    await vault.write(credential());
    const old = new Map(store.items);
    await vault.write(credential({ refreshToken: new Secret('r2') }));
    store.items.clear();
    for (const [name, value] of old) store.items.set(name, value);
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
    expect(events.join('')).toContain('vault_item_rolled_back');
    expect(events.join('')).not.toMatch(/refresh-1|r2/);
  });
});

describe('the index file', () => {
  it('RF27 index not written after the secrets were: the restart finds the newest', async () => {
    const vault = await open();
    await vault.write(credential());
    const old = index();
    await vault.write(credential({ refreshToken: new Secret('r2'), lastRefreshAt: 5 }));
    writeFileSync(path.join(dataDir, 'credentials.json'), old);
    const restarted = await open();
    expect(await refreshTokenOf(restarted)).toBe('r2');
    expect(restarted.facts(id)).toMatchObject({ generation: 2, lastRefreshAt: 5 });
    await restarted.write(credential({ refreshToken: new Secret('r3') }));
    expect(await refreshTokenOf(await open())).toBe('r3');
  });

  it.each(['', '{', '{"version":1}', '[]', '{"version":1,"credentials":{"x":3}}'])(
    'a damaged index %j is kept beside, and rebuilt from the store',
    async (text) => {
      await (await open()).write(credential());
      writeFileSync(path.join(dataDir, 'credentials.json'), text);
      const vault = await open({ knownIds: [id, 'srv00009:main'] });
      expect(vault.facts(id)).toMatchObject({ account: 'Ada', generation: 1, renewable: true });
      expect(vault.facts('srv00009:main')).toBeUndefined();
      expect(await refreshTokenOf(vault)).toBe('refresh-1');
      const kept = readdirSync(dataDir).filter((name) => name.includes('.damaged-'));
      expect(kept).toHaveLength(1);
      expect(readFileSync(path.join(dataDir, kept[0] ?? ''), 'utf8')).toBe(text);
      expect(index()).toContain('Ada');
    },
  );

  it('a damaged index and a locked store: the credential is found once the store can be read', async () => {
    await (await open()).write(credential());
    writeFileSync(path.join(dataDir, 'credentials.json'), '{');
    store.fault = () => locked;
    const vault = await open({ knownIds: [id] });
    expect(vault.uncertain(id)).toBe(true);
    expect((await vault.read(id)).kind).toBe('locked');
    store.fault = undefined;
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
    expect(vault.uncertain(id)).toBe(false);
  });

  it('after the index was lost a new sign-in does not overwrite the generation that counts', async () => {
    await (await open()).write(credential());
    rmSync(path.join(dataDir, 'credentials.json'));
    const vault = await open();
    store.fault = (operation, name) => (operation === 'set' && name.endsWith('/head') ? unavailable : undefined);
    await vault.write(credential({ refreshToken: new Secret('r2') }));
    store.fault = undefined;
    rmSync(path.join(dataDir, 'credentials.json'));
    expect(store.items.get(item('odd.1'))).toContain('refresh-1');
  });

  it('an index of a newer Keybridge is read as far as it is understood, and everything that would change it is refused', async () => {
    await (await open()).write(credential());
    const text = JSON.stringify({ ...(JSON.parse(index()) as object), version: 2, novelty: 1 });
    writeFileSync(path.join(dataDir, 'credentials.json'), text);
    const stored = new Map(store.items);
    const vault = await open();
    expect(vault.notice?.code).toBe('E_CONFIG_NEWER');
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
    for (const change of [
      vault.write(credential()),
      vault.delete(id),
      vault.openJournal(id, 1),
      vault.writeClientSecret('k', new Secret('s')),
      vault.deleteClientSecret('k'),
    ]) {
      expect(await change).toMatchObject({ because: { code: 'E_CONFIG_NEWER' } });
    }
    await vault.sweep();
    expect([index(), store.items]).toEqual([text, stored]);
  });

  it('an index of a newer Keybridge that is not understood at all is left as it is, and the store is looked at instead', async () => {
    await (await open()).write(credential());
    writeFileSync(path.join(dataDir, 'credentials.json'), '{"version":2}');
    expect(await refreshTokenOf(await open())).toBe('refresh-1');
    expect(index()).toBe('{"version":2}');
  });

  it('an unknown credential is absent without a question to the store', async () => {
    const vault = await open();
    await vault.write(credential());
    const restarted = await open();
    store.calls.length = 0;
    expect((await restarted.read('srv00007:main')).kind).toBe('absent');
    expect(store.calls).toEqual([]);
  });

  it('LC06 items are announced on disk before they exist: when the disk is full nothing is stored', async () => {
    const vault = await open();
    rmSync(dataDir, { recursive: true });
    expect(await vault.write(credential())).toMatchObject({ kind: 'unavailable' });
    expect(store.items.size).toBe(0);
  });
});

describe('the journal', () => {
  it('proves that the store takes writes, survives a restart, and ends with the write of the successor', async () => {
    const vault = await open();
    await vault.write(credential());
    expect((await vault.openJournal(id, 1)).kind).toBe('done');
    expect(store.items.get(item('journal'))).toContain('"generation":1');
    expect((await open()).openJournals()).toEqual([id]);
    await vault.write(credential({ refreshToken: new Secret('r2') }));
    expect((await open()).openJournals()).toEqual([]);
  });

  it('LC05 a successor that was stored whole is found although the head was never flipped', async () => {
    const vault = await open();
    await vault.write(credential());
    await vault.openJournal(id, 1);
    store.fault = (operation, name) => (operation === 'set' && name.endsWith('/head') ? unavailable : undefined);
    await vault.write(credential({ refreshToken: new Secret('r2') }));
    store.fault = undefined;
    expect(await refreshTokenOf(await open())).toBe('r2');
  });

  it('LC05 a successor of which only a part was stored is not taken for one', async () => {
    const long = (letter: string): Secret => new Secret(letter.repeat(5_000));
    const vault = await open();
    await vault.write(credential({ refreshToken: long('a') }));
    await vault.write(credential({ refreshToken: long('b') }));
    await vault.openJournal(id, 2);
    let sets = 0;
    store.fault = (operation) => (operation === 'set' && (sets += 1) > 1 ? unavailable : undefined);
    await vault.write(credential({ refreshToken: long('c') }));
    store.fault = undefined;
    expect(await refreshTokenOf(await open())).toBe('b'.repeat(5_000));
  });

  it('closes without a write when the refresh ended otherwise', async () => {
    const vault = await open();
    await vault.write(credential());
    await vault.openJournal(id, 1);
    await vault.closeJournal(id);
    expect((await open()).openJournals()).toEqual([]);
  });
});

describe('deleting', () => {
  it('KC11 removes every item of both generations, and the journal', async () => {
    const vault = await open();
    await vault.write(credential({ refreshToken: new Secret('x'.repeat(5_000)) }));
    await vault.openJournal(id, 1);
    await vault.write(credential());
    expect((await vault.delete(id)).kind).toBe('done');
    expect(store.items.size).toBe(0);
    expect(vault.facts(id)).toBeUndefined();
    expect(index()).not.toContain(id);
  });

  it('KC11 removes everything even when the index was lost', async () => {
    await (await open()).write(credential({ refreshToken: new Secret('x'.repeat(5_000)) }));
    await (await open()).write(credential());
    rmSync(path.join(dataDir, 'credentials.json'));
    expect((await (await open()).delete(id)).kind).toBe('done');
    expect(store.items.size).toBe(0);
  });

  it('KC11 what a locked store or a crash left goes later, and never comes back', async () => {
    const vault = await open();
    await vault.write(credential());
    let deletes = 0;
    store.fault = (operation) => (operation === 'delete' && (deletes += 1) > 1 ? locked : undefined);
    expect((await vault.delete(id)).kind).toBe('locked');
    store.fault = undefined;
    expect(store.items.size).toBe(1);
    const restarted = await open();
    expect(restarted.facts(id)).toBeUndefined();
    expect((await restarted.read(id)).kind).toBe('absent');
    await restarted.sweep();
    expect(store.items.size).toBe(0);
  });

  it('a sign-in after an unfinished deletion counts', async () => {
    const vault = await open();
    await vault.write(credential());
    store.fault = (operation) => (operation === 'delete' ? locked : undefined);
    await vault.delete(id);
    store.fault = undefined;
    await vault.write(credential({ refreshToken: new Secret('again') }));
    const restarted = await open();
    await restarted.sweep();
    expect(await refreshTokenOf(restarted)).toBe('again');
  });
});

describe('client secrets', () => {
  it('are kept, replaced and deleted like credentials, under keys of any length', async () => {
    const key = `srv00001 https://as.example/${'realm/'.repeat(100)}`;
    const vault = await open();
    expect((await vault.readClientSecret(key, {})).kind).toBe('absent');
    await vault.writeClientSecret(key, new Secret('one'));
    await vault.writeClientSecret(key, new Secret(`two${'ü'.repeat(4_000)}`));
    const read = await (await open()).readClientSecret(key, {});
    expect(read.kind === 'found' && read.value.reveal()).toBe(`two${'ü'.repeat(4_000)}`);
    expect(Math.max(...[...store.items.keys()].map((name) => name.length))).toBeLessThan(200);
    expect(index()).not.toContain('two');
    await vault.deleteClientSecret(key);
    expect(store.items.size).toBe(0);
  });

  it('a locked store is told apart from an absent secret', async () => {
    const vault = await open();
    await vault.writeClientSecret('k', new Secret('one'));
    store.fault = () => locked;
    expect((await vault.readClientSecret('k', {})).kind).toBe('locked');
  });
});
