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

/** Secrets beside the credentials, each in one item with what it is for. */
export interface BoundSecrets {
  /**
   * The secret, for `use`. What its item did not know of that is stored before the answer, so that the first use binds
   * it: of two that come at once one is 'elsewhere'. `old`: what an item of an older version, which says nothing, was
   * for.
   */
  readonly read: (key: string, use: Binding, old?: Binding) => Promise<BoundRead>;
  readonly write: (key: string, value: Secret, binding?: Binding) => Promise<StoreWrite>;
  readonly remove: (key: string) => Promise<StoreWrite>;
}

const Stored = z.object({ secret: z.string().min(1), for: Binding });
const damaged: StoreFault = { kind: 'unavailable', detail: 'the item of a client secret is damaged' };

export function createBoundSecrets(shelf: IndexedRecords, saveOrLog: () => Promise<void>): BoundSecrets {
  const turns = new Map<string, Semaphore>();
  function turn<Value>(key: string, task: () => Promise<Value>): Promise<Value> {
    const slots = turns.get(key) ?? createSemaphore(1);
    turns.set(key, slots);
    return slots.run(task);
  }

  async function store(key: string, value: Secret, binding: Binding): Promise<StoreWrite> {
    const written = await shelf.write(key, { secret: value.reveal(), for: binding });
    if (written.kind !== 'done') return written;
    await saveOrLog();
    return { kind: 'done' };
  }

  return {
    read: (key, use, old = {}) =>
      turn(key, async () => {
        const read = await shelf.read(key);
        if (read.kind === 'damaged') return damaged;
        if (read.kind !== 'found') return read;
        const item = itemOf(read.record.value, old);
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
    write: (key, value, binding = {}) => turn(key, () => store(key, value, binding)),
    remove: (key) => turn(key, () => shelf.remove(key)),
  };
}

/** Older versions stored the secret alone, as text. */
function itemOf(stored: unknown, old: Binding): { value: Secret; binding: Binding; isOld: boolean } | undefined {
  if (typeof stored === 'string')
    return stored === '' ? undefined : { value: new Secret(stored), binding: old, isOld: true };
  const { data } = Stored.safeParse(stored);
  return data && { value: new Secret(data.secret), binding: data.for, isOld: false };
}
