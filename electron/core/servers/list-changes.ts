import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { idOf } from './entry.ts';
import { newItem, setAsideIn, usedServer, type Item } from './items.ts';
import type { StoredServer } from './server.ts';

/**
 * Returns the entries to write to the backup, when `raws` (one per item) are written to the list. An entry that is not
 * in use keeps the version that the backup had of it, and a server that disappeared from the list without being removed
 * by a user stays in the backup. `backup`: the current entries of the backup, without those that a user removed.
 */
export function backupEntries(
  items: readonly Item[],
  raws: readonly unknown[],
  backup: readonly unknown[],
): readonly unknown[] {
  const before = new Map(backup.map((raw) => [idOf(raw), raw]));
  const listed = new Set(raws.map(idOf));
  return [
    ...raws.map((raw, at) => (items[at] && usedServer(items[at]) ? raw : (before.get(idOf(raw)) ?? raw))),
    ...backup.filter((raw) => !listed.has(idOf(raw))),
  ];
}

/** Replaces the servers in use, leaving the other entries in place. Also returns the ids that are gone. */
export function replaceServers(
  items: readonly Item[],
  servers: readonly StoredServer[],
): { readonly items: readonly Item[]; readonly removed: readonly string[] } {
  const next = new Map(servers.map((server) => [server.id, server]));
  const removed: string[] = [];
  const kept = items.flatMap((item) => {
    const before = usedServer(item);
    if (!before) return [item];
    const server = next.get(before.id);
    next.delete(before.id);
    if (!server) removed.push(before.id);
    return server ? [{ ...item, server }] : [];
  });
  return { items: [...kept, ...[...next.values()].map(newItem)], removed };
}

/** Finds an entry that is not in use by its key or name. Throws E_SERVER_UNKNOWN. */
export function findSetAside(
  items: readonly Item[],
  keyOrName: string,
): { readonly item: Item; readonly at: number; readonly error: AppError } {
  const match = setAsideIn(items).find(({ aside: { key, name } }) => key === keyOrName || name === keyOrName);
  const item = match && items[match.at];
  if (!item)
    throw new AppError('E_SERVER_UNKNOWN', `There is no entry "${sanitizeExternalText(keyOrName)}" that is set aside.`);
  return { item, at: match.at, error: match.aside.error };
}
