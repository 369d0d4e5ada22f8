/** Shorter secrets are not redacted: they may be part of ordinary words. */
export const shortestSecret = 8;

/**
 * The usual encodings of a secret: plain, JSON (also as PHP and .NET escape it), percent-encoded, hex, and base64 and
 * base64url at each of the three possible offsets in a longer text. Without those shorter than eight characters. The
 * longest come first, because one may contain another.
 */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const hex = bytes.toString('hex');
  const encoded = encodeURIComponent(secret);
  const lowered = encoded.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
  // Characters that depend on the neighbouring bytes are left out, because those are unknown.
  const base64 = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before, 'x'), bytes])
      .toString('base64')
      .slice(before === 0 ? 0 : 4, -4),
  );
  const url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const plain = [
    secret,
    json,
    escapedAs(json, 'upper'),
    escapedAs(json, 'lower'),
    encoded,
    lowered,
    encoded.replaceAll('%20', '+'),
    hex,
    hex.toUpperCase(),
    ...base64,
    ...url,
  ];
  const forms = plain.flatMap((form) => [form, form.replaceAll('/', '\\/')]);
  return [...new Set(forms)].filter(({ length }) => length >= shortestSecret).sort((a, b) => b.length - a.length);
}

/** Escapes the characters that .NET writes as `\\u002B` or `\\u002b`. */
function escapedAs(text: string, digits: 'upper' | 'lower'): string {
  return text.replaceAll(/[+&<>'=]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${digits === 'upper' ? code.toUpperCase() : code}`;
  });
}

/** The value of a header and its parts: those between spaces, and the decoded credentials of `Basic`. */
export function partsOf(secret: string): readonly string[] {
  const parts = secret.split(' ');
  const basic = /^basic$/i.test(parts[0] ?? '') ? Buffer.from(parts[1] ?? '', 'base64').toString('utf8') : '';
  const all = [secret, ...parts, basic, basic.slice(basic.indexOf(':') + 1)];
  return [...new Set(all)].filter(({ length }) => length >= shortestSecret);
}
