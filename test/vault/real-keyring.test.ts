import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../electron/core/base/log.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { openVault } from '../../electron/core/vault/credentials.ts';
import type { KeychainChild } from '../../electron/core/vault/keychain-child.ts';
import { createKeychainStore, type KeychainStoreOptions } from '../../electron/core/vault/keychain-client.ts';
import { createSecretService } from '../../electron/core/vault/secret-service/secret-service.ts';
import type { SecretStore } from '../../electron/core/vault/secret-store.ts';
import { createNodeKeychainSpawner } from '../../electron/core/vault/spawn-keychain.ts';
import { firstCredential } from '../fixtures/access-tokens-rig.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import { keyringMissing, startBus, startEmptyKeyring, startKeyring, type Keyring } from '../fixtures/keyring.ts';
import { until } from '../fixtures/wait.ts';

const service = 'Keybridge test';
const missing = keyringMissing();
if (missing !== undefined) console.log(`SKIPPED the tests on a real keyring: ${missing}`);

const stores: SecretStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

/** A store whose children are the built program, on this bus only. */
function realStore(
  address: string | undefined,
  options: Partial<KeychainStoreOptions> = {},
): SecretStore & { readonly pids: number[]; readonly exits: number[] } {
  const pids: number[] = [];
  const exits: number[] = [];
  const { DBUS_SESSION_BUS_ADDRESS: _bus, XDG_RUNTIME_DIR: _runtime, DISPLAY: _display, ...env } = process.env;
  const start = createNodeKeychainSpawner({
    command: process.execPath,
    args: [path.join(import.meta.dirname, '../..', 'dist', 'keychain.cjs')],
    env: address === undefined ? env : { ...env, KEYBRIDGE_KEYCHAIN_DBUS: address },
  });
  const spawnChild = (): KeychainChild => {
    const child = start();
    pids.push(pids.length);
    child.onExit(() => exits.push(exits.length));
    return child;
  };
  const store = createKeychainStore({
    spawnChild,
    label: 'Test keyring',
    service,
    clock: systemClock(),
    log: silentLog,
    ...options,
  });
  stores.push(store);
  return Object.assign(store, { pids, exits });
}

const kinds = async (store: SecretStore): Promise<string[]> => [
  (await store.get('a')).kind,
  (await store.set('a', new Secret('new'))).kind,
  (await store.delete('a')).kind,
  (await store.probe()).kind,
];

async function value(store: SecretStore, account: string): Promise<string> {
  const read = await store.get(account);
  return read.kind === 'found' ? read.value.reveal() : read.kind;
}

describe.skipIf(missing !== undefined)('the store on a real keyring', () => {
  let keyring: Keyring;
  beforeAll(async () => {
    keyring = await startKeyring();
  });
  afterAll(() => keyring.stop());

  it('stores, reads, replaces and deletes items that the system’s own tool can see', async () => {
    const store = realStore(keyring.address);
    expect((await store.get('one')).kind).toBe('absent');
    expect(await store.set('one', new Secret('first'))).toEqual({ kind: 'done' });
    expect(await store.set('one', new Secret('second'))).toEqual({ kind: 'done' });
    expect(await value(store, 'one')).toBe('second');
    expect((await keyring.items(service)).get('one')).toBe('second');
    expect(await store.delete('one')).toEqual({ kind: 'done' });
    expect(await store.delete('one')).toEqual({ kind: 'done' });
    expect((await store.get('one')).kind).toBe('absent');
    expect(await store.probe()).toEqual({ kind: 'ready' });
    expect(await store.unlock()).toEqual({ kind: 'ready' });
    expect([...(await keyring.items(service)).keys()]).toEqual([]);
  });

  it('KC10 keeps UTF-8 and long values exactly, and refuses values that the store would truncate', async () => {
    const store = realStore(keyring.address);
    for (const text of ['žluťoučký 🔑', 'x'.repeat(100_000), '\n', ' ']) {
      expect((await store.set('odd', new Secret(text))).kind).toBe('done');
      expect(await value(store, 'odd')).toBe(text);
    }
    for (const text of ['a\0b', '']) expect((await store.set('odd', new Secret(text))).kind).toBe('unavailable');
    expect(await value(store, 'odd')).toBe(' ');
    await store.delete('odd');
  });

  it('KC01 KC02 distinguishes locked from absent without a prompt or a deadline, and loses nothing', async () => {
    // The clock stands still, so no deadline can end a call.
    const store = realStore(keyring.address, { clock: createFakeClock() });
    await store.set('a', new Secret('kept'));
    await keyring.lock();
    expect(await kinds(store)).toEqual(['locked', 'locked', 'locked', 'locked']);
    expect(store.pids).toHaveLength(1);
    await keyring.unlock();
    expect(await value(store, 'a')).toBe('kept');
    await store.delete('a');
  });

  it('KC02 returns locked if nobody responds to the prompt of an unlock, and works after a real unlock', async () => {
    const store = realStore(keyring.address, { unlockDeadlineMs: 3_000 });
    await keyring.lock();
    expect((await store.unlock()).kind).toBe('locked');
    await keyring.unlock();
    expect(await store.probe()).toEqual({ kind: 'ready' });
  });

  it('KC03 ends all calls to a frozen keyring at one deadline, and notices when it responds again', async () => {
    const clock = createFakeClock();
    const store = realStore(keyring.address, { clock, deadlineMs: 500 });
    expect(await store.set('a', new Secret('kept'))).toEqual({ kind: 'done' });
    await keyring.freeze();
    const calls = [store.get('a'), store.get('a'), store.set('b', new Secret('x')), store.probe()];
    let ended = 0;
    for (const call of calls) void call.then(() => (ended += 1));
    await clock.advance(499);
    expect(ended).toBe(0);
    await clock.advance(1);
    expect(ended).toBe(4);
    expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual([
      'unavailable',
      'unavailable',
      'unavailable',
      'unavailable',
    ]);
    await keyring.thaw();
    expect(await store.probe()).toEqual({ kind: 'ready' });
    expect(await value(store, 'a')).toBe('kept');
  });

  it('replaces the child within the same call after the keyring was restarted', async () => {
    const store = realStore(keyring.address);
    await store.set('a', new Secret('kept'));
    await keyring.restart();
    expect(await value(store, 'a')).toBe('kept');
    expect(await store.set('a', new Secret('again'))).toEqual({ kind: 'done' });
    expect(store.pids).toHaveLength(2);
  });

  it('ends an idle child, and starts a new one for the next call', async () => {
    const store = realStore(keyring.address, { idleMs: 50 });
    await store.set('a', new Secret('kept'));
    await until(() => store.exits.length === 1, 'the child has ended');
    expect(await value(store, 'a')).toBe('kept');
    expect(store.pids).toHaveLength(2);
  });

  it('TR12 KC05 keeps a credential of 16 KB unchanged in the vault, also for the next process', async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'keychain-'));
    try {
      const open = () =>
        openVault({
          store: realStore(keyring.address),
          dataDir,
          installId: 'install01',
          clock: systemClock(),
          log: silentLog,
        });
      const token = 'r'.repeat(16_000);
      await (await open()).write({ ...firstCredential(), refreshToken: new Secret(token) });
      const vault = await open();
      const read = await vault.read(firstCredential().id);
      expect(read.kind === 'found' && read.credential.refreshToken?.reveal()).toBe(token);
      expect(
        [...(await keyring.items(service)).keys()].filter((name) => name.startsWith('install01/')).length,
      ).toBeGreaterThan(8);
      await vault.delete(firstCredential().id);
      expect([...(await keyring.items(service)).keys()].filter((name) => name.startsWith('install01/'))).toEqual([]);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

describe.skipIf(missing !== undefined)('KC07 the store without a Secret Service', () => {
  it('is unavailable without a deadline if there is no session bus', async () => {
    const store = realStore(undefined, { clock: createFakeClock() });
    expect(await kinds(store)).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable']);
  });

  it.each(['autolaunch:', 'unix:path=/nonexistent/bus', 'tcp:host=localhost,port=1'])(
    'is unavailable with the bus address %s',
    async (address) => {
      expect(await kinds(realStore(address))).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable']);
    },
  );

  it('is locked if the service has no keyring yet, and creates none in the background', async () => {
    const empty = await startEmptyKeyring();
    try {
      expect((await createSecretService(empty.address).state()).kind).toBe('no_collection');
      expect(await kinds(realStore(empty.address))).toEqual(['locked', 'locked', 'locked', 'locked']);
    } finally {
      await empty.stop();
    }
  });

  it('is unavailable if the bus has no keyring service', async () => {
    const bus = await startBus();
    try {
      expect(await kinds(realStore(bus.address))).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable']);
      expect(await createSecretService(bus.address).state()).toEqual({ kind: 'no_service' });
    } finally {
      await bus.stop();
    }
  });
});
