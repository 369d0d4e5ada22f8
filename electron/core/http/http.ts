import type { TlsMaterial } from './tls-material.ts';

/**
 * The kind of network that an IP address belongs to. The threat: a remote server pointing us into the user's network.
 */
export type AddressClass = 'public' | 'private' | 'loopback' | 'link_local' | 'unspecified';

/**
 * The network of a server, determined by the address that a request to it actually connected to. Requests to its own
 * origin may connect to this class only; other requests on its behalf, to the internet as well.
 */
export interface ServerNetwork {
  readonly origin: string;
  readonly own: AddressClass;
}

/** The address classes that a request may connect to. Checked on the resolved address that is actually used. */
export type AddressPolicy = readonly AddressClass[] | ServerNetwork;

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Names in lower case. Never contains credentials for another origin. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly allow: AddressPolicy;
  /**
   * True for requests to the authorization server's endpoints: they carry the client certificate (RFC 8705) and DPoP
   * proof (RFC 9449) that the server's settings call for, even at another origin than the server's.
   */
  readonly forTokens?: boolean;
  /**
   * True: the Bearer token is a registration token (RFC 7591, RFC 7592), not an access token; it is never DPoP-bound.
   */
  readonly ownBearer?: boolean;
  /** For `fetch`, until the body is complete. For `open`, until the headers have arrived. */
  readonly timeoutMs: number;
  /** Limit on the decoded body; beyond it, E_TOO_LARGE. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface HttpHead {
  readonly status: number;
  /** Names in lower case; repeated headers are joined with ", ". Without Set-Cookie. */
  readonly headers: Readonly<Record<string, string>>;
  /** The Set-Cookie headers as received. `open` only. */
  readonly setCookies?: readonly string[];
}

export interface HttpResponse extends HttpHead {
  readonly body: Buffer;
}

export interface HttpStream extends HttpHead {
  /** Throws AppErrors. Must be read to its end or destroyed. */
  readonly body: AsyncIterable<Buffer> & { destroy(): void };
}

/**
 * The HTTP client for all requests. It never follows redirects, keeps no cookies, sends no Accept-Encoding, and allows
 * http only to loopback addresses. Throws AppErrors with `sent` set: E_DNS, E_CONNECT, E_TLS, E_TIMEOUT,
 * E_CONNECTION_LOST, E_TOO_LARGE, E_ADDRESS_REFUSED, E_INSECURE_URL, E_ENDPOINT_REFUSED, and E_CANCELLED when the
 * signal fires.
 */
export interface Http {
  /** Returns the whole response; for small ones. */
  fetch(request: HttpRequest): Promise<HttpResponse>;
  /** Resolves when the headers have arrived; the body is then read as a stream, without an idle limit. */
  open(request: HttpRequest): Promise<HttpStream>;
  /**
   * Returns the most exposed class of the host's addresses. Only for URLs that the browser will open: a name may
   * resolve differently the next time, so for our own requests `allow` is checked when connecting. Throws E_DNS.
   */
  classOf(url: URL): Promise<AddressClass>;
  /** Returns a client with its own connections and these additional certificates. The caller closes it. */
  withTls(material: TlsMaterial): Http;
  close(): Promise<void>;
}
