/** Parts of a host name that say nothing about the service. */
const filler = new Set(['www', 'mcp', 'api', 'app', 'remote', 'server', 'ai', 'com', 'org', 'net', 'io', 'dev', 'app', 'co', 'cloud']);

/**
 * A name for a server from its address: `https://mcp.linear.app/sse` gives `linear`, a loopback address gives `local`.
 * A number is added while `isTaken` says so.
 */
export function suggestName(url: URL, isTaken: (name: string) => boolean = () => false): string {
  const base = nameFrom(url);
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
