// Must not import packages or Node modules, because the bridge loads it.

export const quote = 0x22;
export const backslash = 0x5c;
export const openBrace = 0x7b;
export const openBracket = 0x5b;
export const closeBrace = 0x7d;
export const closeBracket = 0x5d;
export const comma = 0x2c;
export const colon = 0x3a;

/** White space of JSON (RFC 8259 section 2). */
export const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** The offset after the number, `true`, `false` or `null` at `start`; -1 if there is none. */
export function scalarEnd(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === 0x74) return hasWord(bytes, start, 'true');
  if (first === 0x66) return hasWord(bytes, start, 'false');
  if (first === 0x6e) return hasWord(bytes, start, 'null');
  let at = first === 0x2d ? start + 1 : start;
  if (!isDigit(bytes[at])) return -1;
  // No leading zeros (RFC 8259 section 6).
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

/** By byte: 1 for those that need no escape inside a string. */
const plain = new Uint8Array(256).fill(1, 0x20);
plain[quote] = 0;
plain[backslash] = 0;
/** What may follow a backslash, except `u`: " \ / b f n r t. */
const shortEscapes = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]);

/** The offset after the string that begins at `start`; -1 if it is not a complete string (RFC 8259 section 7). */
export function stringEnd(bytes: Uint8Array, start: number): number {
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

/** The next byte that is not plain. Most of the input is long texts, so this checks four bytes at a time. */
function plainEnd(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let at = start;
  for (; at + 4 <= length; at += 4) {
    const four = view.getInt32(at, true);
    const quotes = four ^ 0x22222222;
    const slashes = four ^ 0x5c5c5c5c;
    // Subtraction sets the high bit of a byte that is below the limit. High bits of UTF-8 bytes are masked out.
    const special =
      ((four - 0x20202020) & ~four) | ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes);
    if ((special & 0x80808080) !== 0) break;
  }
  while (at < length && plain[bytes[at] as number] === 1) at += 1;
  return at;
}

const isHexDigit = (byte: number | undefined): boolean =>
  isDigit(byte) || (byte !== undefined && ((byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)));
