import { durationText } from '../../shared/state-text.ts';
import type { Connection } from '../core/app/connections.ts';
import { AppError } from '../core/base/errors.ts';
import { createCookieJar } from '../core/http/cookies.ts';
import { tryNetworks } from '../core/http/network.ts';
import type { Log } from '../core/base/log.ts';
import { knownNetwork } from '../core/servers/networks.ts';
import type { Secret } from '../core/base/secret.ts';
import { classify, longestWaitMs, type Verdict } from './classify.ts';
import { drain } from './drain.ts';
import { createStepUpRequest } from './step-up.ts';
import { readFacts, type ReadFacts } from './response-facts.ts';
import { followRedirect } from './follow-redirect.ts';
import { serverErrorText } from './server-error-text.ts';
import { newCallAttempt, tokenHeader, attemptFacts, type CallAttempt } from './call-attempt.ts';
import { waitFor } from '../core/base/async.ts';
import { deadlineIn, over, type Clock } from '../core/base/clock.ts';
import type { Http, HttpStream, ServerNetwork } from '../core/http/http.ts';
import type { Challenge } from '../core/oauth/model.ts';
import type { ServerRequest, RelayResponse } from './model.ts';

/** The MCP server, with everything around a request that has nothing to do with MCP: token, waiting, one redirect. */
export interface ServerClient {
  /**
   * Sends one request and gives the answer's head and body: any 2xx, and every other status that is not dealt with
   * here. Throws E_SIGN_IN_NEEDED and what else the core says about tokens, E_SERVER_REFUSED, E_SCOPE_NEEDED,
   * E_RATE_LIMITED, E_OUTCOME_UNKNOWN, E_REDIRECTED, and the client's network faults with `sent` set.
   */
  request(request: ServerRequest): Promise<RelayResponse>;
  /** A new session begins, or somebody else has signed in: what the server set in cookies was for the one before. */
  forgetCookies(): void;
}

export interface ServerClientDeps {
  readonly connection: Connection;
  readonly http: Http;
  readonly log: Log;
  readonly clock: Clock;
}

/** The relay bounds what it keeps; streams go on for ever. */
const noLimit = Number.MAX_SAFE_INTEGER;

export function createServerClient({ connection, log, clock, ...deps }: ServerClientDeps): ServerClient {
  const http = connection.http ?? deps.http;
  const { name } = connection.server;
  const home = new URL(connection.server.url);
  // Of this one connection, so of one account: never shared.
  const emptyJar = () => createCookieJar(home.origin, () => clock.now());
  let cookies = emptyJar();
  const known = knownNetwork(connection.server, home.origin);
  let network: ServerNetwork | undefined = known === 'public' ? { origin: home.origin, own: known } : undefined;
  /** Until then the server wants to see nobody. */
  let notBefore = over;

  /** The first request says in which network the server lies; a name that later leads into another one is refused. */
  const inItsNetwork = async (open: (allow: ServerNetwork) => Promise<HttpStream>): Promise<HttpStream> => {
    if (network) return open(network);
    const found = await tryNetworks(home.origin, known, open);
    network ??= found.network;
    connection.found(network);
    return found.value;
  };

  connection.onWake((reason) => {
    if (reason === 'asked') notBefore = over;
  });

  const tokenFor = async (
    rejected: Secret | undefined,
    { signal, tokenWaitMs: waitMs }: Pick<ServerRequest, 'signal' | 'tokenWaitMs'>,
    turn?: CallAttempt,
  ): Promise<Secret | undefined> => {
    const answer = await connection.accessToken({
      ...(rejected ? { rejected } : {}),
      ...(signal ? { signal } : {}),
      ...(waitMs === undefined ? {} : { waitMs }),
    });
    if (turn) turn.keyHeader = answer.kind === 'token' ? answer.header : undefined;
    if (answer.kind === 'token') return answer.token;
    if (answer.kind === 'anonymous') return undefined;
    throw answer.error.about(name);
  };

  /** Waits until the server may be asked again; throws E_RATE_LIMITED when that is too far away. */
  const waitTurn = async (spent: number, signal: AbortSignal | undefined): Promise<number> => {
    const left = notBefore.leftMs();
    if (left <= 0) return spent;
    if (spent + left > longestWaitMs) throw rateLimited(left);
    await waitFor(clock, left, signal);
    return spent + left;
  };

  const rateLimited = (ms: number) =>
    new AppError('E_RATE_LIMITED', `The server wants no more calls for ${inWords(ms)}.`, {
      server: name,
      retryAfterMs: Math.ceil(ms),
    });

  const unclear = (status: number, ms: number) =>
    new AppError(
      'E_OUTCOME_UNKNOWN',
      `The server answered with status ${status}, and wants no more calls for ${inWords(ms)}.`,
      { server: name, retryAfterMs: Math.ceil(ms) },
    );

  const moreAccess = createStepUpRequest({
    connection,
    tokenNow: (signal) => tokenFor(undefined, signal ? { signal } : {}),
  });

  /** Sends it once. Undefined: the connection broke in a way that allows another try. */
  const send = async (
    ask: ServerRequest,
    turn: CallAttempt,
    token: Secret | undefined,
  ): Promise<HttpStream | undefined> => {
    const { method, headers, body, timeoutMs, signal } = ask;
    try {
      // A late answer fills the jar that its request was sent with, not a newer one.
      const jar = cookies;
      const cookie = jar.header(turn.url);
      const request = {
        url: turn.url,
        method,
        headers: {
          ...headers,
          ...(token ? tokenHeader(token, turn) : {}),
          ...(cookie === undefined ? {} : { cookie }),
        },
        timeoutMs,
        maxBytes: noLimit,
        ...(body ? { body } : {}),
        ...(signal ? { signal } : {}),
      };
      const stream = await inItsNetwork((allow) => http.open({ ...request, allow }));
      jar.keep(turn.url, stream.setCookies ?? []);
      return stream;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const again = error.code === 'E_CONNECTION_LOST' && (ask.repeatable || !error.sent) && !turn.reconnected;
      if (!again) throw error.about(name);
      turn.reconnected = true;
      return undefined;
    }
  };

  /**
   * Lets the core know what the server wants of the user. Returns when it may have been done; else throws `refusal`.
   */
  const challenged = async (challenge: Challenge | undefined, { onChallenge }: ServerRequest, turn: CallAttempt) => {
    const answer = turn.asked || onChallenge === 'quiet' ? 'refused' : connection.challenged(401, challenge);
    if (onChallenge === 'tell' || (await answer) === 'refused')
      throw new AppError('E_SIGN_IN_NEEDED', 'The server asks for a sign-in.', { server: name });
    turn.asked = true;
  };

  /**
   * The sign-in has ended. Returns the token of a new one where the core may start that by itself; else throws `error`.
   */
  const signedInAgain = async (error: unknown, ask: ServerRequest, turn: CallAttempt): Promise<Secret | undefined> => {
    if (error instanceof AppError && error.code === 'E_SERVER_REFUSED')
      throw new AppError(error.code, `${error.message}${turn.words}`, { server: name, cause: error });
    if (!(error instanceof AppError) || error.code !== 'E_SIGN_IN_AGAIN' || ask.onChallenge !== 'ask' || turn.asked)
      throw error;
    turn.asked = true;
    if ((await connection.challenged(401, turn.challenge)) === 'refused') throw error;
    turn.rejected = undefined;
    return tokenFor(undefined, ask, turn);
  };

  /** The server is busy until then, for everybody who has not sent yet. */
  const noteBusy = ({ status, retryAfterMs: ms }: ReadFacts['facts']) => {
    if (ms === undefined || (status !== 429 && status !== 503)) return;
    log('server_asked_to_wait', { server: name, status, ms });
    if (ms > notBefore.leftMs()) notBefore = deadlineIn(clock, ms);
  };

  /** Does what the verdict says, after which the request is to be sent again. Throws where it is not. */
  const act = async (
    verdict: Exclude<Verdict, { kind: 'deliver' }>,
    read: ReadFacts,
    token: Secret | undefined,
    ask: ServerRequest,
    turn: CallAttempt,
  ): Promise<void> => {
    const { stream, challenge, facts } = read;
    const body = drain(stream, clock);
    switch (verdict.kind) {
      case 'same_token':
        log('new_token_refused', { server: name, token, waitMs: verdict.pauseMs });
        return waitFor(clock, verdict.pauseMs, ask.signal);
      case 'renew':
        log('token_refused_by_server', { server: name, token });
        turn.rejected = token;
        turn.words = serverErrorText(await body, token);
        turn.challenge = challenge;
        return;
      case 'refused':
        throw new AppError(
          'E_SERVER_REFUSED',
          `The server rejected an access token that was just renewed.${serverErrorText(await body, token)}`,
          { server: name },
        );
      case 'sign_in':
        return challenged(challenge, ask, turn);
      case 'more_access':
        return token && moreAccess(challenge ?? {}, token, ask, turn.access);
      case 'redirect':
        turn.url = followRedirect(stream, turn.url, home, name);
        return;
      case 'repeat':
        await waitFor(clock, verdict.pauseMs, ask.signal);
        turn.repeats += 1;
        turn.waited += verdict.pauseMs;
        return;
      case 'rate_limited':
        throw rateLimited(verdict.ms);
      case 'unclear':
        throw unclear(facts.status, verdict.ms);
    }
  };

  return {
    forgetCookies() {
      cookies = emptyJar();
    },
    async request(ask) {
      const turn = newCallAttempt(home);
      for (;;) {
        const token = await tokenFor(turn.rejected, ask, turn).catch((error: unknown) =>
          signedInAgain(error, ask, turn),
        );
        turn.waited = await waitTurn(turn.waited, ask.signal);
        const came = await send(ask, turn, token);
        if (!came) continue;
        if (came.status >= 200 && came.status < 300) {
          connection.served(token);
          return came;
        }
        const read = await readFacts(came, clock);
        noteBusy(read.facts);
        const verdict = classify(read.facts, {
          ...attemptFacts(ask, turn, token),
          newTokenPauseMs: token && connection.newTokenPauseMs(token),
        });
        if (token && verdict.kind === 'deliver' && verdict.doubtsToken)
          connection.doubtToken(token, verdict.doubtsToken === 'said');
        if (verdict.kind === 'deliver') return { ...read.stream, sent: token };
        await act(verdict, read, token, ask, turn);
      }
    },
  };
}

const inWords = (ms: number): string => (ms < 120_000 ? `${Math.ceil(ms / 1000)} s` : durationText(ms));
