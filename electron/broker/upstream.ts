import type { Connection } from '../core/connections.ts';
import { AppError, foreign } from '../core/errors.ts';
import { addressPolicy } from '../core/http/address.ts';
import type { AddressPolicy, Http, HttpStream } from '../core/http/client.ts';
import { retryAfterMs } from '../core/http/retry-after.ts';
import type { Log } from '../core/log.ts';
import { bearerChallenge } from '../core/oauth/challenge.ts';
import type { Challenge } from '../core/oauth/discovery.ts';
import type { Clock } from '../core/ports.ts';
import type { Secret } from '../core/secret.ts';
import { scopeNeeded } from '../core/status.ts';
import { waitFor } from './waiting.ts';

export interface UpstreamRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Until the head is there, in ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** May be sent twice when the connection broke after it was sent. */
  readonly repeatable: boolean;
  /**
   * What a 401 without a stored sign-in does: `ask` waits for a sign-in where the core may start one by itself; `tell`
   * lets the core know; `quiet` neither (background work).
   */
  readonly onChallenge: 'ask' | 'tell' | 'quiet';
}

/** The MCP server, with everything around a request that has nothing to do with MCP: token, waiting, one redirect. */
export interface Upstream {
  /**
   * Sends one request and gives the answer's head and body: any 2xx, and every other status that is not dealt with here.
   * Throws E_SIGN_IN_NEEDED and what else the core says about tokens, E_SERVER_REFUSED, E_SCOPE_NEEDED, E_RATE_LIMITED,
   * E_REDIRECTED, and the client's network faults with `sent` set.
   */
  request(request: UpstreamRequest): Promise<HttpStream>;
}

export interface UpstreamDeps {
  readonly connection: Connection;
  readonly http: Http;
  readonly log: Log;
  readonly clock: Clock;
}

/** Longest wait for a server that says when to come again; above it the host is told. */
const longestWaitMs = 20_000;
/** The relay bounds what it keeps; streams go on for ever. */
const noLimit = Number.MAX_SAFE_INTEGER;

export function createUpstream({ connection, log, clock, ...deps }: UpstreamDeps): Upstream {
  const http = connection.http ?? deps.http;
  const { name } = connection.server;
  const home = new URL(connection.server.url);
  let policy: Promise<AddressPolicy> | undefined;
  /** Unix ms before which the server wants to see nobody. */
  let notBefore = 0;

  // The class of the server's own address counts from the first look on: a name that later leads into another network is refused.
  const allowed = () => {
    policy ??= addressPolicy(http, home).catch((error: unknown) => {
      policy = undefined;
      throw error;
    });
    return policy;
  };

  const tokenFor = async (rejected: Secret | undefined, signal: AbortSignal | undefined): Promise<Secret | undefined> => {
    const answer = await connection.accessToken({ ...(rejected ? { rejected } : {}), ...(signal ? { signal } : {}) });
    if (answer.kind === 'token') return answer.token;
    if (answer.kind === 'anonymous') return undefined;
    throw answer.error.about(name);
  };

  /** Waits until the server may be asked again; throws E_RATE_LIMITED when that is too far away. */
  const waitTurn = async (spent: number, signal: AbortSignal | undefined): Promise<number> => {
    const left = notBefore - clock.now();
    if (left <= 0) return spent;
    if (spent + left > longestWaitMs) throw rateLimited(left);
    await waitFor(clock, left, signal);
    return spent + left;
  };

  const rateLimited = (ms: number) =>
    new AppError('E_RATE_LIMITED', `The server wants no more calls for ${Math.ceil(ms / 1000)} s.`, { server: name, retryAfterMs: Math.ceil(ms) });

  /** Sends it once. Undefined: the connection broke in a way that allows another try. */
  const send = async (ask: UpstreamRequest, turn: Turn, token: Secret | undefined): Promise<HttpStream | undefined> => {
    const { method, headers, body, timeoutMs, signal } = ask;
    try {
      return await http.open({
        url: turn.url,
        method,
        headers: token ? { ...headers, authorization: `Bearer ${token.reveal()}` } : headers,
        allow: await allowed(),
        timeoutMs,
        maxBytes: noLimit,
        ...(body ? { body } : {}),
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const again = error.code === 'E_CONNECTION_LOST' && (ask.repeatable || !error.sent) && !turn.repeated;
      if (!again) throw error.about(name);
      turn.repeated = true;
      return undefined;
    }
  };

  /** Lets the core know what the server wants of the user. Returns when it may have been done; else throws `refusal`. */
  const challenged = async (status: 401 | 403, challenge: Challenge | undefined, { onChallenge }: UpstreamRequest, turn: Turn, refusal: AppError) => {
    const answer = turn.asked || onChallenge === 'quiet' ? 'refused' : connection.challenged(status, challenge);
    if (onChallenge === 'tell' || (await answer) === 'refused') throw refusal.about(name);
    turn.asked = true;
  };

  const askedToWait = (stream: HttpStream, ms: number, turn: Turn) => {
    log('server_asked_to_wait', { server: name, status: stream.status, ms });
    notBefore = Math.max(notBefore, clock.now() + ms);
    // A server that always says "at once" is not asked for ever.
    turn.waited += 250;
    if (turn.waited + ms > longestWaitMs) throw rateLimited(ms);
  };

  const redirected = (stream: HttpStream, turn: Turn) => {
    const target = redirectTarget(stream, turn.url);
    const keepsBody = stream.status === 307 || stream.status === 308;
    if (turn.url !== home || !keepsBody || target?.origin !== home.origin) {
      const where = target ? foreign(`${target.origin}${target.pathname}`, 120) : 'nowhere';
      throw new AppError('E_REDIRECTED', `The server answered with a redirect to ${where}.`, { server: name });
    }
    turn.url = target;
  };

  /** True: the answer is the caller's. Otherwise it is dealt with, and the request is to be sent again. */
  const judge = async (stream: HttpStream, token: Secret | undefined, ask: UpstreamRequest, turn: Turn): Promise<boolean> => {
    const { status, headers } = stream;
    const scopes = status === 403 && token ? scopeChallenge(stream) : undefined;
    const wait = status === 429 || status === 503 ? retryAfterMs(headers, clock.now()) : undefined;
    const anonymous = !token && (status === 401 || (status === 403 && !isJson(stream)));
    const refused = status === 401 && token && !turn.rejected;
    const moved = status >= 300 && status < 400;
    if (!refused && !anonymous && !scopes && wait === undefined && !moved) return true;
    discard(stream, clock);
    if (refused) {
      log('token_refused_by_server', { server: name, token });
      turn.rejected = token;
    } else if (anonymous) {
      await challenged(401, bearerChallenge(headers['www-authenticate']), ask, turn, new AppError('E_SIGN_IN_NEEDED', 'The server asks for a sign-in.'));
    } else if (scopes) await challenged(403, scopes, ask, turn, scopeNeeded(scopes.scope?.split(' ') ?? []));
    else if (wait !== undefined) askedToWait(stream, wait, turn);
    else redirected(stream, turn);
    return false;
  };

  return {
    async request(ask) {
      const turn: Turn = { url: home, rejected: undefined, asked: false, repeated: false, waited: 0 };
      for (;;) {
        const token = await tokenFor(turn.rejected, ask.signal);
        turn.waited = await waitTurn(turn.waited, ask.signal);
        const stream = await send(ask, turn, token);
        if (stream && (await judge(stream, token, ask, turn))) return stream;
      }
    },
  };
}

/** What one request has been through. */
interface Turn {
  /** Another one after a redirect. */
  url: URL;
  /** The token that got a 401. */
  rejected: Secret | undefined;
  /** The core has been told of a challenge. */
  asked: boolean;
  repeated: boolean;
  /** In ms, because the server wanted it. */
  waited: number;
}

/** A 403 that is about scopes, whatever name it gives to that (RFC 6750 3.1 says insufficient_scope). */
function scopeChallenge(stream: HttpStream): Challenge | undefined {
  const challenge = bearerChallenge(stream.headers['www-authenticate']);
  return challenge && (challenge.scope !== undefined || challenge.error?.includes('scope')) ? challenge : undefined;
}

function redirectTarget(stream: HttpStream, from: URL): URL | undefined {
  const { location } = stream.headers;
  return location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}

export const isJson = (stream: HttpStream): boolean => /^application\/(?:[\w.-]+\+)?json\b/i.test(stream.headers['content-type'] ?? '');

/** Reads a short body to its end, so that the connection can be used again; gives up on a long or slow one. */
export function discard(stream: HttpStream, clock: Clock): void {
  const stop = clock.after(2_000, () => stream.body.destroy());
  void (async () => {
    let bytes = 0;
    try {
      for await (const chunk of stream.body) {
        bytes += chunk.length;
        if (bytes > 65_536) break;
      }
    } catch {
      // It is not wanted in any case.
    } finally {
      stop();
    }
  })();
}
