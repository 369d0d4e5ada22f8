// Must not import packages or Node modules, because the bridge loads it.
declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };

// Removes one byte order mark, and replaces invalid UTF-8 by U+FFFD.
const utf8 = new TextDecoder();

/**
 * Returns the value of a JSON text, with or without a byte order mark; undefined if it is not JSON. All other code uses
 * this instead of `JSON.parse`. Bytes are read as UTF-8 (RFC 8259 section 8.1).
 */
export function readJson(source: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof source === 'string' ? withoutByteOrderMark(source) : utf8.decode(source)) as unknown;
  } catch {
    return undefined;
  }
}

/** Like `readJson`, but returns undefined for anything but an object. */
export function readJsonObject(source: string | Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const value = readJson(source);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** Decodes UTF-8, without a byte order mark. */
export const readText = (bytes: Uint8Array): string => utf8.decode(bytes);

/** Editors and shells on Windows add one (`\ufeff`). */
export const withoutByteOrderMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

/** Whether the bytes begin with a UTF-16 byte order mark, so that an error can name the encoding. */
export const isUtf16 = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
