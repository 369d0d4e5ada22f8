import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { isLoopbackHost } from '../../../shared/loopback.ts';

/**
 * Never in an honest URL: white space, control, bidi and zero-width characters, and backslashes, which parsers convert.
 */
const suspicious = /[\u0000-\u0020\u007f-\u00a0\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\\]/;

/**
 * Checks a URL from metadata that will be opened or receive secrets: https, or http on this computer, without a user
 * name. Returns the parsed URL; use only that, never the text. Throws E_ENDPOINT_REFUSED.
 */
export function checkEndpoint(name: string, text: string): URL {
  const url = suspicious.test(text) || !URL.canParse(text) ? undefined : new URL(text);
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

/** Origin and path, for messages. Without the query, which may contain a secret. */
export function displayUrl(url: URL): string {
  return sanitizeExternalText(`${url.origin}${url.pathname}`, 120);
}
