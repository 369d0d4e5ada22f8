// Words that came from outside, made fit to be shown: one function for window, tray, terminal and browser page.

declare const URL: { canParse(text: string): boolean; new (text: string): { readonly href: string } };

/**
 * What would break a line or drive a terminal: C0, DEL, C1, and the separators of Unicode. Also halves of a character.
 */
const breaking = /[\p{Cc}\p{Cs}\u2028\u2029]/gu;

/**
 * What is not seen, or only turns what stands beside it: format characters (soft hyphen, zero width, bidirectional
 * marks, tags), fillers and variation selectors, the blank of Braille.
 */
const invisible =
  /[\p{Cf}\u115f\u1160\u2800\u3164\uffa0\u{e0000}-\u{e0fff}]|\u034f|[\u17b4\u17b5]|[\u180b-\u180f]|[\ufe00-\ufe0f]/gu;

/** No script needs more marks on one letter; a pile of them covers the lines around. */
const piled = /(\p{M}{4})\p{M}+/gu;

const webAddress = /\bhttps?:\/\/[^\s"'<>()]+/giu;

/**
 * Text of somebody else on one line: without control, invisible and bidirectional characters, with few combining marks,
 * and with the hosts of addresses as DNS has them (punycode), so that no look-alike passes for a name that one knows.
 */
export function plainText(text: string): string {
  // Most words are ASCII, and are looked at often: in each row of a list.
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replace(webAddress, asciiAddress).replace(breaking, ' ').replace(invisible, '').replace(piled, '$1');
}

/** An address as it is really gone to. What is no address stays. */
export function asciiAddress(address: string): string {
  return /[^\x21-\x7e]/.test(address) && URL.canParse(address) ? new URL(address).href : address;
}

/**
 * JSON in which nothing is left that a terminal obeys or that is not seen: as escapes, which a program reads as before.
 */
export function printableJson(value: unknown): string {
  const json = JSON.stringify(value) as string | undefined;
  return (json ?? 'null').replace(
    /[\u007f-\u009f\p{Cf}\p{Cs}\u2028\u2029\u115f\u1160\u2800\u3164\uffa0\u{e0000}-\u{e0fff}]|\u034f|[\u17b4\u17b5]|[\u180b-\u180f]|[\ufe00-\ufe0f]/gu,
    (character) =>
      Array.from(
        { length: character.length },
        (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
      ).join(''),
  );
}
