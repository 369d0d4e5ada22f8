import { AppError, foreign } from '../base/errors.ts';
import { classesFor, classifyAddress, hostOf, mostExposed } from './address.ts';
import { addressesOf, createConnector, resolveHost, type Lookup } from './connector.ts';
import { exchange } from './exchange.ts';
import { createGathering } from './gathering.ts';
import { isLoopbackHost } from '../../../shared/loopback.ts';
import { createPools } from './pools.ts';
import type { ProxyRule } from './proxy.ts';
import type { ClientCertificate, TlsMaterial } from './tls-material.ts';

/**
 * What kind of address a host name leads to. The threat: a remote server that points us into the user's own network.
 */
export type AddressClass = 'public' | 'private' | 'loopback' | 'link_local' | 'unspecified';

/**
 * Where a server lies, by the address that a request to it was really connected to. A request to its own origin may
 * connect to this class alone, another one on its behalf to the internet and this class.
 */
export interface ServerNetwork {
  readonly origin: string;
  readonly own: AddressClass;
}

/** The address classes that a request may connect to. Checked on the resolved address that is then connected to. */
export type AddressPolicy = readonly AddressClass[] | ServerNetwork;

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Names in lower case. Never a header that belongs to another origin. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly allow: AddressPolicy;
  /**
   * It gets tokens, at the authorization server: the client certificate (RFC 8705) and the proof of the key (RFC 9449)
   * that the server's settings ask for are meant for it, although it may go to another origin than the server's.
   */
  readonly forTokens?: boolean;
  /** The Bearer token in it is no access token of the server's (RFC 7591, RFC 7592), and never bound to a key. */
  readonly ownBearer?: boolean;
  /** `fetch`: for everything. `open`: until the headers are there. */
  readonly timeoutMs: number;
  /** Decoded bytes of the body; more is E_TOO_LARGE. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface HttpHead {
  readonly status: number;
  /** Names in lower case; a repeated header is joined with ", ". Without Set-Cookie. */
  readonly headers: Readonly<Record<string, string>>;
  /** Each Set-Cookie header as it came, of `open`. */
  readonly setCookies?: readonly string[];
}

export interface HttpAnswer extends HttpHead {
  readonly body: Buffer;
}

export interface HttpStream extends HttpHead {
  /** Errors of the stream are AppErrors. Must be read to its end or destroyed. */
  readonly body: AsyncIterable<Buffer> & { destroy(): void };
}

/**
 * The one HTTP client. It never follows a redirect (the caller sees the 3xx), keeps no cookies, sends no
 * Accept-Encoding, and accepts http only for loopback addresses. Faults are AppErrors with `sent` set: E_DNS,
 * E_CONNECT, E_TLS, E_TIMEOUT, E_CONNECTION_LOST, E_TOO_LARGE, E_ADDRESS_REFUSED, E_INSECURE_URL, E_CANCELLED (the
 * signal).
 */
export interface Http {
  /** A small answer as a whole. */
  fetch(request: HttpRequest): Promise<HttpAnswer>;
  /** The head as soon as it is there, the body as it comes. Streams have no idle limit. */
  open(request: HttpRequest): Promise<HttpStream>;
  /**
   * The classes of all addresses of a URL's host, most exposed first. Only for an address that the browser will open: a
   * name can have another address the next time, so what Keybridge connects to is decided at the connection (`allow`).
   * E_DNS when there are none.
   */
  classOf(url: URL): Promise<AddressClass>;
  /**
   * A client of its own, with its own connections, that trusts or shows certificates besides. To be closed by itself.
   */
  withTls(material: TlsMaterial): Http;
  close(): Promise<void>;
}

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
      const { status, headers, body } = await exchange(agentFor(classesFor(request.allow, request.url)), request, {
        limit: 'all',
      });
      const all = createGathering();
      for await (const chunk of body) all.add(chunk);
      return { status, headers, body: all.take() };
    },
    async open(request) {
      refuseUnsafe(request.url);
      return exchange(agentFor(classesFor(request.allow, request.url)), request, { limit: 'head' });
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
    throw new AppError('E_ENDPOINT_REFUSED', `The address of ${foreign(url.host)} has a user name or password in it.`, {
      sent: false,
    });
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url))) return;
  throw new AppError('E_INSECURE_URL', `${foreign(url.host || url.protocol)} is not an https address.`, {
    sent: false,
  });
}
