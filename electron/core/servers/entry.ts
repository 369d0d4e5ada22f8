import { z } from 'zod';
import { sanitizeExternalText } from '../base/errors.ts';
import { serverId, StoredServer } from './server.ts';

/** One entry of the list, as it is in the file and parsed. */
export interface Entry {
  /** Includes members that this version does not know. Written back unchanged until Keybridge changes the entry. */
  readonly raw: unknown;
  /** Undefined if the entry is not valid. */
  readonly server: StoredServer | undefined;
  /** Why the entry is not used, as a clause; undefined if it is. */
  readonly problem: string | undefined;
}

/**
 * Reads each entry on its own, so that a problem with one does not affect the others. If two have the same name or id,
 * the later one is rejected.
 */
export function readEntries(all: readonly unknown[]): Entry[] {
  const valid: StoredServer[] = [];
  return all.map((raw) => {
    const parsed = StoredServer.safeParse(raw);
    if (!parsed.success) return { raw, server: undefined, problem: reasonOf(parsed.error) };
    const server = parsed.data;
    const duplicate = valid.find((other) => !areDistinct(other, server));
    if (duplicate) return duplicateEntry({ raw }, duplicate);
    valid.push(server);
    return { raw, server, problem: undefined };
  });
}

/** Returns an entry that is rejected because another server has the same name or id. */
export const duplicateEntry = ({ raw }: Pick<Entry, 'raw'>, other: StoredServer): Entry => ({
  raw,
  server: undefined,
  problem: `${other.name} has the same name or id`,
});

/** Parses an entry on its own, ignoring duplicates. */
export const parseEntry = ({ raw }: Pick<Entry, 'raw'>): StoredServer | undefined => StoredServer.safeParse(raw).data;

/** Whether two servers share no name or id; the name of one must not be the id of the other either. */
export const areDistinct = (one: StoredServer, other: StoredServer): boolean =>
  one.name !== other.name && one.name !== other.id && one.id !== other.name && one.id !== other.id;

function reasonOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  const at = sanitizeExternalText(issue?.path.map(String).join('.') ?? '', 80);
  if (at === '') return issue?.code === 'custom' ? sanitizeExternalText(issue.message) : 'it is not a server';
  return issue?.code === 'custom' ? `its ${at} is ${sanitizeExternalText(issue.message)}` : `its ${at} is not valid`;
}

const Named = z.object({ id: z.unknown(), name: z.unknown(), url: z.unknown() }).partial();

/**
 * Returns what can be shown of an entry, even if it is not valid. `position`: in the list, from 0. `isTaken`: whether
 * another entry has this id.
 */
export function labelOf(
  raw: unknown,
  position: number,
  isTaken: (id: string) => boolean,
): { readonly key: string; readonly name: string; readonly url?: string } {
  const { id, name, url } = Named.safeParse(raw).data ?? {};
  const number = `entry-${position + 1}`;
  return {
    key: typeof id === 'string' && serverId.test(id) && !isTaken(id) ? id : number,
    name: (typeof name === 'string' && sanitizeExternalText(name, 62)) || number,
    ...(typeof url === 'string' ? { url: sanitizeExternalText(url, 200) } : {}),
  };
}

/** Returns the `id` of an entry, even if the entry is not valid. */
export function idOf(raw: unknown): string | undefined {
  const { id } = Named.safeParse(raw).data ?? {};
  return typeof id === 'string' ? id : undefined;
}

/**
 * Returns `next` with the members of `raw` that this version does not know, at every depth, so that writing the file
 * does not lose them. `before` is the part of `raw` that it knows.
 */
export function carryOver(raw: unknown, before: unknown, next: unknown): unknown {
  if (isRecord(raw) && isRecord(before) && isRecord(next)) {
    const unknown = Object.entries(raw).filter(([name]) => !Object.hasOwn(before, name) && !Object.hasOwn(next, name));
    const known = Object.entries(next).map(
      ([name, value]) => [name, carryOver(raw[name], before[name], value)] as const,
    );
    return Object.fromEntries([...known, ...unknown]);
  }
  if (Array.isArray(raw) && Array.isArray(before) && Array.isArray(next)) {
    return next.map((one: unknown) => {
      const at = before.findIndex((other: unknown) => isSame(other, one));
      return at < 0 ? one : carryOver(raw[at], before[at], one);
    });
  }
  return next;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether two list elements are the same account (by id) or the same registration (by issuer, client and redirect). */
function isSame(one: unknown, other: unknown): boolean {
  if (!isRecord(one) || !isRecord(other)) return false;
  const identity = one['id'] === undefined ? ['issuer', 'client_id', 'redirect_uri'] : ['id'];
  return identity.every((name) => one[name] !== undefined && one[name] === other[name]);
}
