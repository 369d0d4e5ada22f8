import { z } from 'zod';
import { createSemaphore, type Semaphore } from '../base/semaphore.ts';
import { Secret } from '../base/secret.ts';
import { Binding, compareBinding, type BoundElsewhere } from './binding.ts';
import type { IndexedRecords } from './indexed-records.ts';
import type { StoreFault, StoreWrite } from './secret-store.ts';

export type BoundRead =
  | { readonly kind: 'found'; readonly value: Secret }
  | { readonly kind: 'absent' }
  | BoundElsewhere
  | StoreFault;

/** Secrets that are not part of a credential, each stored with its binding. */
export interface BoundSecrets {
  /**
   * Reads a secret for one use. If the use adds to its binding, the new binding is stored before the secret is
   * returned: the first use binds it, and of two concurrent first uses one gets 'elsewhere'. `old`: the binding to
   * assume for an item of an older version, which has none.
   */
  readonly read: (key: string, use: Binding, old?: Binding) => Promise<BoundRead>;
  readonly write: (key: string, value: Secret, binding?: Binding) => Promise<StoreWrite>;
  readonly remove: (key: string) => Promise<StoreWrite>;
}

const Stored = z.object({ secret: z.string().min(1), for: Binding });
const damaged: StoreFault = { kind: 'unavailable', detail: 'the item of a client secret is damaged' };

export function createBoundSecrets(records: IndexedRecords, saveOrLog: () => Promise<void>): BoundSecrets {
  const locks = new Map<string, Semaphore>();
  function exclusively<Value>(key: string, task: () => Promise<Value>): Promise<Value> {
    const lock = locks.get(key) ?? createSemaphore(1);
    locks.set(key, lock);
    return lock.run(task);
  }

  async function store(key: string, value: Secret, binding: Binding): Promise<StoreWrite> {
    const written = await records.write(key, { secret: value.reveal(), for: binding });
    if (written.kind !== 'done') return written;
    await saveOrLog();
    return { kind: 'done' };
  }

  return {
    read: (key, use, old = {}) =>
      exclusively(key, async () => {
        const read = await records.read(key);
        if (read.kind === 'damaged') return damaged;
        if (read.kind !== 'found') return read;
        const item = parseItem(read.record.value, old);
        if (!item) return damaged;
        const { value, binding, isOld } = item;
        const compared = compareBinding(binding, use);
        if (compared.kind === 'elsewhere') return compared;
        if (compared.kind === 'more' || isOld) {
          const stored = await store(key, value, compared.kind === 'more' ? compared.binding : binding);
          if (stored.kind !== 'done') return stored;
        }
        return { kind: 'found', value };
      }),
    write: (key, value, binding = {}) => exclusively(key, () => store(key, value, binding)),
    remove: (key) => exclusively(key, () => records.remove(key)),
  };
}

/** Older versions stored only the secret, as text. */
function parseItem(stored: unknown, old: Binding): { value: Secret; binding: Binding; isOld: boolean } | undefined {
  if (typeof stored === 'string')
    return stored === '' ? undefined : { value: new Secret(stored), binding: old, isOld: true };
  const { data } = Stored.safeParse(stored);
  return data && { value: new Secret(data.secret), binding: data.for, isOld: false };
}
