import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { silentLog } from '../../electron/core/base/log.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { openVault } from '../../electron/core/vault/credentials.ts';
import { decodeMessage } from '../../electron/core/vault/secret-service/dbus-message.ts';
import { createKeychainStore, type KeychainStoreOptions } from '../../electron/core/vault/keychain-client.ts';
import type { KeychainChild } from '../../electron/core/vault/keychain-child.ts';
import { createKeychainHandler, type Keytar } from '../../electron/core/vault/keychain-handler.ts';
import type { KeychainRequest } from '../../electron/core/vault/keychain-protocol.ts';
import { createSecretService } from '../../electron/core/vault/secret-service/secret-service.ts';
import { createNodeKeychainSpawner, keychainEnv } from '../../electron/core/vault/spawn-keychain.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import { firstCredential } from '../fixtures/access-tokens-rig.ts';
import { keyringMissing, startBus, startEmptyKeyring, startKeyring, type Keyring } from '../fixtures/keyring.ts';
import { until } from '../fixtures/wait.ts';
import type { SecretStore } from '../../electron/core/vault/secret-store.ts';

const service = 'Keybridge test';
const missing = keyringMissing();
if (missing !== undefined) console.log(`SKIPPED the tests on a real keyring: ${missing}`);

const stores: SecretStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

/** The built child on this bus, and on no other. */
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

describe.skipIf(missing !== undefined)('on a real keyring', () => {
  let keyring: Keyring;
  beforeAll(async () => {
    keyring = await startKeyring();
  });
  afterAll(() => keyring.stop());

  it('stores, reads, replaces and deletes, visible to the system’s own tool', async () => {
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

  it('KC10 keeps UTF-8 and long values exactly, and refuses what the store would cut', async () => {
    const store = realStore(keyring.address);
    for (const text of ['žluťoučký 🔑', 'x'.repeat(100_000), '\n', ' ']) {
      expect((await store.set('odd', new Secret(text))).kind).toBe('done');
      expect(await value(store, 'odd')).toBe(text);
    }
    for (const text of ['a\0b', '']) expect((await store.set('odd', new Secret(text))).kind).toBe('unavailable');
    expect(await value(store, 'odd')).toBe(' ');
    await store.delete('odd');
  });

  it('KC01 KC02 locked is told apart from absent, at once and without a prompt; nothing is lost', async () => {
    const store = realStore(keyring.address);
    await store.set('a', new Secret('kept'));
    await keyring.lock();
    const start = performance.now();
    expect(await kinds(store)).toEqual(['locked', 'locked', 'locked', 'locked']);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(store.pids).toHaveLength(1);
    await keyring.unlock();
    expect(await value(store, 'a')).toBe('kept');
    await store.delete('a');
  });

  it('KC02 an unlock that nobody can answer ends as locked, and the store works after a real unlock', async () => {
    const store = realStore(keyring.address, { unlockDeadlineMs: 3_000 });
    await keyring.lock();
    expect((await store.unlock()).kind).toBe('locked');
    await keyring.unlock();
    expect(await store.probe()).toEqual({ kind: 'ready' });
  });

  it('KC03 a frozen keyring costs one deadline; its return is noticed', async () => {
    // With the usual deadline: a busy machine may need longer than the one that is tried here.
    expect(await realStore(keyring.address).set('a', new Secret('kept'))).toEqual({ kind: 'done' });
    const store = realStore(keyring.address, { deadlineMs: 500 });
    await until(async () => (await store.probe()).kind === 'ready', 'the process that talks to the keychain is up');
    await keyring.freeze();
    const start = performance.now();
    const answers = await Promise.all([store.get('a'), store.get('a'), store.set('b', new Secret('x')), store.probe()]);
    expect(answers.map(({ kind }) => kind)).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable']);
    expect(performance.now() - start).toBeLessThan(1_500);
    await keyring.thaw();
    await until(async () => (await store.probe()).kind === 'ready', 'the keyring answers again');
    expect(await value(store, 'a')).toBe('kept');
  });

  it('a keyring that was restarted is met by a new child, within the same call', async () => {
    const store = realStore(keyring.address);
    await store.set('a', new Secret('kept'));
    await keyring.restart();
    expect(await value(store, 'a')).toBe('kept');
    expect(await store.set('a', new Secret('again'))).toEqual({ kind: 'done' });
    expect(store.pids).toHaveLength(2);
  });

  it('the child ends when it is not needed, and comes back', async () => {
    const store = realStore(keyring.address, { idleMs: 50 });
    await store.set('a', new Secret('kept'));
    await until(() => store.exits.length === 1, 'the child has ended');
    expect(await value(store, 'a')).toBe('kept');
    expect(store.pids).toHaveLength(2);
  });

  it('TR12 KC05 the vault keeps a credential of 16 KB byte-exact, also for the next process', async () => {
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

describe.skipIf(missing !== undefined)('KC07 without a Secret Service', () => {
  it('no bus at all: unavailable at once, and none is started', async () => {
    const start = performance.now();
    expect(await kinds(realStore(undefined))).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable']);
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  it.each(['autolaunch:', 'unix:path=/nonexistent/bus', 'tcp:host=localhost,port=1'])(
    'bus address %s: unavailable',
    async (address) => {
      expect(await kinds(realStore(address))).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable']);
    },
  );

  it('a service without any keyring yet: locked, so that an unlock can make one; nothing is made in the background', async () => {
    const empty = await startEmptyKeyring();
    try {
      expect((await createSecretService(empty.address).state()).kind).toBe('no_collection');
      expect(await kinds(realStore(empty.address))).toEqual(['locked', 'locked', 'locked', 'locked']);
    } finally {
      await empty.stop();
    }
  });

  it('a bus without a keyring: unavailable', async () => {
    const bus = await startBus();
    try {
      expect(await kinds(realStore(bus.address))).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable']);
      expect(await createSecretService(bus.address).state()).toEqual({ kind: 'no_service' });
    } finally {
      await bus.stop();
    }
  });
});

describe.skipIf(process.platform === 'win32')('a bus that is none', () => {
  it.each([
    ['refuses us', 'REJECTED EXTERNAL\r\n'],
    ['talks nonsense after the greeting', `OK 1234\r\n${'\u0001'.repeat(64)}`],
    [
      'announces 2 GB',
      'OK 1234\r\nl\u0002\u0001\u0001\u007f\u007f\u007f\u007f\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0000',
    ],
    ['hangs up', ''],
  ])('%s: an answer, and no crash', async (_what, says) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'bus-'));
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => (says === '' ? socket.destroy() : socket.write(Buffer.from(says, 'latin1'))));
    });
    try {
      const socket = path.join(folder, 'bus');
      await new Promise<void>((resolve) => server.listen(socket, resolve));
      const secretService = createSecretService(`unix:path=${socket},guid=1`);
      expect(await secretService.state()).toMatchObject({ kind: 'no_bus' });
      expect(await secretService.state()).toMatchObject({ kind: 'no_bus' });
      secretService.close();
    } finally {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('random bytes as a message are read or refused, never a crash or a hang', () => {
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = randomBytes(16 + (round % 200));
      bytes.set([0x6c, 2, 0, 1]);
      bytes.writeUInt32LE(round % 64, 12);
      try {
        decodeMessage(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
  });
});

/** A child that does what a test says: gives answers, stays silent, or dies. */
function scriptedChild(behave: (request: KeychainRequest, reply: (result: unknown) => void, die: () => void) => void) {
  const children: { killed: boolean }[] = [];
  const spawnChild = (): KeychainChild => {
    const self = { killed: false };
    children.push(self);
    let hear: (message: unknown) => void = () => {};
    let ended = (): void => {};
    return {
      post: (request) =>
        behave(
          request,
          (result) => queueMicrotask(() => hear({ id: request.id, result })),
          () => queueMicrotask(ended),
        ),
      onMessage: (listener) => (hear = listener),
      onExit: (listener) => (ended = listener),
      kill: () => {
        self.killed = true;
      },
    };
  };
  return { children, spawnChild };
}

describe('the child', () => {
  const storeOn = (spawnChild: () => KeychainChild, options: Partial<KeychainStoreOptions> = {}) => {
    const clock = createFakeClock();
    const store = createKeychainStore({ spawnChild, label: 'x', service, clock, log: silentLog, ...options });
    stores.push(store);
    return { store, clock };
  };

  it('that crashes is replaced, and the question is asked once more', async () => {
    let questions = 0;
    const { spawnChild, children } = scriptedChild((_request, reply, die) => {
      questions += 1;
      if (questions === 1) die();
      else reply({ kind: 'absent' });
    });
    expect((await storeOn(spawnChild).store.get('a')).kind).toBe('absent');
    expect([questions, children.length]).toEqual([2, 2]);
  });

  it('that always crashes, or cannot be started, is an answer', async () => {
    const { spawnChild } = scriptedChild((_request, _reply, die) => die());
    expect(await storeOn(spawnChild).store.get('a')).toMatchObject({ kind: 'unavailable' });
    const absent = createNodeKeychainSpawner({ command: '/nonexistent/program', args: [], env: {} });
    expect(await storeOn(absent).store.get('a')).toMatchObject({ kind: 'unavailable' });
    const throwing = (): KeychainChild => {
      throw new Error('no');
    };
    expect(await storeOn(throwing).store.get('a')).toMatchObject({ kind: 'unavailable' });
  });

  it('KC03 that hangs is killed after 5 s, and the next call meets a new one', async () => {
    let hang = true;
    const { spawnChild, children } = scriptedChild((_request, reply) => void (hang || reply({ kind: 'absent' })));
    const { store, clock } = storeOn(spawnChild);
    const first = store.get('a');
    await clock.advance(4_999);
    expect(children).toEqual([{ killed: false }]);
    await clock.advance(1);
    expect(await first).toMatchObject({ kind: 'unavailable' });
    expect(children).toEqual([{ killed: true }]);
    hang = false;
    expect((await store.get('a')).kind).toBe('absent');
  });

  it('a late or foreign answer is nobody’s', async () => {
    let reply: (result: unknown) => void = () => {};
    const { spawnChild } = scriptedChild((_request, answer) => (reply = answer));
    const { store, clock } = storeOn(spawnChild);
    const first = store.get('a');
    const late = reply;
    await clock.advance(5_000);
    expect((await first).kind).toBe('unavailable');
    const second = store.get('b');
    late({ kind: 'found', value: 'of another item' });
    await clock.advance(0);
    reply({ kind: 'absent' });
    expect((await second).kind).toBe('absent');
  });

  it('an answer of the wrong kind or shape is not believed', async () => {
    const wrong = scriptedChild((_request, reply) => reply({ kind: 'done' }));
    expect((await storeOn(wrong.spawnChild).store.get('a')).kind).toBe('unavailable');
    const shapeless = scriptedChild((_request, reply) => reply({ kind: 'found', value: 5 }));
    const { store, clock } = storeOn(shapeless.spawnChild);
    const asked = store.get('a');
    await clock.advance(5_000);
    expect((await asked).kind).toBe('unavailable');
  });

  it('questions are asked one after the other, in order', async () => {
    const asked: string[] = [];
    let open = 0;
    const { spawnChild } = scriptedChild((request, reply) => {
      open += 1;
      expect(open).toBe(1);
      asked.push('account' in request ? request.account : request.op);
      queueMicrotask(() => {
        open -= 1;
        reply({ kind: 'absent' });
      });
    });
    const { store } = storeOn(spawnChild);
    await Promise.all(['1', '2', '3', '4'].map((name) => store.get(name)));
    expect(asked).toEqual(['1', '2', '3', '4']);
  });

  it('while the user unlocks, other calls hear "locked" in 5 s; the unlock itself may take 2 min, and is one', async () => {
    let unlocks = 0;
    let answer: (result: unknown) => void = () => {};
    const { spawnChild, children } = scriptedChild((request, reply) => {
      if (request.op !== 'unlock') return reply({ kind: 'absent' });
      unlocks += 1;
      answer = reply;
    });
    const { store, clock } = storeOn(spawnChild);
    const unlocking = Promise.all([store.unlock(), store.unlock()]);
    const read = store.get('a');
    await clock.advance(5_000);
    expect((await read).kind).toBe('locked');
    await clock.advance(114_000);
    expect(children).toEqual([{ killed: false }]);
    answer({ kind: 'ready' });
    expect(await unlocking).toEqual([{ kind: 'ready' }, { kind: 'ready' }]);
    expect(unlocks).toBe(1);
    expect((await store.get('a')).kind).toBe('absent');
  });

  it('KC02 macOS: after a call that hung in a prompt, no other call prompts for 5 min; an unlock may', async () => {
    let asked = 0;
    const { spawnChild } = scriptedChild((request, reply) => {
      asked += 1;
      if (request.op === 'unlock') reply({ kind: 'ready' });
    });
    const { store, clock } = storeOn(spawnChild, { quietMs: 300_000 });
    const first = store.get('a');
    await clock.advance(5_000);
    expect((await first).kind).toBe('locked');
    expect((await store.get('a')).kind).toBe('locked');
    await clock.advance(200_000);
    expect((await store.get('a')).kind).toBe('locked');
    expect(asked).toBe(1);
    await store.unlock();
    void store.get('a');
    expect(asked).toBe(3);
  });

  it('after close nothing is asked, and what was open is answered', async () => {
    const { spawnChild, children } = scriptedChild(() => {});
    const { store } = storeOn(spawnChild);
    const open = [store.get('a'), store.get('b')];
    await store.close();
    expect((await Promise.all(open)).map(({ kind }) => kind)).toEqual(['unavailable', 'unavailable']);
    expect((await store.get('c')).kind).toBe('unavailable');
    expect(children).toEqual([{ killed: true }]);
  });
});

describe('what the system says', () => {
  const failing = (message: string): Keytar => {
    const fail = () => Promise.reject(new Error(message));
    return { getPassword: fail, setPassword: fail, deletePassword: fail };
  };

  it.each([
    ['User interaction is not allowed.', 'locked'],
    ['Cannot create an item in a locked collection', 'locked'],
    ['The user name or passphrase you entered is not correct.', 'denied'],
    ['User canceled the operation.', 'denied'],
    ['Access is denied.', 'denied'],
    ['The stub received bad data.', 'unavailable'],
    ['A specified logon session does not exist. It may already have been terminated.', 'unavailable'],
    ['A default keychain could not be found.', 'unavailable'],
    ['Der angegebene Eintrag wurde nicht gefunden.', 'unavailable'],
  ])('"%s" is %s', async (message, kind) => {
    const desk = createKeychainHandler({ keytar: async () => failing(message) });
    expect(await desk({ op: 'get', service, account: 'a' })).toMatchObject({ kind });
  });

  it('a native module that cannot be loaded is an answer', async () => {
    const desk = createKeychainHandler({
      keytar: () => Promise.reject(new Error('libsecret-1.so.0: cannot open shared object file')),
    });
    expect(await desk({ op: 'probe', service })).toEqual({
      kind: 'unavailable',
      detail: 'libsecret-1.so.0: cannot open shared object file',
    });
  });

  it('an item that is still there after its deletion is found out', async () => {
    const keytar: Keytar = {
      getPassword: async () => 'still',
      setPassword: async () => {},
      deletePassword: async () => true,
    };
    expect(
      await createKeychainHandler({ keytar: async () => keytar })({ op: 'delete', service, account: 'a' }),
    ).toMatchObject({ kind: 'unavailable' });
  });

  it('KC02 null for an item whose keyring was locked meanwhile is "locked", not "absent"', async () => {
    const states = ['unlocked', 'locked'] as const;
    let asked = 0;
    const secretService = {
      state: async () => ({ kind: states[asked++] ?? 'locked', owner: ':1.1' }) as const,
      close: () => {},
    };
    const keytar: Keytar = {
      getPassword: async () => null,
      setPassword: async () => {},
      deletePassword: async () => false,
    };
    expect(
      (await createKeychainHandler({ keytar: async () => keytar, secretService })({ op: 'get', service, account: 'a' }))
        .kind,
    ).toBe('locked');
  });
});

describe('the child’s environment', () => {
  it('holds what reaches the keychain and nothing else', () => {
    const env = {
      PATH: '/bin',
      HOME: '/h',
      XDG_RUNTIME_DIR: '/r',
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/a',
      DISPLAY: ':0',
      API_TOKEN: 'x',
      NODE_OPTIONS: '--require x',
      LD_PRELOAD: 'y',
    };
    expect(keychainEnv(env)).toEqual({
      PATH: '/bin',
      HOME: '/h',
      XDG_RUNTIME_DIR: '/r',
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/a',
    });
  });

  it('KEYBRIDGE_KEYCHAIN_DBUS takes the place of the session bus', () => {
    expect(keychainEnv({ DBUS_SESSION_BUS_ADDRESS: 'a', KEYBRIDGE_KEYCHAIN_DBUS: 'b' })).toEqual({
      DBUS_SESSION_BUS_ADDRESS: 'b',
    });
  });

  it('the built child does nothing when somebody else starts it', () => {
    const built = path.join(import.meta.dirname, '../..', 'dist', 'keychain.cjs');
    const run = spawnSync(process.execPath, [built], { encoding: 'utf8' });
    expect([run.status, run.stdout]).toEqual([2, '']);
  });
});
