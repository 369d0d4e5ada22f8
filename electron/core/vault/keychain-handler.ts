import { keychainFault } from './keychain-faults.ts';
import type { KeychainOperation, KeychainResult } from './keychain-protocol.ts';
import type { SecretService } from './secret-service/secret-service.ts';
import type { StoreFault } from './secret-store.ts';

/** The part of keytar that we call. `findCredentials` can crash the process on Linux: never. */
export interface Keytar {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
}

export interface KeychainHandlerDeps {
  /** Loads the native module; rejects where it cannot be loaded. */
  readonly keytar: () => Promise<Keytar>;
  /** On Linux: asked before and after each call, because keytar cannot tell "locked" from "absent" and may prompt. */
  readonly secretService?: SecretService;
}

/** What the keychain child does: answers every question, and never throws. */
export function createKeychainHandler({
  keytar,
  secretService,
}: KeychainHandlerDeps): (question: KeychainOperation) => Promise<KeychainResult> {
  /** The service's name on the bus when keytar first met it. */
  let owner: string | undefined;

  /** Why the store cannot be used now; undefined: it can. */
  async function obstacle(): Promise<Extract<KeychainResult, { kind: StoreFault['kind'] | 'stale' }> | undefined> {
    if (!secretService) return undefined;
    const state = await secretService.state();
    switch (state.kind) {
      case 'no_bus':
        return { kind: 'unavailable', detail: state.detail };
      case 'no_service':
        return { kind: 'unavailable', detail: 'no Secret Service on the session bus' };
      case 'no_collection':
        return { kind: 'locked', detail: 'there is no keyring yet: the first unlock makes one' };
      case 'locked':
        return { kind: 'locked', detail: 'the default keyring is locked' };
      case 'unlocked':
        if (owner !== undefined && owner !== state.owner) return { kind: 'stale' };
        owner = state.owner;
        return undefined;
    }
  }

  async function get(service: string, account: string): Promise<KeychainResult> {
    const value = await (await keytar()).getPassword(service, account);
    if (value !== null) return { kind: 'found', value };
    // null means "absent" only while the keyring is still open.
    return (await obstacle()) ?? { kind: 'absent' };
  }

  async function set(service: string, account: string, value: string): Promise<KeychainResult> {
    if (value === '' || value.includes('\0'))
      return { kind: 'unavailable', detail: 'a value that the store would cut' };
    // The vault reads everything back and compares (records.ts); doing it here too would double the time in which a
    // kill loses a rotated token.
    await (await keytar()).setPassword(service, account, value);
    return { kind: 'done' };
  }

  async function remove(service: string, account: string): Promise<KeychainResult> {
    await (await keytar()).deletePassword(service, account);
    const back = await get(service, account);
    if (back.kind === 'found') return { kind: 'unavailable', detail: 'the store did not delete the item' };
    return back.kind === 'absent' ? { kind: 'done' } : back;
  }

  /** Storing makes the system ask for the password, and makes the keyring where there is none. */
  async function unlock(service: string): Promise<KeychainResult> {
    const before = await obstacle();
    if (before && before.kind !== 'locked') return before;
    if (secretService && !before) return { kind: 'ready' };
    const store = await keytar();
    await store.setPassword(service, 'unlock', 'unlock');
    await store.deletePassword(service, 'unlock');
    return (await obstacle()) ?? { kind: 'ready' };
  }

  return async (question) => {
    try {
      if (question.op === 'unlock') return await unlock(question.service);
      const fault = await obstacle();
      if (fault) return fault;
      switch (question.op) {
        case 'get':
          return await get(question.service, question.account);
        case 'set':
          return await set(question.service, question.account, question.value);
        case 'delete':
          return await remove(question.service, question.account);
        case 'probe':
          await (await keytar()).getPassword(question.service, 'unlock');
          return { kind: 'ready' };
      }
    } catch (error) {
      return keychainFault(error);
    }
  };
}
