import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { buildConnector } from 'undici';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { withLimit } from '../base/async.ts';
import { systemClock } from '../base/system-clock.ts';
import { classifyAddress } from './address.ts';
import { connectFault, dnsFault } from './faults.ts';
import { resumeParserOnEnd } from './paused-parser.ts';
import type { Proxy, ProxyRule } from './proxy.ts';
import { trustedRoots } from './roots.ts';
import type { ClientCertificate } from './tls-material.ts';
import { openTunnel } from './tunnel.ts';
import type { AddressClass } from './http.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a host name. Rejects when there are none. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** Time for DNS, TCP and TLS together. */
const connectTimeoutMs = 10_000;
/** Time for one of several addresses before the next is tried too. Node's 250 ms is too short for far servers. */
const perAddressMs = 1_500;
/** Behind a proxy the names of the internet often cannot be resolved at all, and need not be. */
const proxiedLookupMs = 3_000;

export interface ConnectorOptions {
  readonly lookup: Lookup;
  readonly classify: (address: string) => AddressClass;
  /** Further trusted certificate authorities (PEM). */
  readonly ca?: readonly string[];
  readonly certificate?: ClientCertificate;
  readonly proxyFor?: ProxyRule;
  readonly allow: readonly AddressClass[];
}

/** The system's resolver; `localhost` is this computer whatever a hosts file or a DNS server says (RFC 6761 6.3). */
export const resolveHost: Lookup = (hostname) => {
  if (hostname === 'localhost')
    return Promise.resolve([
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]);
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) =>
      error ? reject(error) : resolve(addresses),
    );
  });
};

/** The addresses of a host, literal or by name, within 10 s. Throws E_DNS. */
export async function addressesOf(
  hostname: string,
  lookup: Lookup,
  withinMs = connectTimeoutMs,
): Promise<readonly ResolvedAddress[]> {
  const family = isIP(hostname);
  if (family !== 0) return [{ address: hostname, family }];
  let addresses: readonly ResolvedAddress[];
  try {
    // A resolver without a network can take a minute.
    addresses = await withLimit(lookup(hostname), {
      clock: systemClock(),
      ms: withinMs,
      late: () => {
        throw new Error('the resolver does not answer');
      },
    });
  } catch (error) {
    throw dnsFault(hostname, error);
  }
  if (addresses.length === 0) throw dnsFault(hostname, undefined);
  return addresses;
}

/**
 * Connects only to addresses that the policy allows. The check is on the very address that is then connected to, so a
 * name that changes its mind between check and use (DNS rebinding) gains nothing. One forbidden address among several
 * refuses them all. Through a proxy, the proxy resolves: see `proxyOnTheWay`. Every error is an AppError with
 * `sent: false`.
 */
export function createConnector({
  lookup,
  classify,
  ca,
  certificate,
  proxyFor,
  allow,
}: ConnectorOptions): buildConnector.connector {
  const check = (hostname: string, { address }: ResolvedAddress) => {
    // `localhost` may use plain http, so it has to be this computer in truth.
    const spoofed = hostname === 'localhost' && classifyAddress(address) !== 'loopback';
    if (spoofed || !allow.includes(classify(address))) throw refused(hostname, classify(address));
  };

  const checked = callbackify(async (hostname: string) => {
    const addresses = await addressesOf(hostname, lookup);
    for (const address of addresses) check(hostname, address);
    return addresses.map(({ address, family }) => ({ address, family }));
  });
  const checkedLookup: LookupFunction = (hostname, options, callback) =>
    checked(hostname, (error, addresses) => {
      if (error) return callback(error, '');
      return options.all
        ? callback(null, addresses)
        : callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });

  const roots = ca && ca.length > 0 ? [...trustedRoots(), ...ca] : undefined;
  const connect = buildConnector({
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off.
    rejectUnauthorized: true,
    ...(roots ? { ca: roots } : {}),
    ...certificate?.tls,
    lookup: checkedLookup,
    timeout: connectTimeoutMs,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: perAddressMs,
  });

  /**
   * The proxy to a public address, if there is one. What this computer resolves is checked here, and a forbidden
   * address is refused; what only the proxy can resolve counts as public, because the proxy is where the public begins.
   * There, the certificate alone says who answers.
   */
  const proxyOnTheWay = async (hostname: string, port: number): Promise<Proxy | undefined> => {
    const proxy = proxyFor?.(hostname, port);
    if (!proxy || hostname === 'localhost') return undefined;
    const addresses = await addressesOf(hostname, lookup, proxiedLookupMs).catch(() => undefined);
    for (const address of addresses ?? []) check(hostname, address);
    if (!addresses && !allow.includes('public')) throw dnsFault(hostname, undefined);
    return addresses && !addresses.every(({ address }) => classify(address) === 'public') ? undefined : proxy;
  };

  const begin = async (options: buildConnector.Options): Promise<buildConnector.Options> => {
    const { hostname } = options;
    const family = isIP(hostname);
    // net.connect asks no resolver for a literal address.
    if (family !== 0) check(hostname, { address: hostname, family });
    // Plain http is for this computer alone, and never goes through a proxy.
    if (!proxyFor || options.protocol !== 'https:') return options;
    const port = Number(options.port || 443);
    const proxy = await proxyOnTheWay(hostname, port);
    if (!proxy) return options;
    const target = `${family === 6 ? `[${hostname}]` : hostname}:${port}`;
    return { ...options, httpSocket: await openTunnel(proxy, target, connectTimeoutMs, roots) };
  };

  const run = async (options: buildConnector.Options, callback: buildConnector.Callback): Promise<void> => {
    const fail = (error: unknown) => callback(connectFault(error, options.host ?? options.hostname), null);
    let ready: buildConnector.Options;
    try {
      ready = await begin(options);
    } catch (error) {
      return fail(error);
    }
    connect(ready, (...[error, socket]) => {
      if (error) return fail(error);
      resumeParserOnEnd(socket);
      callback(null, socket);
    });
  };

  return (options, callback) => void run(options, callback);
}

const places: Record<AddressClass, string> = {
  public: 'on the internet',
  private: 'inside a private network',
  loopback: 'on this computer',
  link_local: 'on the local link',
  unspecified: 'that leads nowhere',
};

function refused(hostname: string, found: AddressClass): AppError {
  return new AppError(
    'E_ADDRESS_REFUSED',
    `${sanitizeExternalText(hostname)} is an address ${places[found]}, where this server has no business.`,
    { sent: false },
  );
}
