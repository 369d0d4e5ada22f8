// No packages, no Node: the bridge loads this file.
import { readJson } from './json.ts';

declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };

/** A place in one JSON text. `at` is the offset of the next byte. Once `fault` is set nothing more is read. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  fault: 'syntax' | 'depth' | undefined;
}

/** Deepest nesting of arrays and objects that is read; more is a fault. */
export const maxDepth = 1_000;

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
 * Passes one value, whatever it is, in time linear in its length and without making anything of it. The grammar is
 * checked, but for what stands inside of strings.
 */
export function skipValue(cursor: Cursor): void {
  const first = skipSpace(cursor);
  if (!isOpen(first)) return skipScalar(cursor, first);
  const closers: number[] = [];
  // Whether the next thing may be a value (or a member), or must be a comma or the end.
  let needsValue = true;
  let afterComma = false;
  do {
    const byte = skipSpace(cursor);
    if (needsValue) {
      const closer = closers.at(-1);
      if (closer !== undefined && byte === closer && !afterComma) {
        closers.pop();
        cursor.at += 1;
        needsValue = false;
        continue;
      }
      if (closer === 0x7d) skipKey(cursor, byte);
      const value = closer === 0x7d ? skipSpace(cursor) : byte;
      afterComma = false;
      if (!isOpen(value)) {
        skipScalar(cursor, value);
        needsValue = false;
      } else if (closers.length >= maxDepth) fail(cursor, 'depth');
      else {
        closers.push(value === opens[0] ? 0x7d : 0x5d);
        cursor.at += 1;
      }
    } else if (byte === 0x2c) {
      cursor.at += 1;
      needsValue = true;
      afterComma = true;
    } else if (byte === closers.pop()) cursor.at += 1;
    else fail(cursor);
  } while (closers.length > 0 && !cursor.fault);
}

/** Passes a key and its colon. */
function skipKey(cursor: Cursor, byte: number | undefined): void {
  if (byte !== quote) return fail(cursor);
  skipString(cursor);
  if (skipSpace(cursor) !== 0x3a) return fail(cursor);
  cursor.at += 1;
}

function skipScalar(cursor: Cursor, byte: number | undefined): void {
  if (byte === quote) return skipString(cursor);
  const { bytes } = cursor;
  const start = cursor.at;
  let end = start;
  while (isDigit(bytes[end])) end += 1;
  // Most are short whole numbers, and a long list of those must not cost a text for each.
  if (end > start && (end === start + 1 || bytes[start] !== 0x30) && !isScalarByte(bytes[end])) {
    cursor.at = end;
    return;
  }
  while (isScalarByte(bytes[end])) end += 1;
  cursor.at = end;
  if (end === start || end - start > 400 || !isLiteral(ascii(bytes, start, end))) fail(cursor);
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** Letters, digits, sign and point: what numbers, true, false and null are made of. */
function isScalarByte(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x2d || byte === 0x2b || byte === 0x2e || byte === 0x45);
}

const literal = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;
function isLiteral(text: string): boolean {
  return literal.test(text);
}

/** Passes a string; the cursor stands on its opening quote. Long ones are searched natively. */
function skipString(cursor: Cursor): void {
  const { bytes } = cursor;
  const near = Math.min(cursor.at + 48, bytes.length);
  let at = cursor.at + 1;
  while (at < near) {
    const byte = bytes[at];
    if (byte === quote) {
      cursor.at = at + 1;
      return;
    }
    at += byte === backslash ? 2 : 1;
  }
  // `at` is the first byte that is not yet known to be escaped or not.
  const floor = at;
  for (;;) {
    const end = bytes.indexOf(quote, at);
    if (end < 0) return fail(cursor);
    let first = end;
    while (first > floor && bytes[first - 1] === backslash) first -= 1;
    at = end + 1;
    if ((end - first) % 2 === 0) break;
  }
  cursor.at = at;
}

/** Calls `visit` for each member of an object; it must pass the value. The cursor stands on the opening brace. */
export function eachMember(cursor: Cursor, visit: (key: string) => void): void {
  cursor.at += 1;
  if (skipSpace(cursor) === 0x7d) {
    cursor.at += 1;
    return;
  }
  while (!cursor.fault) {
    const start = (skipSpace(cursor), cursor.at);
    if (cursor.bytes[start] !== quote) return fail(cursor);
    skipString(cursor);
    const key = cursor.fault ? '' : textOf(cursor.bytes, start, cursor.at);
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

/** Calls `visit` for each element of an array; it must pass the value. The cursor stands on the opening bracket. */
export function eachElement(cursor: Cursor, visit: () => void): void {
  cursor.at += 1;
  if (skipSpace(cursor) === 0x5d) {
    cursor.at += 1;
    return;
  }
  while (!cursor.fault) {
    skipSpace(cursor);
    visit();
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
  for (let at = start; at < end; at += 1) if (at - start > 32 || (bytes[at] ?? 0) >= 0x80) return decoder.decode(bytes.subarray(start, end));
  return ascii(bytes, start, end);
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
