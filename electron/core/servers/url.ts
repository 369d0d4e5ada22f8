import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { isLoopbackHost } from '../../../shared/loopback.ts';

/**
 * The address of an MCP server as the user typed it: https, or http on this computer; no user name or password in it;
 * no fragment. `host/path` without a scheme means https. Throws E_SERVER_URL, E_INSECURE_URL.
 */
export function parseServerUrl(text: string): URL {
  const url = parse(text.trim());
  if (url.username || url.password) {
    throw new AppError(
      'E_SERVER_URL',
      'The address has a user name or password in it. Leave it out and sign in instead.',
    );
  }
  if (url.protocol === 'http:' && !isLoopbackHost(url)) {
    throw new AppError(
      'E_INSECURE_URL',
      `The address of ${sanitizeExternalText(url.host)} is plain http: tokens sent there could be read on the way.`,
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new AppError('E_SERVER_URL', `"${sanitizeExternalText(url.protocol)}" is not an address of an MCP server.`);
  }
  url.hash = '';
  return url;
}

function parse(text: string): URL {
  const url = tryParse(text) ?? (/^[^/\s:]+\.[^/\s]+/.test(text) ? tryParse(`https://${text}`) : undefined);
  if (!url?.hostname) throw new AppError('E_SERVER_URL', `"${sanitizeExternalText(text)}" is not an address.`);
  return url;
}

function tryParse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
