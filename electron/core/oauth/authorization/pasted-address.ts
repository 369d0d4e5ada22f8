/** Opening and closing characters that people and programs put around an address. */
const pairs: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '\u201c': '\u201d',
  '\u2018': '\u2019',
  '\u00ab': '\u00bb',
  '<': '>',
  '(': ')',
  '[': ']',
  '{': '}',
};

/** Removes matching pairs only: an unmatched closing character may be part of the code. */
function unwrap(text: string): string {
  const closing = pairs[text.charAt(0)];
  return closing !== undefined && text.endsWith(closing) && text.length > 1 ? unwrap(text.slice(1, -1)) : text;
}

/**
 * Parses the address that a user pasted. Removes white space and line breaks, because mail programs and terminals
 * break long addresses, and quotes and brackets around it; adds the scheme, which some browsers hide. Returns undefined
 * for anything but an http or https URL without a user name. Must not appear in an error: it contains a code.
 */
export function pastedUrl(text: string): URL | undefined {
  const address = unwrap(text.replaceAll(/[\s\u200b\ufeff]+/g, ''));
  const withScheme = /^https?:\/\//i.test(address) ? address : `http://${address}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  return url?.username === '' && url.password === '' ? url : undefined;
}

const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Whether a pasted address has the port and path of the redirect URI, with any loopback host. That is enough: nothing
 * is sent to the address, and `state` decides which sign-in its response belongs to.
 */
export function isSameCallbackAddress(pasted: URL, redirectUri: URL): boolean {
  return (
    loopbackHosts.has(pasted.hostname) && pasted.port === redirectUri.port && pasted.pathname === redirectUri.pathname
  );
}
