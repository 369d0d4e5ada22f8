import { AppError, sanitizeExternalText } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { ListMacs } from '../vault/list-macs.ts';
import { idOf } from './entry.ts';
import {
  accepted,
  adoptedItems,
  checkedItems,
  distrustedItems,
  itemsOf,
  newItem,
  saved,
  setAsideIn,
  usedServer,
  written,
  type Item,
  type SetAside,
} from './items.ts';
import type { StoredServer } from './server.ts';
import { contentOf, saveServersFile, type LoadedServers } from './servers-file.ts';
import type { StoreFault } from '../vault/secret-store.ts';

export interface ServerListDeps {
  readonly dataDir: string;
  readonly log: Log;
  readonly loaded: LoadedServers;
  /** Absent: there is no place for a key that outlives the program, and nothing is said of who wrote what. */
  readonly macs: ListMacs | undefined;
}

/** Whether it is known of every entry who wrote it; a fault of the store: not yet. */
type ListCheck = { readonly kind: 'done' } | StoreFault;

/**
 * The list in memory and on disk. An entry that cannot be understood, or that somebody else changed, is not in use, and
 * is kept in the file as it is.
 */
export interface ServerList {
  /** Those in use. */
  readonly used: readonly StoredServer[];
  readonly setAside: readonly SetAside[];
  /** True: the key was not read yet, so that nobody knows who wrote the entries. */
  readonly unchecked: boolean;
  /** Reads the key and looks. Where there is none yet, one is made, after `beforeFirst`, and every entry is signed. */
  check(beforeFirst: () => Promise<void>): Promise<ListCheck>;
  /** Puts these in the place of those in use, in memory once it is on disk. Throws E_CONFIG_WRITE, E_CONFIG_NEWER. */
  replace(wanted: readonly StoredServer[]): Promise<void>;
  /** Uses an entry that somebody else changed; gives the server. */
  accept(key: string): Promise<StoredServer>;
  /** Takes an entry that is not in use out of the file. */
  drop(key: string): Promise<void>;
}

export function createServerList({ dataDir, log, loaded, macs }: ServerListDeps): ServerList {
  let items: readonly Item[] = [];
  let used: readonly StoredServer[] = [];
  let setAside: readonly SetAside[] = [];
  function become(next: readonly Item[]): void {
    items = next;
    used = next.flatMap((item) => usedServer(item) ?? []);
    setAside = setAsideIn(next).map(({ aside: one }) => one);
  }
  become(itemsOf(loaded.entries));
  /** The copy's own entries: a server that the list lost without a word is kept there until a person removes it. */
  let copied: readonly unknown[] = loaded.backup;
  let ready = false;
  const key = () => (ready ? macs : undefined);

  async function save(next: readonly Item[], removed: readonly (string | undefined)[] = []): Promise<void> {
    if (loaded.readOnly && loaded.notice) throw loaded.notice;
    const raws = next.map((item) => written(item, key()));
    const left = copied.filter((raw) => !removed.includes(idOf(raw)));
    const before = new Map(left.map((raw) => [idOf(raw), raw]));
    const own = new Set(raws.map(idOf));
    // Of an entry that is not in use the copy keeps what it had before.
    const copy = [
      ...raws.map((raw, at) => (next[at] && usedServer(next[at]) ? raw : (before.get(idOf(raw)) ?? raw))),
      ...left.filter((raw) => !own.has(idOf(raw))),
    ];
    await saveServersFile(
      dataDir,
      contentOf({ ...loaded, entries: raws }),
      contentOf({ ...loaded, entries: copy }),
      log,
    );
    become(next.map((item, at) => saved(item, raws[at])));
    copied = copy;
  }

  async function signAll(next: readonly Item[]): Promise<void> {
    if (!loaded.readOnly && next.some((item) => written(item, key()) !== item.entry.raw)) await save(next);
    else become(next);
  }

  async function first(found: ListMacs, beforeFirst: () => Promise<void>): Promise<ListCheck> {
    await beforeFirst();
    found.make();
    ready = true;
    try {
      // On disk before the key counts: a crash in between leaves a folder without a key, and this begins anew.
      await signAll(adoptedItems(items));
      const kept = await found.keep();
      ready = kept.kind === 'done';
      return kept;
    } catch (error) {
      ready = false;
      throw error;
    }
  }

  function aside(wanted: string): { item: Item; at: number; error: AppError } {
    const found = setAsideIn(items).find(({ aside: { key: one, name } }) => one === wanted || name === wanted);
    const item = found && items[found.at];
    if (!item) throw new AppError('E_SERVER_UNKNOWN', `No entry named "${sanitizeExternalText(wanted)}" is set aside.`);
    return { item, at: found.at, error: found.aside.error };
  }

  return {
    get used() {
      return used;
    },
    get setAside() {
      return setAside;
    },
    get unchecked() {
      return macs !== undefined && !ready && items.length > 0;
    },

    async check(beforeFirst) {
      if (!macs || ready) return { kind: 'done' };
      const read = await macs.read();
      if (read.kind === 'absent' && !loaded.readOnly) return first(macs, beforeFirst);
      if (read.kind === 'locked' || read.kind === 'denied' || read.kind === 'unavailable') return read;
      if (read.kind === 'lost') {
        become(distrustedItems(items));
        macs.make();
        const kept = await macs.keep();
        if (kept.kind !== 'done') return kept;
      }
      ready = true;
      // Nothing in a file of a newer version can be signed by us, but a file that only says so is no way around the
      // check.
      if (read.kind === 'ready') become(checkedItems(items, macs));
      for (const { name, why } of setAside) log('server_set_aside', { server: name, why });
      // What was added while the key could not be read.
      await signAll(items);
      return { kind: 'done' };
    },

    async replace(wanted) {
      const next = new Map(wanted.map((server) => [server.id, server]));
      const removed: string[] = [];
      const kept = items.flatMap((item) => {
        const before = usedServer(item);
        if (!before) return [item];
        const server = next.get(before.id);
        next.delete(before.id);
        if (!server) removed.push(before.id);
        return server ? [{ ...item, server }] : [];
      });
      await save([...kept, ...[...next.values()].map(newItem)], removed);
    },

    async accept(wanted) {
      const { item, at, error } = aside(wanted);
      const next = accepted(item);
      if (!next.server) throw error;
      await save(items.with(at, next));
      return next.server;
    },

    async drop(wanted) {
      const { item, at } = aside(wanted);
      await save(items.toSpliced(at, 1), [idOf(item.entry.raw)]);
    },
  };
}
