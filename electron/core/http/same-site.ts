import { getDomain } from 'tldts';

/**
 * Whether two hosts belong to the same site: the same registrable domain (publicsuffix.org, including the suffixes of
 * hosting companies, where anyone can get a name). IP addresses and names without a dot are compared exactly, except
 * that the three names of this computer are equal. Ports do not matter: whoever owns a host owns its ports. Takes host
 * names as in `URL.hostname`.
 */
export function sameSite(one: string, other: string): boolean {
  if (one === other || (thisComputer.has(one) && thisComputer.has(other))) return true;
  const site = siteOf(one);
  return site !== null && site === siteOf(other);
}

const thisComputer: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

const siteOf = (host: string): string | null => getDomain(host, { allowPrivateDomains: true });
