import { AppError, sanitizeExternalText } from '../core/base/errors.ts';
import type { HttpStream } from '../core/http/http.ts';

/**
 * The URL to which a redirect sends the request. One redirect is followed, if it keeps the body (307, 308) and stays on
 * the server's origin; every other one throws E_REDIRECTED. `from`: where the request was sent. `home`: the server's
 * URL, the same object for a request that was not redirected yet.
 */
export function followRedirect(stream: HttpStream, from: URL, home: URL, server: string): URL {
  const target = redirectTarget(stream, from);
  const keepsBody = stream.status === 307 || stream.status === 308;
  if (from === home && keepsBody && target?.origin === home.origin) return target;
  const where = target ? sanitizeExternalText(`${target.origin}${target.pathname}`, 120) : 'nowhere';
  throw new AppError('E_REDIRECTED', `The server answered with a redirect to ${where}.`, { server });
}

function redirectTarget(stream: HttpStream, from: URL): URL | undefined {
  const { location } = stream.headers;
  return location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}
