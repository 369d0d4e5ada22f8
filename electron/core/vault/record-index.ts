import type { IndexEntry } from './index-file.ts';
import type { StoreFault } from './secret-store.ts';

export interface RecordIndexDeps {
  /** The entries of this kind of record in the index. Changed in place. */
  readonly entries: Record<string, IndexEntry>;
  /** Writes the index to disk. */
  readonly save: () => Promise<void>;
  /** Like `save`, for changes that are recovered later if the disk is full. */
  readonly saveOrLog: () => Promise<void>;
}

/** The index entries of one kind of record: which items each record may have in the store. */
export interface RecordIndex {
  get(key: string): IndexEntry | undefined;
  set(key: string, entry: IndexEntry): void;
  /** Puts `items` into the index on disk before they are stored, so that none exists without being listed. */
  reserve(key: string, generation: number, items: readonly string[]): Promise<StoreFault | undefined>;
  /** Marks a record as deleted, and returns the items that it may have. */
  markDeleting(key: string): Promise<readonly string[]>;
  remove(key: string): Promise<void>;
  /**
   * Keys of the records whose deletion has not finished, each checked when it is its turn: a record may be stored again
   * while the deletions before it are completed.
   */
  deleting(): Iterable<string>;
}

export function createRecordIndex({ entries, save, saveOrLog }: RecordIndexDeps): RecordIndex {
  return {
    get: (key) => entries[key],
    set(key, entry) {
      entries[key] = entry;
    },
    async reserve(key, generation, items) {
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
    },
    async markDeleting(key) {
      const entry = { generation: 0, items: [], ...entries[key], deleting: true };
      entries[key] = entry;
      await saveOrLog();
      return entry.items;
    },
    async remove(key) {
      delete entries[key];
      await saveOrLog();
    },
    *deleting() {
      for (const key of Object.keys(entries)) if (entries[key]?.deleting) yield key;
    },
  };
}
