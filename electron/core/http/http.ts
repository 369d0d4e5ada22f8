import type { TlsMaterial } from './tls-material.ts';

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

export interface HttpResponse extends HttpHead {
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
  fetch(request: HttpRequest): Promise<HttpResponse>;
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
