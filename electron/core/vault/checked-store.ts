import type { SecretStore, StoreFault } from './secret-store.ts';

/**
 * The store of secrets as the rest of the core sees it: nothing is read from it before it is known who wrote the list
 * of servers.
 */
export interface CheckedStore {
  readonly store: SecretStore;
  /** While `work` runs, the store is read without the check, which `work` is a part of. */
  unchecked<Value>(work: () => Promise<Value>): Promise<Value>;
}

/**
 * `isChecked`: nothing is left to be looked at. `check` says why that cannot be done yet: then nothing is read at all.
 */
export function createCheckedStore(
  plain: SecretStore,
  isChecked: () => boolean,
  check: () => Promise<{ readonly kind: 'done' } | StoreFault>,
): CheckedStore {
  let passing = 0;
  return {
    store: {
      name: plain.name,
      label: plain.label,
      async get(account) {
        const read = await plain.get(account);
        if (passing > 0 || isChecked() || (read.kind !== 'found' && read.kind !== 'absent')) return read;
        const checked = await check();
        return checked.kind === 'done' ? read : checked;
      },
      set: (account, value) => plain.set(account, value),
      delete: (account) => plain.delete(account),
      probe: () => plain.probe(),
      unlock: () => plain.unlock(),
      close: () => plain.close(),
    },
    async unchecked(work) {
      passing += 1;
      try {
        return await work();
      } finally {
        passing -= 1;
      }
    },
  };
}
