import { AppError } from '../base/errors.ts';
import type { ListMacs } from '../vault/list-macs.ts';
import { coveredText } from './covered.ts';
import { asTwin, carryOver, labelOf, readAlone, readEntries, tellsApart, type Entry } from './entry.ts';
import type { StoredServer } from './server.ts';

/** One entry of the list in memory, with what is known of who wrote it. */
export interface Item {
  /** As it stands in the file; while nobody knows who wrote it, as it was read. */
  readonly entry: Entry;
  /** As it is now. Undefined: it cannot be understood. */
  readonly server: StoredServer | undefined;
  /** `ours`: written by Keybridge, or accepted by a person. `changed`: by somebody else; it is not used. */
  readonly writer: 'unchecked' | 'ours' | 'changed';
}

/** An entry that is not used. It is shown with its reason, and kept in the file as it is. */
export interface SetAside {
  /** What a command takes it by: the server's id, else its place in the list. */
  readonly key: string;
  readonly name: string;
  readonly url?: string;
  /** `changed`: a person can accept it. */
  readonly why: 'changed' | 'bad';
  readonly error: AppError;
}

export const itemsOf = (raws: readonly unknown[]): Item[] =>
  readEntries(raws).map((entry) => ({ entry, server: entry.server, writer: 'unchecked' }));

export const newItem = (server: StoredServer): Item => ({
  entry: { raw: undefined, server: undefined, wrong: undefined },
  server,
  writer: 'ours',
});

/** The server of an item that is in use. */
export const usedServer = ({ server, writer }: Item): StoredServer | undefined =>
  writer === 'changed' ? undefined : server;

/** With the key at hand: who wrote each entry. Judged is what was read, not what became of it since. */
export function checkedItems(items: readonly Item[], macs: ListMacs): Item[] {
  const isOurs = (server: StoredServer, { raw }: Entry): boolean => macs.isRight(coveredText(server), macIn(raw));
  const judged = items.map((item): Item =>
    item.writer === 'unchecked' && item.entry.server
      ? { ...item, writer: isOurs(item.entry.server, item.entry) ? 'ours' : 'changed' }
      : item,
  );
  return judged.reduce((all, item, at) => {
    const server = item.server ? undefined : readAlone(item.entry);
    return server && isOurs(server, item.entry) ? withoutFalseTwins(all, at, server) : all;
  }, judged);
}

/**
 * An entry of ours had to give way to one before it with its name or id. Where that one is not ours, it is the other
 * way round.
 */
function withoutFalseTwins(items: Item[], at: number, server: StoredServer): Item[] {
  const isTwin = (other: Item): boolean => other.server !== undefined && !tellsApart(other.server, server);
  if (items.some((other) => isTwin(other) && usedServer(other))) return items;
  return items.map((other, index): Item => {
    if (index === at) return { entry: { ...other.entry, server, wrong: undefined }, server, writer: 'ours' };
    return isTwin(other) ? { entry: asTwin(other.entry, server), server: undefined, writer: 'unchecked' } : other;
  });
}

/** For a list that was not signed with the key of this data folder: somebody put it there, or the key is gone. */
export const distrustedItems = (items: readonly Item[]): Item[] =>
  items.map((item) => (item.writer === 'unchecked' && item.server ? { ...item, writer: 'changed' } : item));

/** For a data folder that had no key yet: nobody can say more of an entry than that it is there. */
export const adoptedItems = (items: readonly Item[]): Item[] =>
  items.map((item) =>
    item.writer === 'unchecked' && item.server
      ? { ...item, entry: { ...item.entry, raw: withMac(item.entry.raw, undefined) }, writer: 'ours' }
      : item,
  );

/** The entry as it is to stand in the file. `macs` undefined: the key is not at hand. */
export function written(item: Item, macs: ListMacs | undefined): unknown {
  const { entry, server, writer } = item;
  if (!server || writer === 'changed') return entry.raw;
  const known = macIn(entry.raw);
  if (server === entry.server && (writer === 'unchecked' || known !== undefined)) return entry.raw;
  const raw = server === entry.server ? entry.raw : carryOver(entry.raw, entry.server, server);
  return withMac(raw, writer === 'unchecked' ? known : macs?.of(coveredText(server)));
}

/** After `raw` is on disk. */
export const saved = (item: Item, raw: unknown): Item =>
  item.writer === 'ours' && item.server ? { ...item, entry: { raw, server: item.server, wrong: undefined } } : item;

/**
 * A person says that the change is right. What they do not see of it is found out again: to which hosts a sign-in
 * leads, and in which network the server lies.
 */
export function accepted({ entry, server }: Item): Item {
  const raw = withMac(entry.raw, undefined);
  return {
    entry: { ...entry, raw },
    server: server && {
      ...server,
      confirmedHosts: [],
      networks: server.networks.filter(({ own }) => own === 'public'),
    },
    writer: 'ours',
  };
}

/** `at`: in the list. */
export function setAsideIn(items: readonly Item[]): { readonly at: number; readonly aside: SetAside }[] {
  const ids = new Set(items.flatMap((item) => usedServer(item)?.id ?? []));
  return items.flatMap((item, at) => {
    if (usedServer(item)) return [];
    const { name, url, key } = labelOf(item.entry.raw, at, (id) => ids.has(id));
    const label = { key, name, ...(url === undefined ? {} : { url }) };
    return [
      {
        at,
        aside: item.server
          ? { ...label, why: 'changed', error: changedByOthers(name) }
          : { ...label, why: 'bad', error: notUnderstood(name, item.entry.wrong) },
      },
    ];
  });
}

function changedByOthers(server: string): AppError {
  return new AppError(
    'E_CONFIG_CHANGED',
    `${server} is not used: its entry in servers.json was added or changed by a program other than Keybridge. Nothing was sent to it.`,
    { server, sent: false },
  );
}

function notUnderstood(server: string, wrong: string | undefined): AppError {
  return new AppError(
    'E_CONFIG_ENTRY',
    `${server} is not used: its entry in servers.json cannot be understood (${wrong ?? 'it is not a server'}).`,
    { server, sent: false },
  );
}

const macIn = (raw: unknown): unknown =>
  typeof raw === 'object' && raw !== null && 'mac' in raw ? raw.mac : undefined;

function withMac(raw: unknown, mac: unknown): unknown {
  const { mac: _old, ...rest } = { ...(raw as { readonly mac?: unknown }) };
  return mac === undefined ? rest : { ...rest, mac };
}
