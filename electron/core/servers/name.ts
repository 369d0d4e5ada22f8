import { ServerName } from '../../../shared/model.ts';
import { sanitizeExternalText } from '../base/errors.ts';

/** Labels of a host name that do not identify the service. */
const genericLabels = new Set([
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
  'co',
  'cloud',
]);

/**
 * Derives a server name from its address: `linear` from `https://mcp.linear.app/sse`, `local` from a loopback address.
 * Appends a number if the name is taken.
 */
export const suggestName = (url: URL, isTaken: (name: string) => boolean = () => false): string =>
  firstFree(nameFrom(url), isTaken);

/**
 * Returns the name for a server that a user calls `requested`: that itself if it is a valid name; otherwise one made
 * of its letters and digits ("Büro Wiki" gives `buro-wiki`), or of the address if it has none.
 */
export function namesFor(
  requested: string,
  url: URL,
  isTaken: (name: string) => boolean,
): { readonly name: string; readonly title?: string } {
  if (ServerName.safeParse(requested).success) return { name: requested };
  const title = sanitizeExternalText(requested, 100).replaceAll(/ +/g, ' ');
  const plain = title.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const name = plain
    .replaceAll(/[^a-z0-9._]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .replace(/-+$/, '')
    .slice(0, 40);
  return { name: firstFree(name === '' ? nameFrom(url) : name, isTaken), ...(title === '' ? {} : { title }) };
}

function firstFree(base: string, isTaken: (name: string) => boolean): string {
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!isTaken(name)) return name;
  }
}

function nameFrom({ hostname }: URL): string {
  if (hostname === 'localhost' || /^[\d.]+$/.test(hostname) || hostname.startsWith('[')) return 'local';
  const labels = hostname.split('.').filter((label) => !genericLabels.has(label));
  // In `login.example` the last label that is not generic is the name of the service.
  const name = (labels.at(-1) ?? hostname).toLowerCase().replace(/[^a-z0-9._-]/g, '-');
  return /^[a-z0-9]/.test(name) ? name.slice(0, 40) : `server-${name}`.slice(0, 40);
}
