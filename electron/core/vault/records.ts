import { createHash } from 'node:crypto';
import { z } from 'zod';
import { readJson } from '../../../shared/json.ts';
import { Secret } from '../base/secret.ts';
import type { SecretStore, StoreFault, StoreWrite } from './secret-store.ts';

/** Windows allows 2,560 bytes per item (CRED_MAX_CREDENTIAL_BLOB_SIZE). Records are ASCII, so characters are bytes. */
const partBytes = 2_000;

/** 200 KB: three times the largest token response that we accept. */
const maxParts = 100;

/** Names the current one of the two generations. Written last. */
const Head = z.object({
  v: z.literal(1),
  generation: z.number().int().positive(),
  parts: z.number().int().min(1).max(maxParts),
  sha256: z.string(),
});

/**
 * The joined parts of one generation, after 64 hex digits of its SHA-256, so that parts of two generations are never
 * accepted as one.
 */
const Body = z.object({ v: z.literal(1), generation: z.number().int().positive(), value: z.unknown() });
const hashLength = 64;

export interface StoredRecord {
  readonly generation: number;
  readonly value: unknown;
}

export type RecordRead =
  | { readonly kind: 'found'; readonly record: StoredRecord }
  | { readonly kind: 'absent' }
  /** There are items, but no generation is complete. */
  | { readonly kind: 'damaged' }
  | StoreFault;

/** Stores values of any size in small items, in two generations: a write never touches the current generation. */
export interface Records {
  /** Returns the newest complete generation. If the head names one older than `atLeast`, checks both generations. */
  read(name: string, atLeast: number): Promise<RecordRead>;
  /** Writes the parts, reads them back and compares, then the head. `generation` must be one more than the newest. */
  write(name: string, generation: number, value: unknown): Promise<StoreWrite>;
  /** Returns the names of the items that `write` would use. */
  itemsOf(name: string, generation: number, value: unknown): string[];
  /** Returns the names of the items that exist, by reading one after the other. */
  present(name: string): Promise<{ readonly kind: 'items'; readonly items: readonly string[] } | StoreFault>;
  /** Whether an item is a part of a generation with the same parity. */
  sameGeneration(item: string, name: string, generation: number): boolean;
}

export function createRecords(store: SecretStore): Records {
  return {
    sameGeneration: (item, name, generation) => item.startsWith(partOf(name, generation, 0).slice(0, -1)),

    itemsOf: (name, generation, value) => [
      headOf(name),
      ...splitIntoParts(encode(generation, value)).map((_, index) => partOf(name, generation, index)),
    ],

    async read(name, atLeast) {
      const head = await readHead(store, name);
      if (isFault(head)) return head;
      if (head.kind === 'found' && head.head.generation >= atLeast) {
        const body = await readBody(store, name, head.head.generation, head.head.parts);
        if (isFault(body)) return body;
        if (body.kind === 'found' && body.sha256 === head.head.sha256) return { kind: 'found', record: body.record };
      }
      // The head is missing, damaged, outdated, or names an incomplete generation: the parts alone decide.
      return newestComplete(store, name, head.kind === 'absent');
    },

    async present(name) {
      const items: string[] = [];
      for (const sequence of [[headOf(name)], partsOf(name, 1), partsOf(name, 2)]) {
        for (const item of sequence) {
          const read = await store.get(item);
          if (isFault(read)) return read;
          if (read.kind === 'absent') break;
          items.push(item);
        }
      }
      return { kind: 'items', items };
    },

    async write(name, generation, value) {
      const text = encode(generation, value);
      const parts = splitIntoParts(text);
      for (const [index, part] of parts.entries()) {
        const written = await writeAndCompare(store, partOf(name, generation, index), part);
        if (written.kind !== 'done') return written;
      }
      const head = { v: 1, generation, parts: parts.length, sha256: text.slice(0, hashLength) };
      return writeAndCompare(store, headOf(name), JSON.stringify(head));
    },
  };
}

const headOf = (name: string): string => `${name}/head`;
/** Even and odd generations use different items. */
const partOf = (name: string, generation: number, index: number): string =>
  `${name}/${generation % 2 === 0 ? 'even' : 'odd'}.${index + 1}`;
const partsOf = (name: string, generation: number): string[] =>
  Array.from({ length: maxParts }, (_, index) => partOf(name, generation, index));
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** JSON in ASCII, so that no store can truncate it at a NUL or split a multi-byte character. */
function encode(generation: number, value: unknown): string {
  const json = JSON.stringify({ v: 1, generation, value });
  const ascii = json.replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return hash(ascii) + ascii;
}

function decode(text: string): StoredRecord | undefined {
  if (text.length <= hashLength || hash(text.slice(hashLength)) !== text.slice(0, hashLength)) return undefined;
  const body = Body.safeParse(readJson(text.slice(hashLength)));
  return body.success ? { generation: body.data.generation, value: body.data.value } : undefined;
}

function splitIntoParts(text: string): string[] {
  const parts: string[] = [];
  for (let start = 0; start < text.length; start += partBytes) parts.push(text.slice(start, start + partBytes));
  return parts;
}

async function writeAndCompare(store: SecretStore, item: string, text: string): Promise<StoreWrite> {
  const written = await store.set(item, new Secret(text));
  if (written.kind !== 'done') return written;
  const readBack = await store.get(item);
  if (isFault(readBack)) return readBack;
  if (readBack.kind === 'found' && readBack.value.reveal() === text) return written;
  return { kind: 'unavailable', detail: 'the store did not keep what was written' };
}

type HeadRead =
  | { readonly kind: 'found'; readonly head: z.infer<typeof Head> }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged' }
  | StoreFault;

async function readHead(store: SecretStore, name: string): Promise<HeadRead> {
  const read = await store.get(headOf(name));
  if (read.kind !== 'found') return read;
  const head = Head.safeParse(readJson(read.value.reveal()));
  return head.success ? { kind: 'found', head: head.data } : { kind: 'damaged' };
}

type BodyRead =
  | { readonly kind: 'found'; readonly record: StoredRecord; readonly sha256: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged' }
  | StoreFault;

/** Joins the parts of one generation. If `parts` is undefined, reads until the generation is complete. */
async function readBody(
  store: SecretStore,
  name: string,
  generation: number,
  parts: number | undefined,
): Promise<BodyRead> {
  let text = '';
  for (let index = 0; index < (parts ?? maxParts); index += 1) {
    const part = await store.get(partOf(name, generation, index));
    if (isFault(part)) return part;
    if (part.kind === 'absent') return index === 0 ? { kind: 'absent' } : { kind: 'damaged' };
    text += part.value.reveal();
    if (parts !== undefined && index < parts - 1) continue;
    const record = decode(text);
    if (record) return { kind: 'found', record, sha256: text.slice(0, hashLength) };
  }
  return { kind: 'damaged' };
}

async function newestComplete(store: SecretStore, name: string, headAbsent: boolean): Promise<RecordRead> {
  let newest: StoredRecord | undefined;
  let anyItem = !headAbsent;
  for (const slot of [1, 2]) {
    const body = await readBody(store, name, slot, undefined);
    if (isFault(body)) return body;
    if (body.kind !== 'absent') anyItem = true;
    if (
      body.kind === 'found' &&
      body.record.generation % 2 === slot % 2 &&
      body.record.generation > (newest?.generation ?? 0)
    )
      newest = body.record;
  }
  if (newest) return { kind: 'found', record: newest };
  return anyItem ? { kind: 'damaged' } : { kind: 'absent' };
}

function isFault(result: { readonly kind: string }): result is StoreFault {
  return result.kind === 'locked' || result.kind === 'denied' || result.kind === 'unavailable';
}
