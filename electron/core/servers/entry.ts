import { z } from 'zod';
import { sanitizeExternalText } from '../base/errors.ts';
import { serverId, StoredServer } from './server.ts';

/** One entry of the list: as it stands in the file, and what it means. */
export interface Entry {
  /**
   * As in the file, with members that this version does not know. It is written as it was read until Keybridge changes
   * it.
   */
  readonly raw: unknown;
  /** Undefined: it cannot be understood. */
  readonly server: StoredServer | undefined;
  /** Why it is not used, as the end of a sentence; undefined: it is. */
  readonly wrong: string | undefined;
}

/**
 * Reads each entry alone: what is wrong with one costs the others nothing. The later one of two with the same name
 * gives way.
 */
export function readEntries(all: readonly unknown[]): Entry[] {
  const good: StoredServer[] = [];
  return all.map((raw) => {
    const parsed = StoredServer.safeParse(raw);
    if (!parsed.success) return { raw, server: undefined, wrong: reasonOf(parsed.error) };
    const server = parsed.data;
    const twin = good.find((other) => !tellsApart(other, server));
    if (twin) return asTwin({ raw }, twin);
    good.push(server);
    return { raw, server, wrong: undefined };
  });
}

/** An entry that gives way to another one with the same name or id. */
export const asTwin = ({ raw }: Pick<Entry, 'raw'>, other: StoredServer): Entry => ({
  raw,
  server: undefined,
  wrong: `its name or id is the one of ${other.name}`,
});

/** What an entry means by itself, whatever stands beside it. */
export const readAlone = ({ raw }: Pick<Entry, 'raw'>): StoredServer | undefined => StoredServer.safeParse(raw).data;

/** No name is another one's id. */
export const tellsApart = (one: StoredServer, other: StoredServer): boolean =>
  one.name !== other.name && one.name !== other.id && one.id !== other.name && one.id !== other.id;

function reasonOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  const at = sanitizeExternalText(issue?.path.map(String).join('.') ?? '', 80);
  if (at === '') return issue?.code === 'custom' ? sanitizeExternalText(issue.message) : 'it is not a server';
  return issue?.code === 'custom' ? `its ${at} is ${sanitizeExternalText(issue.message)}` : `its ${at} is not valid`;
}

const Named = z.object({ id: z.unknown(), name: z.unknown(), url: z.unknown() }).partial();

/**
 * What can be shown of an entry, whatever is wrong with it. `position`: in the list, from 0. `isTaken`: the id is
 * another one's.
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

/** The `id` of an entry, whatever else it is. */
export function idOf(raw: unknown): string | undefined {
  const { id } = Named.safeParse(raw).data ?? {};
  return typeof id === 'string' ? id : undefined;
}

/**
 * `next` as it is written: with what stood in the file (`raw`) and this version does not know, at every depth.
 * `before`: what it understood of `raw`.
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

/** Of accounts by their id, of registrations by what they are for. */
function isSame(one: unknown, other: unknown): boolean {
  if (!isRecord(one) || !isRecord(other)) return false;
  const identity = one['id'] === undefined ? ['issuer', 'client_id', 'redirect_uri'] : ['id'];
  return identity.every((name) => one[name] !== undefined && one[name] === other[name]);
}
