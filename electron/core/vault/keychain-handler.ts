import { keychainFault } from './keychain-faults.ts';
import type { KeychainOperation, KeychainResult } from './keychain-protocol.ts';
import type { SecretService } from './secret-service/secret-service.ts';
import type { StoreFault } from './secret-store.ts';

/** The functions of keytar that we use. Never `findCredentials`: it can crash the process on Linux. */
export interface Keytar {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
}

export interface KeychainHandlerDeps {
  /** Loads the native module. Rejects if it cannot be loaded. */
  readonly keytar: () => Promise<Keytar>;
  /**
   * On Linux: consulted before and after each call, because keytar cannot tell "locked" from "absent" and may prompt.
   */
  readonly secretService?: SecretService;
}

/** Returns the function that executes the operations in the keychain child. It never rejects. */
export function createKeychainHandler({
  keytar,
  secretService,
}: KeychainHandlerDeps): (operation: KeychainOperation) => Promise<KeychainResult> {
  const checkAccess = createAccessCheck(secretService);

  async function get(service: string, account: string): Promise<KeychainResult> {
    const value = await (await keytar()).getPassword(service, account);
    if (value !== null) return { kind: 'found', value };
    // null means "absent" only if the keyring is still unlocked.
    return (await checkAccess()) ?? { kind: 'absent' };
  }

  async function set(service: string, account: string, value: string): Promise<KeychainResult> {
    if (value === '' || value.includes('\0'))
      return { kind: 'unavailable', detail: 'the store would truncate this value' };
    // Not read back here: the vault does that (records.ts), and doing it twice would double the time in which a kill
    // loses a rotated token.
    await (await keytar()).setPassword(service, account, value);
    return { kind: 'done' };
  }

  async function remove(service: string, account: string): Promise<KeychainResult> {
    await (await keytar()).deletePassword(service, account);
    const readBack = await get(service, account);
    if (readBack.kind === 'found') return { kind: 'unavailable', detail: 'the store did not delete the item' };
    return readBack.kind === 'absent' ? { kind: 'done' } : readBack;
  }

  /** Stores an item, so that the system asks for the password, and creates a keyring if there is none. */
  async function unlock(service: string): Promise<KeychainResult> {
    const fault = await checkAccess();
    if (fault && fault.kind !== 'locked') return fault;
    if (secretService && !fault) return { kind: 'ready' };
    const store = await keytar();
    await store.setPassword(service, 'unlock', 'unlock');
    await store.deletePassword(service, 'unlock');
    return (await checkAccess()) ?? { kind: 'ready' };
  }

  return async (operation) => {
    try {
      if (operation.op === 'unlock') return await unlock(operation.service);
      const fault = await checkAccess();
      if (fault) return fault;
      switch (operation.op) {
        case 'get':
          return await get(operation.service, operation.account);
        case 'set':
          return await set(operation.service, operation.account, operation.value);
        case 'delete':
          return await remove(operation.service, operation.account);
        case 'probe':
          await (await keytar()).getPassword(operation.service, 'unlock');
          return { kind: 'ready' };
      }
    } catch (error) {
      return keychainFault(error);
    }
  };
}

type AccessFault = Extract<KeychainResult, { kind: StoreFault['kind'] | 'stale' }>;

/** Returns a function that tells why the store cannot be used at the moment, or undefined if it can. */
function createAccessCheck(secretService: SecretService | undefined): () => Promise<AccessFault | undefined> {
  /** The unique bus name of the service when it was first used. */
  let owner: string | undefined;
  return async () => {
    if (!secretService) return undefined;
    const state = await secretService.state();
    switch (state.kind) {
      case 'no_bus':
        return { kind: 'unavailable', detail: state.detail };
      case 'no_service':
        return { kind: 'unavailable', detail: 'no Secret Service on the session bus' };
      case 'no_collection':
        return { kind: 'locked', detail: 'there is no keyring yet: the first unlock creates one' };
      case 'locked':
        return { kind: 'locked', detail: 'the default keyring is locked' };
      case 'unlocked':
        if (owner !== undefined && owner !== state.owner) return { kind: 'stale' };
        owner = state.owner;
        return undefined;
    }
  };
}
