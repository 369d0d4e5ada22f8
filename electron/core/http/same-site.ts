import { getDomain } from 'tldts';

/**
 * Whether two hosts belong to one site: the same name below a public suffix (publicsuffix.org, with the suffixes of hosting
 * companies, below which everybody can have a name). Addresses, `localhost` and names without a dot are compared exactly.
 * The port counts for nothing: who owns a host owns its ports. Takes host names as URLs have them, without a port.
 */
export function sameSite(one: string, other: string): boolean {
  if (one === other) return true;
  const site = siteOf(one);
  return site !== null && site === siteOf(other);
}

const siteOf = (host: string): string | null => getDomain(host, { allowPrivateDomains: true });
