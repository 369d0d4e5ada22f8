import type { Secret } from '../base/secret.ts';
import type { SecretStore } from './secret-store.ts';

/** A store in memory, for machines without a keychain. Never used unless the user chooses it by name. */
export function createMemoryStore(): SecretStore {
  const items = new Map<string, Secret>();
  return {
    name: 'memory',
    label: 'Memory only: sign-ins end when Keybridge quits',
    get: async (account) => {
      const value = items.get(account);
      return value ? { kind: 'found', value } : { kind: 'absent' };
    },
    set: async (account, value) => {
      items.set(account, value);
      return { kind: 'done' };
    },
    delete: async (account) => {
      items.delete(account);
      return { kind: 'done' };
    },
    probe: async () => ({ kind: 'ready' }),
    unlock: async () => ({ kind: 'ready' }),
    close: async () => items.clear(),
  };
}
