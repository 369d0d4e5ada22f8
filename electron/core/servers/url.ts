import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { isLoopbackHost } from '../../../shared/loopback.ts';

/**
 * Parses the address of an MCP server as typed by the user: https, or http to this computer, without user name and
 * password. Removes the fragment; `host/path` without a scheme means https. Throws E_SERVER_URL, E_INSECURE_URL.
 */
export function parseServerUrl(text: string): URL {
  const url = parse(text.trim());
  if (url.username || url.password) {
    throw new AppError('E_SERVER_URL', 'The address contains a user name or password. Remove it, and sign in instead.');
  }
  if (url.protocol === 'http:' && !isLoopbackHost(url)) {
    throw new AppError(
      'E_INSECURE_URL',
      `The address of ${sanitizeExternalText(url.host)} is plain http: others could read tokens sent there.`,
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new AppError('E_SERVER_URL', `An MCP server cannot have a "${sanitizeExternalText(url.protocol)}" address.`);
  }
  url.hash = '';
  return url;
}

function parse(text: string): URL {
  const url = tryParse(text) ?? (/^[^/\s:]+\.[^/\s]+/.test(text) ? tryParse(`https://${text}`) : undefined);
  if (!url?.hostname) throw new AppError('E_SERVER_URL', `"${sanitizeExternalText(text)}" is not a valid address.`);
  return url;
}

function tryParse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
