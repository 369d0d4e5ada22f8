import type { Clock } from '../base/clock.ts';
import type { IndexStore } from './index-file.ts';
import type { IndexedRecords } from './indexed-records.ts';
import type { StoreFault, StoreWrite } from './secret-store.ts';

export interface JournalDeps {
  readonly index: IndexStore['index'];
  readonly credentials: IndexedRecords;
  readonly clock: Clock;
  /** Why nothing may be changed, or undefined if it may. */
  readonly refused: StoreFault | undefined;
  readonly saveOrLog: () => Promise<void>;
}

/** The journal of refreshes whose outcome is not stored yet (docs/refresh.md), in the index and in the store. */
export interface Journal {
  /** Returns the generation that an unfinished refresh started from, or undefined. */
  readonly generationOf: (id: string) => number | undefined;
  /** See `Vault.openJournal`. */
  readonly open: (id: string, generation: number) => Promise<StoreWrite>;
  readonly close: (id: string) => Promise<void>;
  /** Removes the entry from the index in memory, and returns whether there was one. */
  readonly drop: (id: string) => boolean;
}

export function createJournal({ index, credentials, clock, refused, saveOrLog }: JournalDeps): Journal {
  const generationOf = (id: string) => index.journal.find((entry) => entry.id === id)?.generation;

  function drop(id: string): boolean {
    const before = index.journal.length;
    index.journal = index.journal.filter((entry) => entry.id !== id);
    return index.journal.length < before;
  }

  return {
    generationOf,
    drop,
    async open(id, generation) {
      if (refused) return refused;
      const at = clock.now();
      if (generationOf(id) !== generation) {
        drop(id);
        index.journal.push({ id, generation, at });
        await saveOrLog();
      }
      return credentials.note(id, JSON.stringify({ generation, at }));
    },
    async close(id) {
      if (refused) return;
      if (drop(id)) await saveOrLog();
    },
  };
}
