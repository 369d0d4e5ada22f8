import { createHash } from 'node:crypto';
import { z } from 'zod';
import { readJson } from '../../../shared/json.ts';
import { Secret } from '../base/secret.ts';
import type { SecretStore, StoreFault, StoreWrite } from './secret-store.ts';

/**
 * Windows takes 2,560 bytes per item (CRED_MAX_CREDENTIAL_BLOB_SIZE); the text below is ASCII, so characters are bytes.
 */
const partBytes = 2_000;

/** 200 KB: three times the largest token answer that we accept. */
const mostParts = 100;

/** Says which of the two generations counts. Written last. */
const Head = z.object({
  v: z.literal(1),
  generation: z.number().int().positive(),
  parts: z.number().int().min(1).max(mostParts),
  sha256: z.string(),
});

/**
 * What the parts of one generation make together, behind 64 hex digits of its SHA-256: parts of two generations never
 * pass as one.
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
  /** Something is there, and no generation of it is whole. */
  | { readonly kind: 'damaged' }
  | StoreFault;

/**
 * Values of any size in a store of small items, two generations each: a write never touches the generation that counts.
 */
export interface Records {
  /**
   * The newest whole generation. `atLeast`: the generation that must exist; when an older one is found, both are looked
   * at.
   */
  read(name: string, atLeast: number): Promise<RecordRead>;
  /** Writes the parts, reads them back and compares, then the head. `generation` must be one more than the newest. */
  write(name: string, generation: number, value: unknown): Promise<StoreWrite>;
  /** Names of the items that `write` would use. */
  itemsOf(name: string, generation: number, value: unknown): string[];
  /** Names of the items that are there now, found by asking for them one after the other. */
  present(name: string): Promise<{ readonly kind: 'items'; readonly items: readonly string[] } | StoreFault>;
  /** Whether an item is a part of generations with this parity. */
  sameGeneration(item: string, name: string, generation: number): boolean;
}

export function createRecords(store: SecretStore): Records {
  return {
    sameGeneration: (item, name, generation) => item.startsWith(partOf(name, generation, 0).slice(0, -1)),

    itemsOf: (name, generation, value) => [
      headOf(name),
      ...cut(encode(generation, value)).map((_, index) => partOf(name, generation, index)),
    ],

    async read(name, atLeast) {
      const head = await readHead(store, name);
      if (isFault(head)) return head;
      if (head.kind === 'found' && head.head.generation >= atLeast) {
        const body = await readBody(store, name, head.head.generation, head.head.parts);
        if (isFault(body)) return body;
        if (body.kind === 'found' && body.sha256 === head.head.sha256) return { kind: 'found', record: body.record };
      }
      // The head is missing, damaged, behind, or points to a broken generation: the parts speak for themselves.
      return newestWhole(store, name, head.kind === 'absent');
    },

    async present(name) {
      const items: string[] = [];
      for (const row of [[headOf(name)], partsOf(name, 1), partsOf(name, 2)]) {
        for (const item of row) {
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
      const parts = cut(text);
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
/** Even and odd generations have items of their own. */
const partOf = (name: string, generation: number, index: number): string =>
  `${name}/${generation % 2 === 0 ? 'even' : 'odd'}.${index + 1}`;
const partsOf = (name: string, generation: number): string[] =>
  Array.from({ length: mostParts }, (_, index) => partOf(name, generation, index));
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** JSON in ASCII: no NUL and no multi-byte character can be cut or lost by a store. */
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

function cut(text: string): string[] {
  const parts: string[] = [];
  for (let start = 0; start < text.length; start += partBytes) parts.push(text.slice(start, start + partBytes));
  return parts;
}

async function writeAndCompare(store: SecretStore, item: string, text: string): Promise<StoreWrite> {
  const written = await store.set(item, new Secret(text));
  if (written.kind !== 'done') return written;
  const back = await store.get(item);
  if (isFault(back)) return back;
  if (back.kind === 'found' && back.value.reveal() === text) return written;
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

/** One generation's parts put together. `parts` undefined: as many as are needed to make it whole. */
async function readBody(
  store: SecretStore,
  name: string,
  generation: number,
  parts: number | undefined,
): Promise<BodyRead> {
  let text = '';
  for (let index = 0; index < (parts ?? mostParts); index += 1) {
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

async function newestWhole(store: SecretStore, name: string, headAbsent: boolean): Promise<RecordRead> {
  let newest: StoredRecord | undefined;
  let anything = !headAbsent;
  for (const slot of [1, 2]) {
    const body = await readBody(store, name, slot, undefined);
    if (isFault(body)) return body;
    if (body.kind !== 'absent') anything = true;
    if (
      body.kind === 'found' &&
      body.record.generation % 2 === slot % 2 &&
      body.record.generation > (newest?.generation ?? 0)
    )
      newest = body.record;
  }
  if (newest) return { kind: 'found', record: newest };
  return anything ? { kind: 'damaged' } : { kind: 'absent' };
}

function isFault(answer: { readonly kind: string }): answer is StoreFault {
  return answer.kind === 'locked' || answer.kind === 'denied' || answer.kind === 'unavailable';
}
