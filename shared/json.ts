// No packages, no Node: the bridge loads this file.
declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };

// Takes one byte order mark away, and puts U+FFFD for what is no UTF-8.
const utf8 = new TextDecoder();

/**
 * The value of a JSON text, with or without a byte order mark; undefined when it is none (JSON has no undefined). The
 * one reader of whole JSON texts: `JSON.parse` stands nowhere else. Bytes are UTF-8 (RFC 8259 8.1).
 */
export function readJson(source: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof source === 'string' ? withoutByteOrderMark(source) : utf8.decode(source)) as unknown;
  } catch {
    return undefined;
  }
}

/** The same, where only an object is of use. */
export function readJsonObject(source: string | Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const value = readJson(source);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** UTF-8 text without a byte order mark. */
export const readText = (bytes: Uint8Array): string => utf8.decode(bytes);

/** Editors and shells of Windows put it in front: `\ufeff`. */
export const withoutByteOrderMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

/** Bytes that begin with the byte order mark of UTF-16: text that cannot be read as UTF-8, to be said in an error. */
export const isUtf16 = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
