import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from '../../base/errors.ts';
import { withLimit } from '../../base/async.ts';
import { systemClock } from '../../base/system-clock.ts';
import { systemPortHolders, type PortHolders } from './port-holders.ts';
import { redirectPage, type CallbackResult, type PageKind } from './result-page.ts';

/** Tried in this order. Fixed, because many authorization servers compare the port with the registered one. */
export const redirectPorts: readonly number[] = [33_427, 33_436, 33_445, 33_454, 33_463];

export type RedirectHost = '127.0.0.1' | 'localhost';

/**
 * The outcome of a request to the redirect URI. `accepted`: the response of the waiting sign-in, whose result the page
 * then shows. `used`: the sign-in already has its response. `unrelated`: no sign-in is waiting for it.
 */
type CallbackOutcome =
  | { readonly kind: 'accepted'; readonly result: Promise<CallbackResult> }
  | { readonly kind: 'used' | 'unrelated' };

/** Handles the query parameters of a request to the redirect URI. */
export type CallbackHandler = (params: URLSearchParams) => CallbackOutcome;

export interface RedirectListener {
  readonly redirectUri: string;
  /** Passes requests to this handler. Before the first call every request is unrelated. */
  handleWith(handler: CallbackHandler): void;
  /** Stops accepting responses. Late requests get a `used` or `expired` page for 0.7 s, then the listener closes. */
  retire(last: 'used' | 'expired'): void;
  /** Closes now, after the pages that are being sent. */
  close(): Promise<void>;
}

export interface RedirectListenerOptions {
  readonly ports: readonly number[];
  readonly host: RedirectHost;
  /** `redirectPath`: each issuer has its own path, so that a response cannot be taken for another issuer's (CB08). */
  readonly path: string;
  /** Shown on the page. */
  readonly serverName: string;
  /**
   * Whether to use any free port when all of `ports` are in use. Only where the authorization server will learn the
   * port or does not compare ports (RFC 8252 7.3).
   */
  readonly anyPort?: boolean;
  /** Finds the programs that use the ports. Defaults to asking the system. */
  readonly portHolders?: PortHolders;
}

/** After this time the page stops waiting for the result and refers to Keybridge. */
const pageWaitMs = 8_000;
const lingerMs = 700;

/** Several, because a port that the system assigns on 127.0.0.1 may be in use on ::1. */
const anyPortAttempts = 5;

/**
 * Opens a listener for one authorization response (RFC 8252 7.3) on the first free port. It listens on 127.0.0.1 only;
 * for `localhost` also on ::1 where that exists, because browsers may try ::1 first and no other program may listen
 * there. Throws E_PORT_IN_USE, which names the programs that use the ports if the system reveals them.
 */
export async function listenForRedirect(options: RedirectListenerOptions): Promise<RedirectListener> {
  const { ports, anyPort = false, portHolders = systemPortHolders } = options;
  for (const port of anyPort ? [...ports, ...Array.from({ length: anyPortAttempts }, () => 0)] : ports) {
    const servers = await listenOn(port, options.host === 'localhost' ? ['127.0.0.1', '::1'] : ['127.0.0.1']);
    if (servers) return listenerOn(servers, options);
  }
  throw portsInUse(ports, await portHolders(ports));
}

/**
 * The redirect URI that the next sign-in at this issuer will use, for a user who registers it before the first
 * sign-in. If all usual ports are in use, it has the first of them; the sign-in will then name the program that uses
 * it.
 */
export async function nextRedirectUri(issuer: string, ports: readonly number[] = redirectPorts): Promise<string> {
  const path = redirectPath(issuer);
  const listener = await listenForRedirect({
    ports,
    host: '127.0.0.1',
    path,
    serverName: '',
    portHolders: async () => new Map(),
  }).catch(() => undefined);
  await listener?.close();
  return listener?.redirectUri ?? `http://127.0.0.1:${ports[0]}${path}`;
}

function portsInUse(ports: readonly number[], holders: ReadonlyMap<number, string>): AppError {
  const named = ports.map((port) => (holders.has(port) ? `${port} (${holders.get(port)})` : String(port)));
  return new AppError('E_PORT_IN_USE', `All ports for the sign-in response are in use: ${named.join(', ')}.`);
}

/** The path for responses of this issuer. */
export function redirectPath(issuer: string): string {
  return `/callback/${createHash('sha256').update(issuer).digest('hex').slice(0, 12)}`;
}

/**
 * The path for a client ID metadata document. The document lists its redirect URIs once for all issuers, so only
 * `state` and `iss` distinguish their responses.
 */
export const documentRedirectPath = '/callback';

/** Returns undefined if the port is in use on one of the addresses. */
async function listenOn(port: number, addresses: readonly string[]): Promise<Server[] | undefined> {
  const servers: Server[] = [];
  let actual = port;
  for (const address of addresses) {
    // A browser delivers the response at once, so tight limits only affect other clients (CB04).
    const server = createServer({
      maxHeaderSize: 32 * 1024,
      headersTimeout: 5_000,
      requestTimeout: 8_000,
      connectionsCheckingInterval: 1_000,
    });
    const outcome = await listen(server, actual, address);
    if (outcome === 'listening') servers.push(server);
    if (outcome === 'in_use') {
      await Promise.all(servers.map(closeServer));
      return undefined;
    }
    actual = portOf(servers[0]) ?? actual;
  }
  return servers;
}

const portOf = (server: Server | undefined): number | undefined =>
  (server?.address() as AddressInfo | null | undefined)?.port;

function listen(server: Server, port: number, host: string): Promise<'listening' | 'in_use' | 'no_such_address'> {
  return new Promise((resolve) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      const noIpv6 = host === '::1' && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT');
      resolve(noIpv6 ? 'no_such_address' : 'in_use');
    });
    server.listen({ port, host, exclusive: true }, () => resolve('listening'));
  });
}

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });

function listenerOn(servers: readonly Server[], { host, path, serverName }: RedirectListenerOptions): RedirectListener {
  const authority = `${host}:${portOf(servers[0])}`;
  const open = new Set<ServerResponse>();
  let handler: CallbackHandler = () => ({ kind: 'unrelated' });
  let last: PageKind | undefined;
  let closed: Promise<void> | undefined;

  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    response.on('error', () => {});
    request.resume();
    const { status, headers, body } = redirectPage(await pageFor(request), serverName);
    response.writeHead(status, headers).end(body);
  };

  const pageFor = async (request: IncomingMessage): Promise<PageKind> => {
    // With any other host name, a web page has made its own name resolve to this address (DNS rebinding, CB02).
    if (request.headers.host !== authority) return { kind: 'wrong_host' };
    const target = request.url ?? '';
    const query = target.indexOf('?');
    if ((query === -1 ? target : target.slice(0, query)) !== path) return { kind: 'not_found' };
    // A response works only once: HEAD, OPTIONS and prefetches must not consume it before the user opens the page.
    if (request.method !== 'GET') return { kind: 'wrong_method' };
    if (isPrefetch(request)) return { kind: 'prefetch' };
    const params = new URLSearchParams(query === -1 ? '' : target.slice(query + 1));
    if (!params.has('state') && !params.has('code') && !params.has('error')) return { kind: 'no_response' };
    if (last) return last;
    const outcome = handler(params);
    return outcome.kind === 'accepted' ? resultWithin(outcome.result, pageWaitMs) : { kind: outcome.kind };
  };

  for (const server of servers) {
    server.on('request', (request, response) => void respond(request, response));
    server.on('error', () => {});
  }

  const close = async () => {
    last ??= { kind: 'expired' };
    await Promise.all(servers.map(closeNow));
  };
  /** Waits for pages that are being sent, but not for idle connections. */
  const closeNow = async (server: Server) => {
    const done = closeServer(server);
    const grace = setTimeout(() => server.closeAllConnections(), open.size > 0 ? 500 : 0);
    await done;
    clearTimeout(grace);
  };

  return {
    redirectUri: `http://${authority}${path}`,
    handleWith(next) {
      handler = next;
    },
    retire(kind) {
      last = { kind };
      setTimeout(() => void (closed ??= close()), lingerMs);
    },
    close: () => (closed ??= close()),
  };
}

/**
 * Whether the browser fetches the page before the user opens it: `Sec-Purpose: prefetch` or `prefetch;prerender`;
 * in older browsers `Purpose`, `X-Purpose: preview` (Safari) and `X-Moz`.
 */
function isPrefetch({ headers }: IncomingMessage): boolean {
  return ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) =>
    /\b(prefetch|prerender|preview)\b/i.test(String(headers[name] ?? '')),
  );
}

const resultWithin = (result: Promise<CallbackResult>, ms: number): Promise<PageKind> =>
  withLimit(result, { clock: systemClock(), ms, late: (): PageKind => ({ kind: 'finishing' }) });
