/** What kind of address a host name leads to. The threat: a remote server that points us into the user's own network. */
export type AddressClass = 'public' | 'private' | 'loopback' | 'link_local' | 'unspecified';

/** The address classes that a request may connect to. Checked on the resolved address that is then connected to. */
export type AddressPolicy = readonly AddressClass[];

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Names in lower case. Never a header that belongs to another origin. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly allow: AddressPolicy;
  /** `fetch`: for everything. `open`: until the headers are there. */
  readonly timeoutMs: number;
  /** Decoded bytes of the body; more is E_TOO_LARGE. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface HttpHead {
  readonly status: number;
  /** Names in lower case; a repeated header is joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpAnswer extends HttpHead {
  readonly body: Buffer;
}

export interface HttpStream extends HttpHead {
  /** Errors of the stream are AppErrors. Must be read to its end or destroyed. */
  readonly body: AsyncIterable<Buffer> & { destroy(): void };
}

/**
 * The one HTTP client. It never follows a redirect (the caller sees the 3xx), sends no cookies, no Accept-Encoding,
 * and accepts http only for loopback addresses. Faults are AppErrors with `sent` set: E_DNS, E_CONNECT, E_TLS,
 * E_TIMEOUT, E_CONNECTION_LOST, E_TOO_LARGE, E_ADDRESS_REFUSED, E_INSECURE_URL, E_CANCELLED (the signal).
 */
export interface Http {
  /** A small answer as a whole. */
  fetch(request: HttpRequest): Promise<HttpAnswer>;
  /** The head as soon as it is there, the body as it comes. Streams have no idle limit. */
  open(request: HttpRequest): Promise<HttpStream>;
  /** The classes of all addresses of a URL's host, most exposed first. E_DNS when there are none. */
  classOf(url: URL): Promise<AddressClass>;
  close(): Promise<void>;
}
