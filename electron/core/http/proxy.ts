import { BlockList, isIP } from 'node:net';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';

/** A proxy that supports CONNECT. */
export interface Proxy {
  readonly protocol: 'http:' | 'https:';
  readonly hostname: string;
  readonly port: number;
  /** Host and port for messages, without the password. */
  readonly host: string;
  /** Value of the Proxy-Authorization header. */
  readonly authorization?: Secret;
}

/** Returns the proxy for an https origin, or undefined. Throws E_CONNECT if the environment names an unusable proxy. */
export type ProxyRule = (hostname: string, port: number) => Proxy | undefined;

/**
 * Reads HTTPS_PROXY (else HTTP_PROXY) and NO_PROXY like curl, lower case first. A name in NO_PROXY covers its
 * subdomains; it may also contain ports, addresses, networks (10.0.0.0/8) and `*`. Returns undefined if no proxy is
 * set.
 */
export function proxyFromEnvironment(env: Readonly<Record<string, string | undefined>>): ProxyRule | undefined {
  const read = (name: string) => env[name.toLowerCase()]?.trim() || env[name]?.trim() || undefined;
  const address = read('HTTPS_PROXY') ?? read('HTTP_PROXY');
  if (address === undefined) return undefined;
  const bypasses = parseNoProxy(read('NO_PROXY') ?? '');
  const proxy = parseProxy(address);
  return (hostname, port) => {
    if (bypasses(hostname.toLowerCase(), port)) return undefined;
    if (proxy instanceof AppError) throw proxy;
    return proxy;
  };
}

function parseProxy(text: string): Proxy | AppError {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || url.hostname === '')
    return new AppError('E_CONNECT', 'The proxy in HTTPS_PROXY is not a valid address.', { sent: false });
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return new AppError(
      'E_CONNECT',
      `The proxy ${sanitizeExternalText(url.host)} uses a protocol that Keybridge does not support ` +
        `(${sanitizeExternalText(url.protocol, 20)}).`,
      { sent: false },
    );
  }
  const { protocol } = url;
  const port = url.port === '' ? (protocol === 'https:' ? 443 : 80) : Number(url.port);
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  return { protocol, hostname, port, host: `${url.hostname}:${port}`, ...credentials(url) };
}

function credentials({ username, password }: URL): { authorization?: Secret } {
  if (username === '' && password === '') return {};
  const plain = `${percentDecode(username)}:${percentDecode(password)}`;
  return { authorization: new Secret(`Basic ${Buffer.from(plain).toString('base64')}`) };
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

type Matches = (hostname: string, port: number) => boolean;

function parseNoProxy(list: string): Matches {
  const entries = list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(parseNoProxyEntry);
  return (hostname, port) => entries.some((matches) => matches(hostname, port));
}

function parseNoProxyEntry(entry: string): Matches {
  if (entry === '*') return () => true;
  const [, address = '', prefix = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const family = isIP(address);
  if (family !== 0 && Number(prefix) <= (family === 4 ? 32 : 128))
    return withinNetwork(address, Number(prefix), family);
  if (isIP(entry) !== 0) return (hostname) => hostname === entry;
  const [, name = entry, port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  return (hostname, at) =>
    (port === undefined || Number(port) === at) && (hostname === bare || hostname.endsWith(`.${bare}`));
}

function withinNetwork(address: string, prefix: number, family: number): Matches {
  const network = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  network.addSubnet(address, prefix, kind);
  return (hostname) => isIP(hostname) === family && network.check(hostname, kind);
}
