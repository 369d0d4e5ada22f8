import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { buildConnector } from 'undici';
import { defined } from '../../../shared/defined.ts';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { classifyAddress } from './address.ts';
import { connectFault, dnsFault } from './faults.ts';
import type { AddressClass } from './http.ts';
import { resumeParserOnEnd } from './paused-parser.ts';
import type { Proxy, ProxyRule } from './proxy.ts';
import { addressesOf, type Lookup, type ResolvedAddress } from './resolve.ts';
import { trustedRoots } from './roots.ts';
import type { ClientCertificate } from './tls-material.ts';
import { openTunnel } from './tunnel.ts';

/** Covers DNS, TCP and TLS together. */
const connectTimeoutMs = 10_000;
/** After this long the next address of a host is tried as well. Node's 250 ms is too short for distant servers. */
const perAddressMs = 1_500;
/** Behind a proxy, public names often cannot be resolved locally, and need not be. */
const proxiedLookupMs = 3_000;

export interface ConnectorOptions {
  readonly lookup: Lookup;
  readonly classify: (address: string) => AddressClass;
  /** Additional trusted certificate authorities (PEM). */
  readonly ca?: readonly string[];
  readonly certificate?: ClientCertificate;
  readonly proxyFor?: ProxyRule;
  readonly allow: readonly AddressClass[];
}

/** Throws E_ADDRESS_REFUSED for an address that the policy does not allow. */
type AddressCheck = (hostname: string, resolved: ResolvedAddress) => void;

/**
 * Connects only to addresses that the policy allows. It checks the very address that it then connects to, so DNS
 * rebinding (a name that resolves differently between check and use) gains an attacker nothing. If any one of several
 * addresses is forbidden, all are refused. Through a proxy, the proxy resolves: see `proxyToUse`. Every error is an
 * AppError with `sent: false`.
 */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const { lookup, ca, certificate, proxyFor } = options;
  const check = addressCheck(options);
  const roots = ca && ca.length > 0 ? [...trustedRoots(), ...ca] : undefined;
  const connect = buildConnector({
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off.
    rejectUnauthorized: true,
    ...defined({ ca: roots }),
    ...certificate?.tls,
    lookup: checkedLookup(lookup, check),
    timeout: connectTimeoutMs,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: perAddressMs,
  });

  const throughProxy = async (target: buildConnector.Options): Promise<buildConnector.Options> => {
    const { hostname } = target;
    const family = isIP(hostname);
    // net.connect does not call `lookup` for a literal address.
    if (family !== 0) check(hostname, { address: hostname, family });
    // Plain http is only allowed to this computer, and never goes through a proxy.
    if (!proxyFor || target.protocol !== 'https:') return target;
    const port = Number(target.port || 443);
    const proxy = await proxyToUse(options, check, hostname, port);
    if (!proxy) return target;
    const authority = `${family === 6 ? `[${hostname}]` : hostname}:${port}`;
    return { ...target, httpSocket: await openTunnel(proxy, authority, connectTimeoutMs, roots) };
  };

  const run = async (target: buildConnector.Options, callback: buildConnector.Callback): Promise<void> => {
    const fail = (error: unknown) => callback(connectFault(error, target.host ?? target.hostname), null);
    let ready: buildConnector.Options;
    try {
      ready = await throughProxy(target);
    } catch (error) {
      return fail(error);
    }
    connect(ready, (...[error, socket]) => {
      if (error) return fail(error);
      resumeParserOnEnd(socket);
      callback(null, socket);
    });
  };

  return (target, callback) => void run(target, callback);
}

const addressCheck =
  ({ classify, allow }: ConnectorOptions): AddressCheck =>
  (hostname, { address }) => {
    // Plain http is allowed to `localhost`, so that name must really be this computer.
    const spoofed = hostname === 'localhost' && classifyAddress(address) !== 'loopback';
    if (spoofed || !allow.includes(classify(address))) throw addressRefused(hostname, classify(address));
  };

function checkedLookup(lookup: Lookup, check: AddressCheck): LookupFunction {
  const resolve = callbackify(async (hostname: string) => {
    const addresses = await addressesOf(hostname, lookup);
    for (const address of addresses) check(hostname, address);
    return addresses.map(({ address, family }) => ({ address, family }));
  });
  return (hostname, options, callback) =>
    resolve(hostname, (error, addresses) => {
      if (error) return callback(error, '');
      return options.all
        ? callback(null, addresses)
        : callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
}

/**
 * Returns the proxy to use for a host, or undefined to connect directly. Addresses that this computer can resolve are
 * checked here. A name that only the proxy can resolve counts as public, because the proxy is the way to the internet;
 * what the name leads to is then proved by the certificate alone.
 */
async function proxyToUse(
  { lookup, classify, proxyFor, allow }: ConnectorOptions,
  check: AddressCheck,
  hostname: string,
  port: number,
): Promise<Proxy | undefined> {
  const proxy = proxyFor?.(hostname, port);
  if (!proxy || hostname === 'localhost') return undefined;
  const addresses = await addressesOf(hostname, lookup, proxiedLookupMs).catch(() => undefined);
  for (const address of addresses ?? []) check(hostname, address);
  if (!addresses && !allow.includes('public')) throw dnsFault(hostname, undefined);
  return addresses && !addresses.every(({ address }) => classify(address) === 'public') ? undefined : proxy;
}

const locations: Record<AddressClass, string> = {
  public: 'on the internet',
  private: 'inside a private network',
  loopback: 'on this computer',
  link_local: 'on the local link',
  unspecified: 'not usable',
};

const addressRefused = (hostname: string, addressClass: AddressClass) =>
  new AppError(
    'E_ADDRESS_REFUSED',
    `Keybridge may not connect to ${sanitizeExternalText(hostname)} for this server: ` +
      `the address is ${locations[addressClass]}.`,
    { sent: false },
  );
