import { defined } from '../../../shared/defined.ts';
import { AppError } from '../base/errors.ts';
import type { ListMacs } from '../vault/list-macs.ts';
import { coveredText } from './covered.ts';
import { areDistinct, carryOver, duplicateEntry, labelOf, parseEntry, readEntries, type Entry } from './entry.ts';
import type { StoredServer } from './server.ts';

/** One entry of the list in memory, with what is known about who wrote it. */
export interface Item {
  /** The entry as it is in the file; while `unchecked`, as it was read. */
  readonly entry: Entry;
  /** The server with all changes since; undefined if the entry is not valid. */
  readonly server: StoredServer | undefined;
  /**
   * `trusted`: written by Keybridge, or accepted by a user. `changed`: written by another program; it is not used.
   * `unchecked`: not verified yet.
   */
  readonly writer: 'unchecked' | 'trusted' | 'changed';
}

/** An entry that is not used. It is shown with the reason, and kept in the file unchanged. */
export interface SetAside {
  /** Identifies the entry in commands: the server's id, or else its position in the list. */
  readonly key: string;
  readonly name: string;
  readonly url?: string;
  /** `changed`: a user can accept it. */
  readonly why: 'changed' | 'bad';
  readonly error: AppError;
}

export const itemsOf = (raws: readonly unknown[]): Item[] =>
  readEntries(raws).map((entry) => ({ entry, server: entry.server, writer: 'unchecked' }));

export const newItem = (server: StoredServer): Item => ({
  entry: { raw: undefined, server: undefined, problem: undefined },
  server,
  writer: 'trusted',
});

/** Returns the server of an item that is in use, or undefined. */
export const usedServer = ({ server, writer }: Item): StoredServer | undefined =>
  writer === 'changed' ? undefined : server;

/** Verifies the MACs of all unchecked entries, as they were read; later changes in memory are Keybridge's own. */
export function verifyItems(items: readonly Item[], macs: ListMacs): Item[] {
  const isTrusted = (server: StoredServer, { raw }: Entry): boolean => macs.verify(coveredText(server), macIn(raw));
  const verified = items.map((item): Item =>
    item.writer === 'unchecked' && item.entry.server
      ? { ...item, writer: isTrusted(item.entry.server, item.entry) ? 'trusted' : 'changed' }
      : item,
  );
  return verified.reduce((all, item, at) => {
    const server = item.server ? undefined : parseEntry(item.entry);
    return server && isTrusted(server, item.entry) ? restoreDuplicate(all, at, server) : all;
  }, verified);
}

/**
 * Restores a trusted entry that was rejected as a duplicate, because an earlier entry has the same name or id. If none
 * of the duplicates is trusted, they are rejected instead: another program cannot displace a server by inserting an
 * entry before it.
 */
function restoreDuplicate(items: Item[], at: number, server: StoredServer): Item[] {
  const isDuplicate = (other: Item): boolean => other.server !== undefined && !areDistinct(other.server, server);
  if (items.some((other) => isDuplicate(other) && usedServer(other))) return items;
  return items.map((other, index): Item => {
    if (index === at) return { entry: { ...other.entry, server, problem: undefined }, server, writer: 'trusted' };
    return isDuplicate(other)
      ? { entry: duplicateEntry(other.entry, server), server: undefined, writer: 'unchecked' }
      : other;
  });
}

/**
 * For a list that was not signed with the key of this data folder: another program put it there, or the key is lost.
 */
export const distrustItems = (items: readonly Item[]): Item[] =>
  items.map((item) => (item.writer === 'unchecked' && item.server ? { ...item, writer: 'changed' } : item));

/** For a data folder that has no key yet: nothing can be verified, so all valid entries are trusted. */
export const adoptItems = (items: readonly Item[]): Item[] =>
  items.map((item) =>
    item.writer === 'unchecked' && item.server
      ? { ...item, entry: { ...item.entry, raw: withMac(item.entry.raw, undefined) }, writer: 'trusted' }
      : item,
  );

/** Returns the entry to write to the file. `macs` is undefined if the key is not available. */
export function rawOf(item: Item, macs: ListMacs | undefined): unknown {
  const { entry, server, writer } = item;
  if (!server || writer === 'changed') return entry.raw;
  const known = macIn(entry.raw);
  if (server === entry.server && (writer === 'unchecked' || known !== undefined)) return entry.raw;
  const raw = server === entry.server ? entry.raw : carryOver(entry.raw, entry.server, server);
  return withMac(raw, writer === 'unchecked' ? known : macs?.compute(coveredText(server)));
}

/** Returns the item after `raw` was written to disk. */
export const savedItem = (item: Item, raw: unknown): Item =>
  item.writer === 'trusted' && item.server
    ? { ...item, entry: { raw, server: item.server, problem: undefined } }
    : item;

/**
 * Returns the item after a user accepted it. What a user cannot see of a changed entry is reset and determined
 * again: the hosts that sign-ins may use, and the network of the server.
 */
export function acceptItem({ entry, server }: Item): Item {
  const raw = withMac(entry.raw, undefined);
  return {
    entry: { ...entry, raw },
    server: server && {
      ...server,
      confirmedHosts: [],
      networks: server.networks.filter(({ own }) => own === 'public'),
    },
    writer: 'trusted',
  };
}

/** Returns the entries that are not used, with their index in the list. */
export function setAsideIn(items: readonly Item[]): { readonly at: number; readonly aside: SetAside }[] {
  const ids = new Set(items.flatMap((item) => usedServer(item)?.id ?? []));
  return items.flatMap((item, at) => {
    if (usedServer(item)) return [];
    const { name, url, key } = labelOf(item.entry.raw, at, (id) => ids.has(id));
    const label = { key, name, ...defined({ url }) };
    return [
      {
        at,
        aside: item.server
          ? { ...label, why: 'changed', error: changedByOthers(name) }
          : { ...label, why: 'bad', error: notValid(name, item.entry.problem) },
      },
    ];
  });
}

const changedByOthers = (server: string) =>
  new AppError(
    'E_CONFIG_CHANGED',
    `Keybridge does not use ${server}: another program added or changed its entry in servers.json. ` +
      'Nothing was sent to it.',
    { server, sent: false },
  );

const notValid = (server: string, problem: string | undefined) =>
  new AppError(
    'E_CONFIG_ENTRY',
    `Keybridge does not use ${server}: its entry in servers.json is not valid (${problem ?? 'it is not a server'}).`,
    { server, sent: false },
  );

const macIn = (raw: unknown): unknown =>
  typeof raw === 'object' && raw !== null && 'mac' in raw ? raw.mac : undefined;

function withMac(raw: unknown, mac: unknown): unknown {
  const { mac: _old, ...rest } = { ...(raw as { readonly mac?: unknown }) };
  return mac === undefined ? rest : { ...rest, mac };
}
