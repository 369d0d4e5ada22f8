import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../electron/core/base/log.ts';
import type { KeychainChild } from '../../electron/core/vault/keychain-child.ts';
import { createKeychainStore, type KeychainStoreOptions } from '../../electron/core/vault/keychain-client.ts';
import type { KeychainRequest } from '../../electron/core/vault/keychain-protocol.ts';
import type { SecretStore } from '../../electron/core/vault/secret-store.ts';
import { createNodeKeychainSpawner, keychainEnv } from '../../electron/core/vault/spawn-keychain.ts';
import { createFakeClock } from '../fixtures/clock.ts';

const service = 'Keybridge test';
const stores: SecretStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

/** Children that behave as scripted: they reply, stay silent, or exit. */
function scriptedChild(behave: (request: KeychainRequest, reply: (result: unknown) => void, die: () => void) => void) {
  const children: { killed: boolean }[] = [];
  const spawnChild = (): KeychainChild => {
    const self = { killed: false };
    children.push(self);
    let send: (message: unknown) => void = () => {};
    let exit = (): void => {};
    return {
      post: (request) =>
        behave(
          request,
          (result) => queueMicrotask(() => send({ id: request.id, result })),
          () => queueMicrotask(exit),
        ),
      onMessage: (listener) => (send = listener),
      onExit: (listener) => (exit = listener),
      kill: () => {
        self.killed = true;
      },
    };
  };
  return { children, spawnChild };
}

describe('the keychain child', () => {
  const storeOn = (spawnChild: () => KeychainChild, options: Partial<KeychainStoreOptions> = {}) => {
    const clock = createFakeClock();
    const store = createKeychainStore({ spawnChild, label: 'x', service, clock, log: silentLog, ...options });
    stores.push(store);
    return { store, clock };
  };

  it('is replaced after a crash, and gets the request a second time', async () => {
    let requests = 0;
    const { spawnChild, children } = scriptedChild((_request, reply, die) => {
      requests += 1;
      if (requests === 1) die();
      else reply({ kind: 'absent' });
    });
    expect((await storeOn(spawnChild).store.get('a')).kind).toBe('absent');
    expect([requests, children.length]).toEqual([2, 2]);
  });

  it('makes the store unavailable if it always crashes, or cannot be started', async () => {
    const { spawnChild } = scriptedChild((_request, _reply, die) => die());
    expect(await storeOn(spawnChild).store.get('a')).toMatchObject({ kind: 'unavailable' });
    const absent = createNodeKeychainSpawner({ command: '/nonexistent/program', args: [], env: {} });
    expect(await storeOn(absent).store.get('a')).toMatchObject({ kind: 'unavailable' });
    const throwing = (): KeychainChild => {
      throw new Error('no');
    };
    expect(await storeOn(throwing).store.get('a')).toMatchObject({ kind: 'unavailable' });
  });

  it('KC03 is killed after 5 s if it hangs, and replaced for the next call', async () => {
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

  it('cannot reply to another request with a late response', async () => {
    let reply: (result: unknown) => void = () => {};
    const { spawnChild } = scriptedChild((_request, respond) => (reply = respond));
    const { store, clock } = storeOn(spawnChild);
    const first = store.get('a');
    const lateReply = reply;
    await clock.advance(5_000);
    expect((await first).kind).toBe('unavailable');
    const second = store.get('b');
    lateReply({ kind: 'found', value: 'of another item' });
    await clock.advance(0);
    reply({ kind: 'absent' });
    expect((await second).kind).toBe('absent');
  });

  it('returns “unavailable” if the response of the child has the wrong kind or shape', async () => {
    const wrong = scriptedChild((_request, reply) => reply({ kind: 'done' }));
    expect((await storeOn(wrong.spawnChild).store.get('a')).kind).toBe('unavailable');
    const shapeless = scriptedChild((_request, reply) => reply({ kind: 'found', value: 5 }));
    const { store, clock } = storeOn(shapeless.spawnChild);
    const call = store.get('a');
    await clock.advance(5_000);
    expect((await call).kind).toBe('unavailable');
  });

  it('gets one request at a time, in order', async () => {
    const received: string[] = [];
    let open = 0;
    const { spawnChild } = scriptedChild((request, reply) => {
      open += 1;
      expect(open).toBe(1);
      received.push('account' in request ? request.account : request.op);
      queueMicrotask(() => {
        open -= 1;
        reply({ kind: 'absent' });
      });
    });
    const { store } = storeOn(spawnChild);
    await Promise.all(['1', '2', '3', '4'].map((name) => store.get(name)));
    expect(received).toEqual(['1', '2', '3', '4']);
  });

  it('may take 2 min for an unlock, which is shared, while other calls return locked after 5 s', async () => {
    let unlocks = 0;
    let respond: (result: unknown) => void = () => {};
    const { spawnChild, children } = scriptedChild((request, reply) => {
      if (request.op !== 'unlock') return reply({ kind: 'absent' });
      unlocks += 1;
      respond = reply;
    });
    const { store, clock } = storeOn(spawnChild);
    const unlocking = Promise.all([store.unlock(), store.unlock()]);
    const read = store.get('a');
    await clock.advance(5_000);
    expect((await read).kind).toBe('locked');
    await clock.advance(114_000);
    expect(children).toEqual([{ killed: false }]);
    respond({ kind: 'ready' });
    expect(await unlocking).toEqual([{ kind: 'ready' }, { kind: 'ready' }]);
    expect(unlocks).toBe(1);
    expect((await store.get('a')).kind).toBe('absent');
  });

  it('KC02 is not called for 5 min on macOS after a call that hung in a prompt, except to unlock', async () => {
    let requests = 0;
    const { spawnChild } = scriptedChild((request, reply) => {
      requests += 1;
      if (request.op === 'unlock') reply({ kind: 'ready' });
    });
    const { store, clock } = storeOn(spawnChild, { quietMs: 300_000 });
    const first = store.get('a');
    await clock.advance(5_000);
    expect((await first).kind).toBe('locked');
    expect((await store.get('a')).kind).toBe('locked');
    await clock.advance(200_000);
    expect((await store.get('a')).kind).toBe('locked');
    expect(requests).toBe(1);
    await store.unlock();
    void store.get('a');
    expect(requests).toBe(3);
  });

  it('gets no requests after close, which ends all open calls', async () => {
    const { spawnChild, children } = scriptedChild(() => {});
    const { store } = storeOn(spawnChild);
    const calls = [store.get('a'), store.get('b')];
    await store.close();
    expect((await Promise.all(calls)).map(({ kind }) => kind)).toEqual(['unavailable', 'unavailable']);
    expect((await store.get('c')).kind).toBe('unavailable');
    expect(children).toEqual([{ killed: true }]);
  });
});

describe('the environment of the keychain child', () => {
  it('contains only what is needed to reach the keychain', () => {
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

  it('has KEYBRIDGE_KEYCHAIN_DBUS as its session bus, if set', () => {
    expect(keychainEnv({ DBUS_SESSION_BUS_ADDRESS: 'a', KEYBRIDGE_KEYCHAIN_DBUS: 'b' })).toEqual({
      DBUS_SESSION_BUS_ADDRESS: 'b',
    });
  });

  it('must come from Keybridge: the built program exits if it is started directly', () => {
    const built = path.join(import.meta.dirname, '../..', 'dist', 'keychain.cjs');
    const run = spawnSync(process.execPath, [built], { encoding: 'utf8' });
    expect([run.status, run.stdout]).toEqual([2, '']);
  });
});
