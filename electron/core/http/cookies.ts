import { parseCookie } from 'undici';

/**
 * Cookies of one origin, in memory: load balancers and session servers find the right instance by them. Never logged,
 * never stored.
 */
export interface CookieJar {
  /** Keeps what an answer from this URL set; nothing from another origin. */
  keep(url: URL, setCookies: readonly string[]): void;
  /** Value of the Cookie header for a request to this URL; undefined: send none. */
  header(url: URL): string | undefined;
}

interface Kept {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** Unix ms; Infinity: as long as the jar. */
  readonly expiresAt: number;
}

/** RFC 6265 6.1 asks for at least these from a browser; one MCP server needs no more. */
const maxCookies = 50;
/** Servers refuse requests whose headers are larger than 8 to 16 KB. */
const maxHeaderBytes = 6 * 1024;
/** What a header can carry without breaking the request; `;` would begin another cookie. */
const sendable = /^[\x20-\x3a\x3c-\x7e]*$/;

/**
 * A cookie jar for exactly this origin (scheme, host, port), whatever `Domain` says: a cookie goes to no other host,
 * not even to one of the same site. `now`: Unix ms.
 */
export function createCookieJar(origin: string, now: () => number): CookieJar {
  const kept = new Map<string, Kept>();

  const keepOne = (url: URL, text: string) => {
    const cookie = parseCookie(text);
    if (
      !cookie ||
      cookie.name === '' ||
      !sendable.test(cookie.name) ||
      !sendable.test(cookie.value) ||
      !mayBeSetBy(url.hostname, cookie.domain)
    )
      return;
    const { name, value, maxAge, expires } = cookie;
    const path = cookie.path?.startsWith('/') ? cookie.path : defaultPath(url.pathname);
    const key = `${name};${path}`;
    kept.delete(key);
    const expiresAt =
      maxAge !== undefined ? now() + maxAge * 1000 : expires === undefined ? Infinity : new Date(expires).getTime();
    // A cookie that is over already deletes the one before (RFC 6265 5.3, step 11).
    if (!(expiresAt > now())) return;
    kept.set(key, { name, value, path, expiresAt });
    for (const oldest of kept.keys()) {
      if (kept.size <= maxCookies) break;
      kept.delete(oldest);
    }
  };

  return {
    keep(url, setCookies) {
      if (url.origin !== origin) return;
      for (const text of setCookies) keepOne(url, text);
    },
    header(url) {
      if (url.origin !== origin || kept.size === 0) return undefined;
      const pairs: string[] = [];
      let bytes = 0;
      // Longer paths first (RFC 6265 5.4, step 2).
      for (const { name, value, path, expiresAt } of [...kept.values()].sort((a, b) => b.path.length - a.path.length)) {
        if (expiresAt <= now() || !pathMatches(url.pathname, path)) continue;
        bytes += name.length + value.length + 3;
        if (bytes > maxHeaderBytes) break;
        pairs.push(`${name}=${value}`);
      }
      return pairs.length > 0 ? pairs.join('; ') : undefined;
    },
  };
}

/** RFC 6265 5.3, step 6: a host cannot set a cookie for a domain that it does not lie in. */
function mayBeSetBy(hostname: string, domain: string | undefined): boolean {
  if (domain === undefined || domain === '') return true;
  const wanted = domain.toLowerCase().replace(/^\./, '');
  return hostname === wanted || hostname.endsWith(`.${wanted}`);
}

/** RFC 6265 5.1.4. */
const defaultPath = (pathname: string): string => pathname.slice(0, Math.max(pathname.lastIndexOf('/'), 1));

function pathMatches(requested: string, path: string): boolean {
  return requested === path || requested.startsWith(path.endsWith('/') ? path : `${path}/`);
}
