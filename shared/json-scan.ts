// Must not import packages or Node modules, because the bridge loads it.
//
// Written by hand, although libraries exist: it finds what routing needs in one pass over the bytes, and leaves them
// unchanged (docs/decisions/04-own-json-scanner.md). json-tokens.ts handles strings and scalars, json-walk.ts
// nesting.
import { readJson } from './json.ts';
import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  isSpace,
  quote,
  scalarEnd,
  stringEnd,
} from './json-tokens.ts';
import { continueWalk, isOpening, newWalk, restart, type JsonFault, type KnownValues } from './json-walk.ts';

declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };
const decoder = new TextDecoder();

/** A position in one JSON text. `at` is the offset of the next byte. Reading stops once `fault` is set. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  fault: JsonFault | undefined;
  /** From an earlier scan of the same text. */
  readonly known?: KnownValues;
}

/** Moves past white space, and returns the next byte. */
export function skipSpace(cursor: Cursor): number | undefined {
  const { bytes } = cursor;
  while (isSpace(bytes[cursor.at])) cursor.at += 1;
  return bytes[cursor.at];
}

export function fail(cursor: Cursor, fault: JsonFault = 'syntax'): void {
  cursor.fault ??= fault;
  cursor.at = cursor.bytes.length;
}

/** Reused by `skipValue`, which never stops in the middle of a value. */
const walk = newWalk();

/**
 * Moves past one value of any type, in time linear in its length and without allocating. Checks the whole grammar (RFC
 * 8259), also inside strings, but not whether the bytes are UTF-8.
 */
export function skipValue(cursor: Cursor): void {
  const first = skipSpace(cursor);
  const { bytes, known } = cursor;
  const end = known?.get(cursor.at);
  if (end !== undefined) moveTo(cursor, end <= bytes.length ? end : -1);
  else if (first === quote) moveTo(cursor, stringEnd(bytes, cursor.at));
  else if (!isOpening(first)) moveTo(cursor, scalarEnd(bytes, cursor.at));
  else {
    continueWalk(bytes, restart(walk, cursor.at), bytes.length, undefined);
    if (walk.fault) fail(cursor, walk.fault);
    else if (walk.state !== 'done') fail(cursor);
    else cursor.at = walk.at;
  }
}

/** `end`: the offset after a string or scalar; -1 if there is none. */
function moveTo(cursor: Cursor, end: number): void {
  if (end < 0) fail(cursor);
  else cursor.at = end;
}

/** Each member costs a string, and 16 MB have room for millions. */
const maxMembers = 1_000;
/** No reader asks for a longer key. */
const maxKeyBytes = 256;

/**
 * Calls `visit` for each member of an object. The cursor must be on the opening brace, and `visit` must move it past
 * the value. An object of more than 1,000 members is a fault. Longer keys than 256 bytes are passed as ''.
 */
export function eachMember(cursor: Cursor, visit: (key: string) => void): void {
  let members = 0;
  cursor.at += 1;
  if (skipSpace(cursor) === closeBrace) {
    cursor.at += 1;
    return;
  }
  while (!cursor.fault) {
    const start = (skipSpace(cursor), cursor.at);
    if (cursor.bytes[start] !== quote) return fail(cursor);
    moveTo(cursor, stringEnd(cursor.bytes, start));
    const key = cursor.fault || cursor.at - start > maxKeyBytes ? '' : textOf(cursor.bytes, start, cursor.at);
    members += 1;
    if (members > maxMembers) return fail(cursor);
    if (skipSpace(cursor) !== colon) return fail(cursor);
    cursor.at += 1;
    skipSpace(cursor);
    visit(key);
    const next = skipSpace(cursor);
    cursor.at += 1;
    if (next === closeBrace) return;
    if (next !== comma) return fail(cursor);
  }
}

/** The offsets of each element of an array, one by one. The cursor must be on the opening bracket. */
export function* elements(cursor: Cursor): Generator<readonly [start: number, end: number], void> {
  cursor.at += 1;
  if (skipSpace(cursor) === closeBracket) {
    cursor.at += 1;
    return;
  }
  while (!cursor.fault) {
    skipSpace(cursor);
    const start = cursor.at;
    skipValue(cursor);
    if (cursor.fault) return;
    yield [start, cursor.at];
    const next = skipSpace(cursor);
    cursor.at += 1;
    if (next === closeBracket) return;
    if (next !== comma) return fail(cursor);
  }
}

/** The value of the JSON string between the offsets, which include the quotes; '' if it is not a string. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  if (bytes[start] !== quote) return '';
  let plain = end - start <= 64;
  for (let at = start + 1; plain && at < end - 1; at += 1) {
    const byte = bytes[at] ?? 0;
    plain = byte >= 0x20 && byte < 0x80 && byte !== backslash;
  }
  if (plain) return ascii(bytes, start + 1, end - 1);
  const text = readJson(bytes.subarray(start, end));
  return typeof text === 'string' ? text : '';
}

/** The text between the offsets, unparsed. */
export function rawText(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at += 1)
    if (at - start > 32 || (bytes[at] ?? 0) >= 0x80) return decoder.decode(bytes.subarray(start, end));
  return ascii(bytes, start, end);
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
