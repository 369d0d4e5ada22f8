/** Characters that people and programs put around an address. */
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

/** Without the quotes and brackets around it. A closing one without an opening one may be part of the code. */
function unwrapped(text: string): string {
  const closer = pairs[text.charAt(0)];
  return closer !== undefined && text.endsWith(closer) && text.length > 1 ? unwrapped(text.slice(1, -1)) : text;
}

/**
 * The address that a person pasted, as text: white space and line breaks are gone (an address has none, but mail
 * programs and terminals break long ones), so are quotes and brackets around it, and a scheme that browsers do not show
 * is put in front. Undefined when it is no address of http or https. Nothing of it goes into an error: there is a code
 * in it.
 */
export function pastedUrl(text: string): URL | undefined {
  const bare = unwrapped(text.replaceAll(/[\s\u200b\ufeff]+/g, ''));
  const whole = /^https?:\/\//i.test(bare) ? bare : `http://${bare}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  return url?.username === '' && url.password === '' ? url : undefined;
}

const thisComputer: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * The same port and path of this computer, by any of its names: nothing is sent there, and `state` decides whose answer
 * it is.
 */
export function isSameCallbackAddress(given: URL, wanted: URL): boolean {
  return thisComputer.has(given.hostname) && given.port === wanted.port && given.pathname === wanted.pathname;
}
