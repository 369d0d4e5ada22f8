import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { isLoopbackHost } from '../../../shared/loopback.ts';

/**
 * What no honest URL has: white space, control, bidi and zero-width characters, and the backslash that parsers bend.
 */
const odd = /[\u0000-\u0020\u007f-\u00a0\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\\]/;

/**
 * A URL from metadata that we will open or send secrets to: https, or http on this computer; no user name in it.
 * Returns the URL as parsed, so that only its own serialisation is used further on. Throws E_ENDPOINT_REFUSED.
 */
export function checkEndpoint(name: string, text: string): URL {
  const url = odd.test(text) || !URL.canParse(text) ? undefined : new URL(text);
  if (!url) throw refused(name, 'is not a URL', text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused(name, 'is not an https address', text);
  if (url.username !== '' || url.password !== '') throw refused(name, 'contains a user name', url.host);
  if (url.protocol === 'http:' && !isLoopbackHost(url))
    throw refused(name, 'uses plain http, which others on the network can read', url.host);
  return url;
}

function refused(name: string, why: string, what: string): AppError {
  return new AppError('E_ENDPOINT_REFUSED', `The ${name} ${why}: "${sanitizeExternalText(what)}".`);
}

/** Origin and path, for a message: a query can hold a secret. */
export function displayUrl(url: URL): string {
  return sanitizeExternalText(`${url.origin}${url.pathname}`, 120);
}
