import { describe, expect, it } from 'vitest';
import { createKeychainHandler, type Keytar } from '../../electron/core/vault/keychain-handler.ts';

const service = 'Keybridge test';

describe('the handler of the keychain child', () => {
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
  ])('classifies the error "%s" as %s', async (message, kind) => {
    const handle = createKeychainHandler({ keytar: async () => failing(message) });
    expect(await handle({ op: 'get', service, account: 'a' })).toMatchObject({ kind });
  });

  it('returns unavailable if the native module cannot be loaded', async () => {
    const handle = createKeychainHandler({
      keytar: () => Promise.reject(new Error('libsecret-1.so.0: cannot open shared object file')),
    });
    expect(await handle({ op: 'probe', service })).toEqual({
      kind: 'unavailable',
      detail: 'libsecret-1.so.0: cannot open shared object file',
    });
  });

  it('notices that a deleted item still exists', async () => {
    const keytar: Keytar = {
      getPassword: async () => 'still',
      setPassword: async () => {},
      deletePassword: async () => true,
    };
    expect(
      await createKeychainHandler({ keytar: async () => keytar })({ op: 'delete', service, account: 'a' }),
    ).toMatchObject({ kind: 'unavailable' });
  });

  it('KC02 returns locked, not absent, for an item whose keyring was locked in the meantime', async () => {
    const states = ['unlocked', 'locked'] as const;
    let checks = 0;
    const secretService = {
      state: async () => ({ kind: states[checks++] ?? 'locked', owner: ':1.1' }) as const,
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
