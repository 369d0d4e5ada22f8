import type { SecretStore, StoreFault } from './secret-store.ts';

/** 'done' once the list of servers is verified; a fault of the store if it cannot be yet. */
export type ListCheckResult = { readonly kind: 'done' } | StoreFault;

/** The secret store for the rest of the core. Returns no secret before the list of servers is verified. */
export interface CheckedStore {
  readonly store: SecretStore;
  /** Runs `work`, which is part of the check, with unchecked access to the store. */
  unchecked<Value>(work: () => Promise<Value>): Promise<Value>;
  /**
   * Sets the check. It reads the store through `unchecked`; if it returns a fault, reads return that fault. Until a
   * check is set, reads are refused.
   */
  checkWith(check: () => Promise<ListCheckResult>): void;
}

const notChecked: StoreFault = { kind: 'unavailable', detail: 'the list of servers has not been checked yet' };

/** `isChecked`: whether the list has been verified, so that no check is needed. */
export function createCheckedStore(plain: SecretStore, isChecked: () => boolean): CheckedStore {
  let check = async (): Promise<ListCheckResult> => notChecked;
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
    checkWith(newCheck) {
      check = newCheck;
    },
  };
}
