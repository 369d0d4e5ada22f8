import { createHash } from 'node:crypto';
import type { Log } from '../base/log.ts';
import { Secret } from '../base/secret.ts';
import type { Kept } from './index-file.ts';
import type { RecordRead, Records } from './records.ts';
import type { SecretStore, StoreFault, StoreWrite } from './secret-store.ts';

export interface IndexedRecordsDeps {
  readonly records: Records;
  readonly store: SecretStore;
  /** This shelf's part of the index: changed in place, put on disk by `save`. */
  readonly entries: Record<string, Kept>;
  /** Before every item's name. */
  readonly prefix: string;
  /** True: the store may hold what the entries do not name. */
  readonly lost: boolean;
  /** Why nothing may be changed; undefined: it may. */
  readonly refused: StoreFault | undefined;
  readonly save: () => Promise<void>;
  /** For changes after which a full disk costs only facts that the next change or read brings back. */
  readonly saveOrLog: () => Promise<void>;
  readonly log: Log;
}

/**
 * Records of one kind, together with the index of their items: nothing is in the store that the index does not name.
 */
export interface IndexedRecords {
  /** `journal`: generation whose successor may be whole already. */
  read(key: string, journal?: number): Promise<RecordRead>;
  /** True: only the store knows whether there is something under this key. */
  uncertain(key: string): boolean;
  /** The caller saves the index afterwards. */
  write(key: string, value: unknown): Promise<{ readonly kind: 'done'; readonly generation: number } | StoreFault>;
  /** Writes a small item beside the record, which proves that the store takes writes. */
  note(key: string, text: string): Promise<StoreWrite>;
  /** Head first, then every part of both generations. After a fault the entry stays marked for `sweep`. */
  remove(key: string): Promise<StoreWrite>;
  /** Ends removals that were cut off. */
  sweep(): Promise<void>;
}

export function createIndexedRecords({
  records,
  store,
  entries,
  prefix,
  lost,
  refused,
  save,
  saveOrLog,
  log,
}: IndexedRecordsDeps): IndexedRecords {
  const nameOf = (key: string): string => prefix + shortName(key);
  /** Keys that a lost index does not name and the store does not hold. */
  const searched = new Set<string>();
  const uncertain = (key: string): boolean => lost && !entries[key] && !searched.has(key);

  async function read(key: string, journal?: number): Promise<RecordRead> {
    const entry = entries[key];
    if (entry?.deleting || (!entry && !uncertain(key))) return { kind: 'absent' };
    const read = await records.read(
      nameOf(key),
      Math.max(entry?.generation ?? 0, journal === undefined ? 0 : journal + 1),
    );
    if (read.kind === 'absent' && !entry) searched.add(key);
    if (read.kind === 'damaged') log('vault_item_damaged', { name: nameOf(key) });
    if (read.kind !== 'found') return read;
    const { generation, value } = read.record;
    if (entry && generation < entry.generation)
      log('vault_item_rolled_back', { name: nameOf(key), generation, expected: entry.generation });
    const items = new Set([...(entry?.items ?? []), ...records.itemsOf(nameOf(key), generation, value)]);
    entries[key] = { generation: Math.max(generation, entry?.generation ?? 0), items: [...items], deleting: false };
    return read;
  }

  /** The entry as it must stand on disk before `items` come to exist. */
  async function announce(key: string, generation: number, items: readonly string[]): Promise<StoreFault | undefined> {
    const before = entries[key];
    if (before && !before.deleting && items.every((item) => before.items.includes(item))) return undefined;
    entries[key] = { generation, items: [...new Set([...(before?.items ?? []), ...items])], deleting: false };
    try {
      await save();
      return undefined;
    } catch (error) {
      if (before) entries[key] = before;
      else delete entries[key];
      return {
        kind: 'unavailable',
        detail: `the index file cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      };
    }
  }

  const shelf: IndexedRecords = {
    read,
    uncertain,

    async write(key, value) {
      if (refused) return refused;
      if (uncertain(key)) {
        const found = await read(key);
        if (found.kind === 'locked' || found.kind === 'denied' || found.kind === 'unavailable') return found;
      }
      const current = entries[key]?.generation ?? 0;
      const generation = current + 1;
      const items = records.itemsOf(nameOf(key), generation, value);
      const written = (await announce(key, current, items)) ?? (await records.write(nameOf(key), generation, value));
      if (written.kind !== 'done') return written;
      const entry = entries[key] ?? { generation, items, deleting: false };
      const surplus = entry.items.filter(
        (item) => records.sameGeneration(item, nameOf(key), generation) && !items.includes(item),
      );
      const gone = await deleteAll(store, surplus);
      entries[key] = { ...entry, generation, items: entry.items.filter((item) => !gone.includes(item)) };
      return { kind: 'done', generation };
    },

    async note(key, text) {
      if (refused) return refused;
      const item = `${nameOf(key)}/journal`;
      const fault = await announce(key, entries[key]?.generation ?? 0, [item]);
      return fault ?? store.set(item, new Secret(text));
    },

    async remove(key) {
      if (refused) return refused;
      if (!entries[key] && !uncertain(key)) return { kind: 'done' };
      const entry = { generation: 0, items: [], ...entries[key], deleting: true };
      entries[key] = entry;
      await saveOrLog();
      const there = await records.present(nameOf(key));
      if (there.kind !== 'items') return there;
      // Every program of the user can write the index: it names items of this record and no others.
      const own = entry.items.filter((item) => item.startsWith(`${nameOf(key)}/`));
      for (const item of new Set([...there.items, ...own])) {
        const deleted = await store.delete(item);
        if (deleted.kind !== 'done') return deleted;
      }
      delete entries[key];
      searched.add(key);
      await saveOrLog();
      return { kind: 'done' };
    },

    async sweep() {
      if (refused) return;
      for (const [key, entry] of Object.entries(entries)) if (entry.deleting) await shelf.remove(key);
    },
  };
  return shelf;
}

async function deleteAll(store: SecretStore, items: readonly string[]): Promise<string[]> {
  const gone: string[] = [];
  for (const item of items) if ((await store.delete(item)).kind === 'done') gone.push(item);
  return gone;
}

/** A key as part of an item's name: Windows takes 513 characters there, and keys may hold whole addresses. */
function shortName(key: string): string {
  return /^[\w:.-]{1,100}$/.test(key) ? key : createHash('sha256').update(key).digest('hex').slice(0, 32);
}
