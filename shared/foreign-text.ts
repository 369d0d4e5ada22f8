// Makes text from outside safe to display, the same way in window, tray, terminal and browser page.

declare const URL: { canParse(text: string): boolean; new (text: string): { readonly href: string } };

/** Characters that break a line or control a terminal: C0, DEL, C1, Unicode separators and unpaired surrogates. */
const breaking = /[\p{Cc}\p{Cs}\u2028\u2029]/gu;

/**
 * Invisible characters: format characters (soft hyphen, zero width, bidirectional marks, tags), fillers, variation
 * selectors and the Braille blank.
 */
const invisible =
  /[\p{Cf}\u115f\u1160\u2800\u3164\uffa0\u{e0000}-\u{e0fff}]|\u034f|[\u17b4\u17b5]|[\u180b-\u180f]|[\ufe00-\ufe0f]/gu;

/** More combining marks than any script needs would cover the lines around. */
const piled = /(\p{M}{4})\p{M}+/gu;

const webAddress = /\bhttps?:\/\/[^\s"'<>()]+/giu;

/**
 * Text from outside on one line: without control, invisible and bidirectional characters, with few combining marks, and
 * with punycode in the hosts of URLs, so that look-alikes show.
 */
export function plainText(text: string): string {
  // The common case, which is checked for each row of a list.
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replace(webAddress, asciiAddress).replace(breaking, ' ').replace(invisible, '').replace(piled, '$1');
}

/** A URL with its host in punycode. Returns other text unchanged. */
export function asciiAddress(address: string): string {
  return /[^\x21-\x7e]/.test(address) && URL.canParse(address) ? new URL(address).href : address;
}

const unprintable = new RegExp(`[\\u007f-\\u009f\\p{Cs}\\u2028\\u2029]|${invisible.source}`, 'gu');

/** JSON with escapes for all control and invisible characters. Its value is the same. */
export function printableJson(value: unknown): string {
  const json = JSON.stringify(value) as string | undefined;
  return (json ?? 'null').replace(unprintable, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
