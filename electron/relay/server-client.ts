import type { Connection } from '../core/app/connections.ts';
import { AppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import type { Secret } from '../core/base/secret.ts';
import { waitFor } from '../core/base/async.ts';
import type { Clock } from '../core/base/clock.ts';
import type { Http } from '../core/http/http.ts';
import { classify, type Verdict } from './classify.ts';
import { drain } from './drain.ts';
import { followRedirect } from './follow-redirect.ts';
import type { ServerRequest, ServerResponse } from './model.ts';
import { createRateLimit, outcomeUnknown, rateLimited } from './rate-limit.ts';
import { newRequestState, requestFacts, type RequestState } from './request-state.ts';
import { createRequestTokens } from './request-tokens.ts';
import { readFacts, type ReadFacts } from './response-facts.ts';
import { serverErrorText } from './server-error-text.ts';
import { createServerHttp } from './server-http.ts';
import { createStepUp } from './step-up.ts';

/** Sends requests to the MCP server. It handles tokens, busy servers and one redirect, and knows nothing of MCP. */
export interface ServerClient {
  /**
   * Sends one request, again where `classify` allows it. Resolves with the head and body of the response: any 2xx, and
   * every other status that is not handled here. Throws E_SIGN_IN_NEEDED and the core's other errors about tokens,
   * E_SERVER_REFUSED, E_SCOPE_NEEDED, E_RATE_LIMITED, E_OUTCOME_UNKNOWN, E_REDIRECTED, and the network errors of `Http`
   * with `sent` set.
   */
  request(request: ServerRequest): Promise<ServerResponse>;
  /** For a new session or another user: the server's cookies belong to the one before. */
  forgetCookies(): void;
}

export interface ServerClientDeps {
  readonly connection: Connection;
  readonly http: Http;
  readonly log: Log;
  readonly clock: Clock;
}

export function createServerClient({ connection, log, clock, ...deps }: ServerClientDeps): ServerClient {
  const server = connection.server.name;
  const home = new URL(connection.server.url);
  const http = createServerHttp({ connection, http: connection.http ?? deps.http, clock });
  const tokens = createRequestTokens(connection);
  const rateLimit = createRateLimit(clock, log, server);
  const stepUp = createStepUp({ connection, currentToken: (signal) => tokens.current(signal) });

  connection.onWake((reason) => {
    if (reason === 'asked') rateLimit.clear();
  });

  /** Prepares the next attempt as the verdict says. Throws if there is none. */
  async function prepareRetry(
    verdict: Exclude<Verdict, { kind: 'accept' | 'deliver' }>,
    { stream, challenge }: ReadFacts,
    token: Secret | undefined,
    request: ServerRequest,
    state: RequestState,
  ): Promise<void> {
    const body = drain(stream, clock);
    switch (verdict.kind) {
      case 'retry_same_token':
        log('new_token_refused', { server, token, waitMs: verdict.pauseMs });
        return waitFor(clock, verdict.pauseMs, request.signal);
      case 'renew_token':
        log('token_refused_by_server', { server, token });
        state.rejected = token;
        state.errorText = serverErrorText(await body, token);
        state.challenge = challenge;
        return;
      case 'token_refused':
        throw tokenRefused(server, await body, token);
      case 'sign_in':
        return tokens.signIn(challenge, request, state);
      case 'step_up':
        return token && stepUp(challenge ?? {}, token, request, state.stepUp);
      case 'redirect':
        state.url = followRedirect(stream, state.url, home, server);
        return;
      case 'retry':
        await waitFor(clock, verdict.pauseMs, request.signal);
        state.retries += 1;
        state.waitedMs += verdict.pauseMs;
        return;
      case 'rate_limited':
        throw rateLimited(server, verdict.busyMs);
      case 'outcome_unknown':
        throw outcomeUnknown(server, stream.status, verdict.busyMs);
    }
  }

  return {
    forgetCookies: () => http.forgetCookies(),
    async request(request) {
      const state = newRequestState(home);
      for (;;) {
        const token = await tokens.acquire(request, state);
        state.waitedMs = await rateLimit.wait(state.waitedMs, request.signal);
        const response = await http.send(request, state, token).catch((error: unknown) => {
          if (!mayReconnect(error, request, state)) throw error instanceof AppError ? error.about(server) : error;
          state.reconnected = true;
        });
        if (!response) continue;
        const read = await readFacts(response, clock);
        const newTokenPauseMs = token && connection.newTokenPauseMs(token);
        const verdict = classify(read.facts, requestFacts(request, state, token, newTokenPauseMs));
        if (verdict.busyMs !== undefined) rateLimit.extend(response.status, verdict.busyMs);
        if (verdict.kind === 'accept') connection.served(token);
        if (verdict.kind === 'deliver' && token && verdict.doubtsToken)
          connection.doubtToken(token, verdict.doubtsToken === 'stated');
        if (verdict.kind === 'accept' || verdict.kind === 'deliver') return { ...read.stream, sent: token };
        await prepareRetry(verdict, read, token, request, state);
      }
    },
  };
}

/** A lost connection is replaced once, if the request was not sent or may run twice. */
const mayReconnect = (error: unknown, { repeatable }: ServerRequest, { reconnected }: RequestState): boolean =>
  error instanceof AppError && error.code === 'E_CONNECTION_LOST' && (repeatable || !error.sent) && !reconnected;

const tokenRefused = (server: string, body: Uint8Array, token: Secret | undefined): AppError =>
  new AppError(
    'E_SERVER_REFUSED',
    `The server rejected an access token that was just renewed.${serverErrorText(body, token)}`,
    { server },
  );
