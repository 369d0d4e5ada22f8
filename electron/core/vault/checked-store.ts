import type { SecretStore, StoreFault } from './secret-store.ts';

/** 'done': it is known who wrote the list of servers. A fault of the store: not yet. */
export type ListCheckResult = { readonly kind: 'done' } | StoreFault;

/**
 * The store of secrets as the rest of the core sees it: nothing is read from it before it is known who wrote the list
 * of servers.
 */
export interface CheckedStore {
  readonly store: SecretStore;
  /** While `work` runs, the store is read without the check, which `work` is a part of. */
  unchecked<Value>(work: () => Promise<Value>): Promise<Value>;
  /**
   * Names the check, which reads the store by itself through `unchecked`. Its fault says why nothing can be read yet.
   * Until it is named, reads are refused.
   */
  checkWith(check: () => Promise<ListCheckResult>): void;
}

const notYet: StoreFault = { kind: 'unavailable', detail: 'the list of servers was not checked yet' };

/** `isChecked`: the list needs no check any more. */
export function createCheckedStore(plain: SecretStore, isChecked: () => boolean): CheckedStore {
  let check = async (): Promise<ListCheckResult> => notYet;
  let uncheckedReaders = 0;
  return {
    store: {
      name: plain.name,
      label: plain.label,
      async get(account) {
        const read = await plain.get(account);
        if (uncheckedReaders > 0 || isChecked() || (read.kind !== 'found' && read.kind !== 'absent')) return read;
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
      uncheckedReaders += 1;
      try {
        return await work();
      } finally {
        uncheckedReaders -= 1;
      }
    },
    checkWith(wanted) {
      check = wanted;
    },
  };
}
