import { ServerName } from '../../../shared/model.ts';
import { sanitizeExternalText } from '../base/errors.ts';

/** Parts of a host name that say nothing about the service. */
const filler = new Set([
  'www',
  'mcp',
  'api',
  'app',
  'remote',
  'server',
  'ai',
  'com',
  'org',
  'net',
  'io',
  'dev',
  'app',
  'co',
  'cloud',
]);

/**
 * A name for a server from its address: `https://mcp.linear.app/sse` gives `linear`, a loopback address gives `local`.
 * A number is added while `isTaken` says so.
 */
export const suggestName = (url: URL, isTaken: (name: string) => boolean = () => false): string =>
  free(nameFrom(url), isTaken);

/**
 * What a server that a person calls `wanted` is named by: itself where a command line takes it, else a name made from
 * its letters and digits ("Büro Wiki" gives `buro-wiki`), or from the address where it has none.
 */
export function namesFor(
  wanted: string,
  url: URL,
  isTaken: (name: string) => boolean,
): { readonly name: string; readonly title?: string } {
  if (ServerName.safeParse(wanted).success) return { name: wanted };
  const title = sanitizeExternalText(wanted, 100).replaceAll(/ +/g, ' ');
  const plain = title.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const name = plain
    .replaceAll(/[^a-z0-9._]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .replace(/-+$/, '')
    .slice(0, 40);
  return { name: free(name === '' ? nameFrom(url) : name, isTaken), ...(title === '' ? {} : { title }) };
}

function free(base: string, isTaken: (name: string) => boolean): string {
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!isTaken(name)) return name;
  }
}

function nameFrom({ hostname }: URL): string {
  if (hostname === 'localhost' || /^[\d.]+$/.test(hostname) || hostname.startsWith('[')) return 'local';
  const labels = hostname.split('.').filter((label) => !filler.has(label));
  // Of `login.example` the last label that says something is the service's own name.
  const name = (labels.at(-1) ?? hostname).toLowerCase().replace(/[^a-z0-9._-]/g, '-');
  return /^[a-z0-9]/.test(name) ? name.slice(0, 40) : `server-${name}`.slice(0, 40);
}
