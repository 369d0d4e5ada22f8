// No packages, no Node: the bridge loads this file.
import { readJson } from './json.ts';

declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };

/** A place in one JSON text. `at` is the offset of the next byte. Once `fault` is set nothing more is read. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  fault: 'syntax' | 'depth' | undefined;
  /** Values that were passed before. */
  readonly known?: Known;
}

/** Deepest nesting of arrays and objects that is read; more is a fault. */
const maxDepth = 1_000;

const decoder = new TextDecoder();
const quote = 0x22;
const backslash = 0x5c;
const opens = [0x7b, 0x5b] as const;
const isOpen = (byte: number | undefined): boolean => byte === opens[0] || byte === opens[1];

export function skipSpace(cursor: Cursor): number | undefined {
  const { bytes } = cursor;
  let byte = bytes[cursor.at];
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++cursor.at];
  return byte;
}

export function fail(cursor: Cursor, fault: 'syntax' | 'depth' = 'syntax'): void {
  cursor.fault ??= fault;
  cursor.at = cursor.bytes.length;
}

/**
 * Passes one value, whatever it is, in time linear in its length and without making anything of it. The whole grammar
 * is checked (RFC 8259), inside of strings too; whether the bytes are UTF-8 is not.
 */
export function skipValue(cursor: Cursor): void {
  const first = skipSpace(cursor);
  const { bytes, known } = cursor;
  const end = known?.get(cursor.at);
  if (end !== undefined) endAt(cursor, end <= bytes.length ? end : -1);
  else if (first === quote) endAt(cursor, stringEnd(bytes, cursor.at));
  else if (!isOpen(first)) endAt(cursor, scalarEnd(bytes, cursor.at));
  else {
    const walk = restarted(ownWalk, cursor.at);
    walkOn(bytes, walk, bytes.length, undefined);
    if (walk.fault) fail(cursor, walk.fault);
    else if (walk.state !== 'done') fail(cursor);
    else cursor.at = walk.at;
  }
}

/** A string or scalar that ends there; -1: it is none. */
function endAt(cursor: Cursor, end: number): void {
  if (end < 0) fail(cursor);
  else cursor.at = end;
}

/** What may come next. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'comma or end' | 'done';

/** A way through one value, which can be left and taken up again. */
interface Walk {
  at: number;
  depth: number;
  state: Expected;
  fault: Cursor['fault'];
  /** By depth: what closes it, and where it began. */
  readonly closers: Uint8Array;
  readonly starts: Float64Array;
}

const newWalk = (): Walk => ({
  at: 0,
  depth: 0,
  state: 'value',
  fault: undefined,
  closers: new Uint8Array(maxDepth + 1),
  starts: new Float64Array(maxDepth + 1),
});
/** Nothing here waits in the middle, so that one is enough for all who read at once. */
const ownWalk = newWalk();

function restarted(walk: Walk, at: number): Walk {
  walk.at = at;
  walk.depth = 0;
  walk.state = 'value';
  walk.fault = undefined;
  return walk;
}

/** Values that were passed already: start and end by offset. */
export type Known = Map<number, number>;
/** Shorter ones are passed again at no cost. */
const worthKnowing = 16 * 1024;
/** Nobody looks at single values further inside. */
const deepestKnown = 4;

/**
 * Passes a text in parts, so that a long one can be read without holding up everything else: each call goes on for
 * about `bytes`, and gives true when there is no more to pass. `known` then lets `skipValue` pass the large values at
 * once.
 */
export function passInParts(text: Uint8Array, known: Known): (bytes: number) => boolean {
  const walk = newWalk();
  return (bytes) => {
    walkOn(text, walk, Math.min(text.length, walk.at + bytes), known);
    const over = walk.fault !== undefined || walk.state === 'done' || walk.at >= text.length;
    // What does not end need not be looked at again to know that.
    if (over && walk.state !== 'done')
      for (let depth = 1; depth <= Math.min(walk.depth, deepestKnown); depth += 1)
        known.set(walk.starts[depth] ?? 0, text.length + 1);
    return over;
  };
}

/** The one loop over JSON: goes on until the value or the bytes end, or `until` is reached. */
function walkOn(bytes: Uint8Array, walk: Walk, until: number, known: Known | undefined): void {
  const { closers, starts } = walk;
  let { at, depth, state } = walk;
  let fault: Cursor['fault'];
  while (at < until) {
    const byte = bytes[at] ?? 0;
    if (byte <= 0x20) {
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        fault = 'syntax';
        break;
      }
      at += 1;
      continue;
    }
    if (state === 'comma or end' && byte === 0x2c) {
      state = closers[depth] === 0x7d ? 'key' : 'value';
      at += 1;
      continue;
    }
    if (byte === closers[depth] && depth > 0 && state !== 'value' && state !== 'key') {
      at += 1;
      const start = starts[depth] ?? 0;
      if (known && depth <= deepestKnown && at - start > worthKnowing) known.set(start, at);
      depth -= 1;
      state = depth === 0 ? 'done' : 'comma or end';
      if (depth === 0) break;
      continue;
    }
    if (state === 'comma or end') {
      fault = 'syntax';
      break;
    }
    if (state === 'key' || state === 'key or end') {
      at = byte === quote ? stringEnd(bytes, at) : -1;
      while (at >= 0 && isSpace(bytes[at])) at += 1;
      if (at < 0 || bytes[at] !== 0x3a) {
        fault = 'syntax';
        break;
      }
      at += 1;
      state = 'value';
      continue;
    }
    if (isOpen(byte)) {
      if (depth >= maxDepth) {
        fault = 'depth';
        break;
      }
      depth += 1;
      starts[depth] = at;
      closers[depth] = byte === opens[0] ? 0x7d : 0x5d;
      state = byte === opens[0] ? 'key or end' : 'value or end';
      at += 1;
      continue;
    }
    const start = at;
    at = byte === quote ? stringEnd(bytes, at) : scalarEnd(bytes, at);
    if (at < 0) {
      fault = 'syntax';
      break;
    }
    if (known && depth < deepestKnown && at - start > worthKnowing) known.set(start, at);
    state = depth === 0 ? 'done' : 'comma or end';
    if (depth === 0) break;
  }
  walk.at = at;
  walk.depth = depth;
  walk.state = state;
  walk.fault = fault;
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** Where the number, `true`, `false` or `null` at this place ends; -1: there is none. */
function scalarEnd(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === 0x74) return hasWord(bytes, start, 'true');
  if (first === 0x66) return hasWord(bytes, start, 'false');
  if (first === 0x6e) return hasWord(bytes, start, 'null');
  let at = first === 0x2d ? start + 1 : start;
  if (!isDigit(bytes[at])) return -1;
  // No zeros in front (RFC 8259 6).
  if (bytes[at] === 0x30) at += 1;
  else at = digitsEnd(bytes, at);
  if (bytes[at] === 0x2e) {
    if (!isDigit(bytes[at + 1])) return -1;
    at = digitsEnd(bytes, at + 1);
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at += bytes[at + 1] === 0x2b || bytes[at + 1] === 0x2d ? 2 : 1;
    if (!isDigit(bytes[at])) return -1;
    at = digitsEnd(bytes, at);
  }
  return at;
}

function digitsEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isDigit(bytes[at])) at += 1;
  return at;
}

function hasWord(bytes: Uint8Array, start: number, word: string): number {
  for (let n = 1; n < word.length; n += 1) if (bytes[start + n] !== word.charCodeAt(n)) return -1;
  return start + word.length;
}

/** Bytes that stand for themselves inside of a string. */
const plain = new Uint8Array(256).fill(1, 0x20);
plain[quote] = 0;
plain[backslash] = 0;
/** What may follow a backslash, but for `u`: " \ / b f n r t. */
const shortEscapes = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]);

/**
 * The offset behind the string whose opening quote stands at `start`; -1: it does not end, or is not what RFC 8259 7
 * calls a string.
 */
function stringEnd(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  let at = start + 1;
  for (;;) {
    const near = Math.min(length, at + 64);
    while (at < near && plain[bytes[at] as number] === 1) at += 1;
    if (at === near && at < length) at = plainEnd(bytes, at);
    if (bytes[at] === quote) return at + 1;
    if (bytes[at] !== backslash) return -1;
    const escaped = bytes[at + 1];
    if (escaped === 0x75) {
      for (let digit = at + 2; digit < at + 6; digit += 1) if (!isHexDigit(bytes[digit])) return -1;
      at += 6;
    } else if (escaped !== undefined && shortEscapes.has(escaped)) at += 2;
    else return -1;
  }
}

/**
 * The next byte that does not stand for itself. Long texts are most of what passes here, so four bytes are looked at in
 * one.
 */
function plainEnd(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let at = start;
  for (; at + 4 <= length; at += 4) {
    const four = view.getInt32(at, true);
    const quotes = four ^ 0x22222222;
    const slashes = four ^ 0x5c5c5c5c;
    // A byte below another sets its high bit when it is taken away; the high bits of UTF-8 do not count.
    const odd = ((four - 0x20202020) & ~four) | ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes);
    if ((odd & 0x80808080) !== 0) break;
  }
  while (at < length && plain[bytes[at] as number] === 1) at += 1;
  return at;
}

const isHexDigit = (byte: number | undefined): boolean =>
  isDigit(byte) || (byte !== undefined && ((byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)));

/** More members are not read one by one: each costs a text, and 16 MB have room for millions. */
const mostMembers = 1_000;
/** A longer key is none that anybody asks for. */
const longestKey = 256;

/**
 * Calls `visit` for each member of an object; it must pass the value. The cursor stands on the opening brace. An object
 * of more than 1,000 members is a fault.
 */
export function eachMember(cursor: Cursor, visit: (key: string) => void): void {
  let members = 0;
  cursor.at += 1;
  if (skipSpace(cursor) === 0x7d) {
    cursor.at += 1;
    return;
  }
  while (!cursor.fault) {
    const start = (skipSpace(cursor), cursor.at);
    if (cursor.bytes[start] !== quote) return fail(cursor);
    endAt(cursor, stringEnd(cursor.bytes, start));
    const key = cursor.fault || cursor.at - start > longestKey ? '' : textOf(cursor.bytes, start, cursor.at);
    members += 1;
    if (members > mostMembers) return fail(cursor);
    if (skipSpace(cursor) !== 0x3a) return fail(cursor);
    cursor.at += 1;
    skipSpace(cursor);
    visit(key);
    const next = skipSpace(cursor);
    cursor.at += 1;
    if (next === 0x7d) return;
    if (next !== 0x2c) return fail(cursor);
  }
}

/** Where each element of an array stands; found one by one. The cursor stands on the opening bracket. */
export function* elements(cursor: Cursor): Generator<readonly [start: number, end: number], void> {
  cursor.at += 1;
  if (skipSpace(cursor) === 0x5d) {
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
    if (next === 0x5d) return;
    if (next !== 0x2c) return fail(cursor);
  }
}

/** The value of the JSON string between the offsets, quotes included; '' when it is none. */
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

/** The bytes between the offsets as text, as they stand. */
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
