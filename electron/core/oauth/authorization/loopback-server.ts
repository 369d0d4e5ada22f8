import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from '../../base/errors.ts';
import { withLimit } from '../../base/async.ts';
import { systemClock } from '../../base/system-clock.ts';
import { systemPortHolders, type PortHolders } from './port-holders.ts';
import { redirectPage, type CallbackResult, type PageKind } from './result-page.ts';

/** Tried in this order. Fixed, because many authorization servers compare the port that was registered. */
export const redirectPorts: readonly number[] = [33_427, 33_436, 33_445, 33_454, 33_463];

export type RedirectHost = '127.0.0.1' | 'localhost';

/**
 * What a request to the redirect URI led to. `accepted`: it is the response of the waiting sign-in, whose result the
 * page shows. `used`: that sign-in already has its response. `unrelated`: it belongs to no sign-in that is waiting.
 */
type CallbackOutcome =
  | { readonly kind: 'accepted'; readonly result: Promise<CallbackResult> }
  | { readonly kind: 'used' | 'unrelated' };

/** Handles the query parameters of a request to the redirect URI. */
export type CallbackHandler = (params: URLSearchParams) => CallbackOutcome;

export interface RedirectListener {
  readonly redirectUri: string;
  /** Passes requests from now on to this handler; until then every request counts as unrelated. */
  handleWith(handler: CallbackHandler): void;
  /** Accepts no more responses. Shows late requests a `used` or `expired` page for a moment, then closes by itself. */
  retire(last: 'used' | 'expired'): void;
  /** Closes now; pages that are being sent are finished first. */
  close(): Promise<void>;
}

export interface RedirectListenerOptions {
  readonly ports: readonly number[];
  readonly host: RedirectHost;
  /**
   * Each issuer has its own path, so that a response cannot be mistaken for another server's (CB08): `redirectPath`.
   */
  readonly path: string;
  /** Shown on the page. */
  readonly serverName: string;
  /**
   * When all of `ports` are taken, take any free port: the authorization server will learn it, or does not compare
   * ports (RFC 8252 7.3).
   */
  readonly anyPort?: boolean;
  /** Names the programs that use the ports; the system is asked when absent. */
  readonly portHolders?: PortHolders;
}

/** How long the browser waits for the outcome before it is told to look at Keybridge. */
const pageWaitMs = 8_000;
const lingerMs = 700;

/** The system assigns a port that is free on 127.0.0.1; another program may hold it on ::1. */
const anyPortAttempts = 5;

/**
 * A listener on this computer for one authorization response (RFC 8252 7.3), on the first port that is free. On
 * 127.0.0.1 only; for `localhost`, on ::1 too where there is one, because browsers may try that first and no other
 * program must listen there. Throws E_PORT_IN_USE, which names the programs that use the ports where the system tells.
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
 * The redirect URI that the next sign-in at this issuer will use, for a person who registers it before the first
 * sign-in. When all usual ports are in use, the first of them: the sign-in will then name the program that uses it.
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
  return new AppError('E_PORT_IN_USE', `The ports ${named.join(', ')} are all in use.`);
}

/** The path at which responses of this issuer arrive. */
export function redirectPath(issuer: string): string {
  return `/callback/${createHash('sha256').update(issuer).digest('hex').slice(0, 12)}`;
}

/**
 * The path for a client ID metadata document. It is a file that names its redirect URIs once for all issuers, so
 * only `state` and `iss` tell the responses apart there.
 */
export const documentRedirectPath = '/callback';

/** Undefined when the port is taken on one of the addresses. */
async function listenOn(port: number, addresses: readonly string[]): Promise<Server[] | undefined> {
  const servers: Server[] = [];
  let actual = port;
  for (const address of addresses) {
    // Tight limits: a slow client is not a browser that delivers a response (CB04).
    const server = createServer({
      maxHeaderSize: 32 * 1024,
      headersTimeout: 5_000,
      requestTimeout: 8_000,
      connectionsCheckingInterval: 1_000,
    });
    const outcome = await listen(server, actual, address);
    if (outcome === 'listening') servers.push(server);
    if (outcome === 'taken') {
      await Promise.all(servers.map(closeServer));
      return undefined;
    }
    actual = portOf(servers[0]) ?? actual;
  }
  return servers;
}

const portOf = (server: Server | undefined): number | undefined =>
  (server?.address() as AddressInfo | null | undefined)?.port;

function listen(server: Server, port: number, host: string): Promise<'listening' | 'taken' | 'no_such_address'> {
  return new Promise((resolve) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      // A computer without IPv6.
      resolve(host === '::1' && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') ? 'no_such_address' : 'taken');
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
    // Another host name means that a web page made its own name resolve to this address (DNS rebinding, CB02).
    if (request.headers.host !== authority) return { kind: 'wrong_host' };
    const target = request.url ?? '';
    const query = target.indexOf('?');
    if ((query === -1 ? target : target.slice(0, query)) !== path) return { kind: 'not_found' };
    // A response works only once: HEAD, OPTIONS and a prefetch must not consume it before the page is opened.
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
  /** Waits for pages that are being sent, not for idle connections. */
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
 * A browser that fetches a page before anybody opens it: `Sec-Purpose: prefetch`, `prefetch;prerender`; in older ones
 * `Purpose`, `X-Purpose: preview` (Safari) and `X-Moz`.
 */
function isPrefetch({ headers }: IncomingMessage): boolean {
  return ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) =>
    /\b(prefetch|prerender|preview)\b/i.test(String(headers[name] ?? '')),
  );
}

const resultWithin = (result: Promise<CallbackResult>, ms: number): Promise<PageKind> =>
  withLimit(result, { clock: systemClock(), ms, late: (): PageKind => ({ kind: 'finishing' }) });
