import type { Log } from '../base/log.ts';
import type { ListMacs } from '../vault/list-macs.ts';
import type { StoreFault } from '../vault/secret-store.ts';
import { idOf } from './entry.ts';
import {
  acceptItem,
  adoptItems,
  distrustItems,
  itemsOf,
  rawOf,
  savedItem,
  setAsideIn,
  usedServer,
  verifyItems,
  type Item,
  type SetAside,
} from './items.ts';
import { backupEntries, findSetAside, replaceServers } from './list-changes.ts';
import type { StoredServer } from './server.ts';
import { contentOf, saveServersFile, type LoadedServers } from './servers-file.ts';

export interface ServerListDeps {
  readonly dataDir: string;
  readonly log: Log;
  readonly loaded: LoadedServers;
  /** Undefined if no key can be kept beyond the end of the process. Entries are then neither signed nor verified. */
  readonly macs: ListMacs | undefined;
}

/** 'done' once all entries are verified; a fault of the store if they cannot be yet. */
type ListCheck = { readonly kind: 'done' } | StoreFault;

/**
 * The list in memory and on disk. Each entry carries a MAC under a key from the secret store (covered.ts says what it
 * covers). An entry that is not valid, or that another program changed, is not used, and is kept in the file unchanged.
 */
export interface ServerList {
  /** The servers in use. */
  readonly used: readonly StoredServer[];
  readonly setAside: readonly SetAside[];
  /** True until the entries are verified, for which the key has to be read. */
  readonly unchecked: boolean;
  /** Reads the key and verifies the entries. If there is no key yet, calls `beforeFirst`, then signs all entries. */
  check(beforeFirst: () => Promise<void>): Promise<ListCheck>;
  /** Replaces the servers in use, on disk first and then in memory. Throws E_CONFIG_WRITE, E_CONFIG_NEWER. */
  replace(servers: readonly StoredServer[]): Promise<void>;
  /** Starts using an entry that another program changed, and returns its server. */
  accept(key: string): Promise<StoredServer>;
  /** Removes an entry that is not in use from the file. */
  drop(key: string): Promise<void>;
}

export function createServerList({ dataDir, log, loaded, macs }: ServerListDeps): ServerList {
  let items: readonly Item[] = [];
  let used: readonly StoredServer[] = [];
  let setAside: readonly SetAside[] = [];
  function setItems(next: readonly Item[]): void {
    items = next;
    used = next.flatMap((item) => usedServer(item) ?? []);
    setAside = setAsideIn(next).map(({ aside }) => aside);
  }
  setItems(itemsOf(loaded.entries));
  let backup: readonly unknown[] = loaded.backup;
  let keyReady = false;
  const availableMacs = () => (keyReady ? macs : undefined);

  async function save(next: readonly Item[], removed: readonly (string | undefined)[] = []): Promise<void> {
    if (loaded.readOnly && loaded.notice) throw loaded.notice;
    const raws = next.map((item) => rawOf(item, availableMacs()));
    const nextBackup = backupEntries(
      next,
      raws,
      backup.filter((raw) => !removed.includes(idOf(raw))),
    );
    const content = contentOf({ ...loaded, entries: raws });
    await saveServersFile(dataDir, content, contentOf({ ...loaded, entries: nextBackup }), log);
    setItems(next.map((item, at) => savedItem(item, raws[at])));
    backup = nextBackup;
  }

  async function signAll(next: readonly Item[]): Promise<void> {
    if (!loaded.readOnly && next.some((item) => rawOf(item, availableMacs()) !== item.entry.raw)) await save(next);
    else setItems(next);
  }

  async function createKey(newMacs: ListMacs, beforeFirst: () => Promise<void>): Promise<ListCheck> {
    await beforeFirst();
    newMacs.generate();
    keyReady = true;
    try {
      // The signed list is written before the key is stored: after a crash in between, this repeats.
      await signAll(adoptItems(items));
      const stored = await newMacs.store();
      keyReady = stored.kind === 'done';
      return stored;
    } catch (error) {
      keyReady = false;
      throw error;
    }
  }

  return {
    get used() {
      return used;
    },
    get setAside() {
      return setAside;
    },
    get unchecked() {
      return macs !== undefined && !keyReady && items.length > 0;
    },

    async check(beforeFirst) {
      if (!macs || keyReady) return { kind: 'done' };
      const read = await macs.read();
      if (read.kind === 'absent' && !loaded.readOnly) return createKey(macs, beforeFirst);
      if (read.kind === 'locked' || read.kind === 'denied' || read.kind === 'unavailable') return read;
      if (read.kind === 'lost') {
        setItems(distrustItems(items));
        macs.generate();
        const stored = await macs.store();
        if (stored.kind !== 'done') return stored;
      }
      keyReady = true;
      // A file of a newer version is verified too (though never signed), so claiming one is no way around the check.
      if (read.kind === 'ready') setItems(verifyItems(items, macs));
      for (const { name, why } of setAside) log('server_set_aside', { server: name, why });
      // Signs entries that were added while the key could not be read.
      await signAll(items);
      return { kind: 'done' };
    },

    async replace(servers) {
      const { items: next, removed } = replaceServers(items, servers);
      await save(next, removed);
    },

    async accept(key) {
      const { item, at, error } = findSetAside(items, key);
      const next = acceptItem(item);
      if (!next.server) throw error;
      await save(items.with(at, next));
      return next.server;
    },

    async drop(key) {
      const { item, at } = findSetAside(items, key);
      await save(items.toSpliced(at, 1), [idOf(item.entry.raw)]);
    },
  };
}
