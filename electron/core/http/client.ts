import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { allowedClasses, classifyAddress, hostOf, mostExposed } from './address.ts';
import { createConnector } from './connector.ts';
import { exchange } from './exchange.ts';
import { createByteBuilder } from './byte-builder.ts';
import { defined } from '../../../shared/defined.ts';
import { isLoopbackHost } from '../../../shared/loopback.ts';
import { createPools } from './pools.ts';
import type { ProxyRule } from './proxy.ts';
import { addressesOf, resolveHost, type Lookup } from './resolve.ts';
import type { ClientCertificate } from './tls-material.ts';
import type { AddressClass, Http } from './http.ts';

export interface HttpOptions {
  /** Resolves host names. Defaults to the system's resolver. */
  readonly lookup?: Lookup;
  /** Returns the class of an address. Tests replace it to simulate several networks on loopback. */
  readonly classify?: (address: string) => AddressClass;
  /** Certificate authorities (PEM) to trust in addition to the built-in ones. */
  readonly ca?: readonly string[];
  readonly certificate?: ClientCertificate;
  /** Defaults to no proxy. */
  readonly proxyFor?: ProxyRule | undefined;
  /** Returns the time in Unix ms. Tests replace it to simulate sleep. */
  readonly now?: () => number;
  /** Returns a text that differs between networks. Tests replace it to simulate a change of network. */
  readonly network?: () => string;
}

export function createHttp(options: HttpOptions = {}): Http {
  const { lookup = resolveHost, classify = classifyAddress, ca = [], certificate, proxyFor } = options;
  const pools = createPools({ now: options.now, network: options.network });
  // One pool per policy: a connection that was made under one policy is never reused under another.
  const agentFor = (allow: readonly AddressClass[]) =>
    pools.agentFor(allow.join(), () =>
      createConnector({ lookup, classify, ca, allow, ...defined({ certificate, proxyFor }) }),
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
        // Behind a proxy, public names are resolved by the proxy.
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

/** Allows https anywhere and http only to this computer; never a user name or password in the URL. */
function refuseUnsafe(url: URL): void {
  if (url.username !== '' || url.password !== '') {
    throw new AppError(
      'E_ENDPOINT_REFUSED',
      `The address of ${sanitizeExternalText(url.host)} contains a user name or password.`,
      { sent: false },
    );
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url))) return;
  throw new AppError('E_INSECURE_URL', `${sanitizeExternalText(url.host || url.protocol)} is not an https address.`, {
    sent: false,
  });
}
