import { defined } from '../../shared/defined.ts';
import type { Connection } from '../core/app/connections.ts';
import type { Clock } from '../core/base/clock.ts';
import type { Secret } from '../core/base/secret.ts';
import { createCookieJar } from '../core/http/cookies.ts';
import type { Http, HttpStream, ServerNetwork } from '../core/http/http.ts';
import { tryNetworks } from '../core/http/network.ts';
import { knownNetwork } from '../core/servers/networks.ts';
import type { ServerRequest } from './model.ts';
import type { RequestState } from './request-state.ts';

/** HTTP to one MCP server for one host: adds the token and the server's cookies, and stays in the server's network. */
export interface ServerHttp {
  /** Sends the request once, to `state.url`. Throws the errors of `Http.open`. */
  send(request: ServerRequest, state: RequestState, token: Secret | undefined): Promise<HttpStream>;
  forgetCookies(): void;
}

export interface ServerHttpDeps {
  readonly connection: Connection;
  readonly http: Http;
  readonly clock: Clock;
}

/** The relay limits what it keeps of a body; the stream itself may be endless. */
const unlimited = Number.MAX_SAFE_INTEGER;

export function createServerHttp({ connection, http, clock }: ServerHttpDeps): ServerHttp {
  const { origin } = new URL(connection.server.url);
  const known = knownNetwork(connection.server, origin);
  let network: ServerNetwork | undefined = known === 'public' ? { origin, own: known } : undefined;
  // Cookies identify one account, so connections never share them.
  const emptyJar = () => createCookieJar(origin, () => clock.now());
  let cookies = emptyJar();

  /**
   * The first request finds out in which network the server lies. A name that resolves to another one later is refused.
   */
  async function inServerNetwork(open: (allow: ServerNetwork) => Promise<HttpStream>): Promise<HttpStream> {
    if (network) return open(network);
    const found = await tryNetworks(origin, known, open);
    network ??= found.network;
    connection.found(network);
    return found.value;
  }

  return {
    async send({ method, headers, body, timeoutMs, signal }, state, token) {
      const { url } = state;
      // A late response belongs to the jar that its request was sent with, even if that was replaced since.
      const jar = cookies;
      const request = {
        url,
        method,
        headers: { ...headers, ...(token ? tokenHeader(token, state) : {}), ...defined({ cookie: jar.header(url) }) },
        timeoutMs,
        maxBytes: unlimited,
        ...defined({ body, signal }),
      };
      const stream = await inServerNetwork((allow) => http.open({ ...request, allow }));
      jar.keep(url, stream.setCookies ?? []);
      return stream;
    },
    forgetCookies() {
      cookies = emptyJar();
    },
  };
}

const tokenHeader = (token: Secret, { keyHeader }: RequestState): Record<string, string> =>
  keyHeader === undefined ? { authorization: `Bearer ${token.reveal()}` } : { [keyHeader]: token.reveal() };
