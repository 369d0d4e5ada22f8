import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { allowedClasses, classifyAddress, hostOf, mostExposed } from './address.ts';
import { addressesOf, createConnector, resolveHost, type Lookup } from './connector.ts';
import { exchange } from './exchange.ts';
import { createByteBuilder } from './byte-builder.ts';
import { isLoopbackHost } from '../../../shared/loopback.ts';
import { createPools } from './pools.ts';
import type { ProxyRule } from './proxy.ts';
import type { ClientCertificate } from './tls-material.ts';
import type { AddressClass, Http } from './http.ts';

export interface HttpOptions {
  /** Resolves host names; the system's resolver when absent. */
  readonly lookup?: Lookup;
  /** The class of an address; for tests that play several networks on loopback. */
  readonly classify?: (address: string) => AddressClass;
  /** Certificate authorities (PEM) that are trusted next to the built-in ones. */
  readonly ca?: readonly string[];
  readonly certificate?: ClientCertificate;
  /** Absent: no proxy. */
  readonly proxyFor?: ProxyRule | undefined;
  /**
   * Unix ms, and what tells one network from another; for tests of what sleep and a change of network do to
   * connections.
   */
  readonly now?: () => number;
  readonly network?: () => string;
}

export function createHttp(options: HttpOptions = {}): Http {
  const { lookup = resolveHost, classify = classifyAddress, ca = [], certificate, proxyFor } = options;
  const pools = createPools({ now: options.now, network: options.network });
  // One pool per policy, never shared: a connection that one server may have is not there for another to reuse.
  const agentFor = (allow: readonly AddressClass[]) =>
    pools.agentFor(allow.join(), () =>
      createConnector({
        lookup,
        classify,
        ca,
        allow,
        ...(certificate ? { certificate } : {}),
        ...(proxyFor ? { proxyFor } : {}),
      }),
    );

  return {
    async fetch(request) {
      refuseUnsafe(request.url);
      const { status, headers, body } = await exchange(agentFor(allowedClasses(request.allow, request.url)), request, {
        limit: 'all',
      });
      const all = createByteBuilder();
      for await (const chunk of body) all.add(chunk);
      return { status, headers, body: all.take() };
    },
    async open(request) {
      refuseUnsafe(request.url);
      return exchange(agentFor(allowedClasses(request.allow, request.url)), request, { limit: 'head' });
    },
    async classOf(url) {
      try {
        const addresses = await addressesOf(hostOf(url), lookup);
        return mostExposed(addresses.map(({ address }) => classify(address)));
      } catch (error) {
        // Behind a proxy it is the proxy that finds the names of the internet.
        if (url.protocol === 'https:' && proxyFor?.(hostOf(url), Number(url.port || 443))) return 'public';
        throw error;
      }
    },
    withTls: (material) => createHttp({ ...options, ...material, ca: [...ca, ...(material.ca ?? [])] }),
    async close() {
      await pools.destroy();
    },
  };
}

/** https anywhere, http only on this computer, and never a password in the address. */
function refuseUnsafe(url: URL): void {
  if (url.username !== '' || url.password !== '') {
    throw new AppError(
      'E_ENDPOINT_REFUSED',
      `The address of ${sanitizeExternalText(url.host)} has a user name or password in it.`,
      { sent: false },
    );
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url))) return;
  throw new AppError('E_INSECURE_URL', `${sanitizeExternalText(url.host || url.protocol)} is not an https address.`, {
    sent: false,
  });
}
