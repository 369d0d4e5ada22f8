import { getDomain } from 'tldts';

/**
 * Whether two hosts belong to one site: the same name below a public suffix (publicsuffix.org, with the suffixes of
 * hosting companies, below which everybody can have a name). Addresses and names without a dot are compared exactly,
 * but for the three names of this computer. The port counts for nothing: who owns a host owns its ports. Takes host
 * names as URLs have them.
 */
export function sameSite(one: string, other: string): boolean {
  if (one === other || (thisComputer.has(one) && thisComputer.has(other))) return true;
  const site = siteOf(one);
  return site !== null && site === siteOf(other);
}

const thisComputer: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

const siteOf = (host: string): string | null => getDomain(host, { allowPrivateDomains: true });
