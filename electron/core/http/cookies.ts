import { parseCookie } from 'undici';

/**
 * Cookies of one origin, kept in memory: load balancers use them to route requests to the instance that has the
 * session. Never logged or stored.
 */
export interface CookieJar {
  /** Stores the cookies that a response from this URL sets. Ignores other origins. */
  keep(url: URL, setCookies: readonly string[]): void;
  /** Returns the Cookie header for a request to this URL, or undefined if there is nothing to send. */
  header(url: URL): string | undefined;
}

interface StoredCookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** Unix ms. Infinity for a session cookie, which lives as long as the jar. */
  readonly expiresAt: number;
}

/** The minimum per domain that RFC 6265 6.1 requires of browsers; one MCP server needs no more. */
const maxCookies = 50;
/** Servers reject requests with more than 8 to 16 KB of headers. */
const maxHeaderBytes = 6 * 1024;
/** Characters that are safe in a Cookie header; `;` would start another cookie. */
const headerSafe = /^[\x20-\x3a\x3c-\x7e]*$/;

/**
 * Creates a cookie jar for exactly one origin (scheme, host, port). Unlike in a browser, `Domain` does not widen it: a
 * cookie is never sent to another host, not even within the same site. `now`: Unix ms.
 */
export function createCookieJar(origin: string, now: () => number): CookieJar {
  const stored = new Map<string, StoredCookie>();

  const store = (url: URL, text: string) => {
    const cookie = parseCookie(text);
    if (
      !cookie ||
      cookie.name === '' ||
      !headerSafe.test(cookie.name) ||
      !headerSafe.test(cookie.value) ||
      !mayBeSetBy(url.hostname, cookie.domain)
    )
      return;
    const { name, value, maxAge, expires } = cookie;
    const path = cookie.path?.startsWith('/') ? cookie.path : defaultPath(url.pathname);
    const key = `${name};${path}`;
    stored.delete(key);
    const expiresAt =
      maxAge !== undefined ? now() + maxAge * 1000 : expires === undefined ? Infinity : new Date(expires).getTime();
    // An expired cookie only deletes its predecessor (RFC 6265 5.3, step 11).
    if (!(expiresAt > now())) return;
    stored.set(key, { name, value, path, expiresAt });
    for (const oldest of stored.keys()) {
      if (stored.size <= maxCookies) break;
      stored.delete(oldest);
    }
  };

  return {
    keep(url, setCookies) {
      if (url.origin !== origin) return;
      for (const text of setCookies) store(url, text);
    },
    header(url) {
      if (url.origin !== origin || stored.size === 0) return undefined;
      const pairs: string[] = [];
      let bytes = 0;
      // Longer paths first (RFC 6265 5.4, step 2).
      const byPath = [...stored.values()].sort((a, b) => b.path.length - a.path.length);
      for (const { name, value, path, expiresAt } of byPath) {
        if (expiresAt <= now() || !pathMatches(url.pathname, path)) continue;
        bytes += name.length + value.length + 3;
        if (bytes > maxHeaderBytes) break;
        pairs.push(`${name}=${value}`);
      }
      return pairs.length > 0 ? pairs.join('; ') : undefined;
    },
  };
}

/** RFC 6265 5.3, step 6: a host cannot set a cookie for a domain that it does not belong to. */
function mayBeSetBy(hostname: string, domain: string | undefined): boolean {
  if (domain === undefined || domain === '') return true;
  const normalized = domain.toLowerCase().replace(/^\./, '');
  return hostname === normalized || hostname.endsWith(`.${normalized}`);
}

/** RFC 6265 5.1.4. */
const defaultPath = (pathname: string): string => pathname.slice(0, Math.max(pathname.lastIndexOf('/'), 1));

function pathMatches(requested: string, path: string): boolean {
  return requested === path || requested.startsWith(path.endsWith('/') ? path : `${path}/`);
}
