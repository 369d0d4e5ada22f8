import { AppError, sanitizeExternalText } from '../core/base/errors.ts';
import type { HttpStream } from '../core/http/http.ts';

/**
 * Where a redirect of the server leads: once, with the body, and within the server's own origin. Throws E_REDIRECTED
 * otherwise.
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
