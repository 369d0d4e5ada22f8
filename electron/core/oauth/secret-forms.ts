/** Shorter secrets could be part of ordinary words, which would be damaged. */
export const shortestSecret = 8;

/**
 * A secret as it looks after the usual ways of writing it down: as it is, in JSON (with what PHP and .NET escape
 * besides), in an address, in hex, in base64 and base64url at each of the three places where it can begin in a longer
 * text. What is shorter than eight characters is left out. The longest come first, because one may hold another.
 */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const hex = bytes.toString('hex');
  const encoded = encodeURIComponent(secret);
  const lowered = encoded.replaceAll(/%[0-9A-F]{2}/g, (one) => one.toLowerCase());
  // The neighbouring bytes are unknown, so characters that depend on them are left out.
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

/** With the characters that .NET escapes as `\\u002B` or `\\u002b`. */
function escapedAs(text: string, digits: 'upper' | 'lower'): string {
  return text.replaceAll(/[+&<>'=]/g, (one) => {
    const code = one.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${digits === 'upper' ? code.toUpperCase() : code}`;
  });
}

/** A key as it stands in a header, and its parts: those between blanks, and the password of `Basic`. */
export function partsOf(secret: string): readonly string[] {
  const parts = secret.split(' ');
  const basic = /^basic$/i.test(parts[0] ?? '') ? Buffer.from(parts[1] ?? '', 'base64').toString('utf8') : '';
  const all = [secret, ...parts, basic, basic.slice(basic.indexOf(':') + 1)];
  return [...new Set(all)].filter(({ length }) => length >= shortestSecret);
}
