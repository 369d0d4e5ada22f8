import { createHash } from 'node:crypto';
import type { Log } from '../base/log.ts';
import { Secret } from '../base/secret.ts';
import { createRecordIndex, type RecordIndexDeps } from './record-index.ts';
import type { RecordRead, Records } from './records.ts';
import type { SecretStore, StoreFault, StoreWrite } from './secret-store.ts';

export interface IndexedRecordsDeps extends RecordIndexDeps {
  readonly records: Records;
  readonly store: SecretStore;
  /** Prefix of all item names. */
  readonly prefix: string;
  /** True: the index was lost, so the store may have items that the entries do not list. */
  readonly lost: boolean;
  /** Why nothing may be changed, or undefined if it may. */
  readonly refused: StoreFault | undefined;
  readonly log: Log;
}

/** Records of one kind, with an index of their items: the store never has an item that the index does not list. */
export interface IndexedRecords {
  /** `journal`: the generation of an open journal, whose successor may already be complete in the store. */
  read(key: string, journal?: number): Promise<RecordRead>;
  /** True if only the store knows whether there is a record with this key. */
  uncertain(key: string): boolean;
  /** The caller saves the index afterwards. */
  write(key: string, value: unknown): Promise<{ readonly kind: 'done'; readonly generation: number } | StoreFault>;
  /** Writes a small item next to the record, which proves that the store accepts writes. */
  note(key: string, text: string): Promise<StoreWrite>;
  /** Deletes the head, then all parts of both generations. After a fault the record stays marked for `sweep`. */
  remove(key: string): Promise<StoreWrite>;
  /** Completes removals that were interrupted. */
  sweep(): Promise<void>;
}

export function createIndexedRecords(deps: IndexedRecordsDeps): IndexedRecords {
  const { records, store, prefix, lost, refused, log } = deps;
  const index = createRecordIndex(deps);
  const nameOf = (key: string): string => prefix + shortName(key);
  /** Keys that are neither in a lost index nor in the store. */
  const knownAbsent = new Set<string>();
  const uncertain = (key: string): boolean => lost && !index.get(key) && !knownAbsent.has(key);

  async function read(key: string, journal?: number): Promise<RecordRead> {
    const entry = index.get(key);
    if (entry?.deleting || (!entry && !uncertain(key))) return { kind: 'absent' };
    const name = nameOf(key);
    const atLeast = Math.max(entry?.generation ?? 0, journal === undefined ? 0 : journal + 1);
    const read = await records.read(name, atLeast);
    if (read.kind === 'absent' && !entry) knownAbsent.add(key);
    if (read.kind === 'damaged') log('vault_item_damaged', { name });
    if (read.kind !== 'found') return read;
    const { generation, value } = read.record;
    if (entry && generation < entry.generation)
      log('vault_item_rolled_back', { name, generation, expected: entry.generation });
    const items = new Set([...(entry?.items ?? []), ...records.itemsOf(name, generation, value)]);
    index.set(key, { generation: Math.max(generation, entry?.generation ?? 0), items: [...items], deleting: false });
    return read;
  }

  async function remove(key: string): Promise<StoreWrite> {
    if (refused) return refused;
    if (!index.get(key) && !uncertain(key)) return { kind: 'done' };
    const listed = await index.markDeleting(key);
    const present = await records.present(nameOf(key));
    if (present.kind !== 'items') return present;
    // Any program of the user can write the index, so only items of this record are deleted.
    const own = listed.filter((item) => item.startsWith(`${nameOf(key)}/`));
    for (const item of new Set([...present.items, ...own])) {
      const deleted = await store.delete(item);
      if (deleted.kind !== 'done') return deleted;
    }
    knownAbsent.add(key);
    await index.remove(key);
    return { kind: 'done' };
  }

  return {
    read,
    uncertain,
    remove,

    async write(key, value) {
      if (refused) return refused;
      if (uncertain(key)) {
        const existing = await read(key);
        if (isFault(existing)) return existing;
      }
      const name = nameOf(key);
      const current = index.get(key)?.generation ?? 0;
      const generation = current + 1;
      const items = records.itemsOf(name, generation, value);
      const written = (await index.reserve(key, current, items)) ?? (await records.write(name, generation, value));
      if (written.kind !== 'done') return written;
      const entry = index.get(key) ?? { generation, items, deleting: false };
      const isSurplus = (item: string) => records.sameGeneration(item, name, generation) && !items.includes(item);
      const deleted = await deleteAll(store, entry.items.filter(isSurplus));
      index.set(key, { ...entry, generation, items: entry.items.filter((item) => !deleted.includes(item)) });
      return { kind: 'done', generation };
    },

    async note(key, text) {
      if (refused) return refused;
      const item = `${nameOf(key)}/journal`;
      const fault = await index.reserve(key, index.get(key)?.generation ?? 0, [item]);
      return fault ?? store.set(item, new Secret(text));
    },

    async sweep() {
      if (refused) return;
      for (const key of index.deleting()) await remove(key);
    },
  };
}

const isFault = (read: RecordRead): read is StoreFault =>
  read.kind === 'locked' || read.kind === 'denied' || read.kind === 'unavailable';

/** Returns the items that were deleted. */
async function deleteAll(store: SecretStore, items: readonly string[]): Promise<string[]> {
  const deleted: string[] = [];
  for (const item of items) if ((await store.delete(item)).kind === 'done') deleted.push(item);
  return deleted;
}

/** Shortens a key for use in an item name: Windows allows 513 characters, and keys may contain whole URLs. */
function shortName(key: string): string {
  return /^[\w:.-]{1,100}$/.test(key) ? key : createHash('sha256').update(key).digest('hex').slice(0, 32);
}
