import { within } from '../core/base/async.ts';
import { discard } from './drain.ts';
import type { PendingRequest, ResponseHandler } from './model.ts';
import { sendRequest, type RequestDeps } from './request.ts';
import { sessionRequestHeaders, type SessionHeaders } from './request-headers.ts';

export interface FinishOptions {
  readonly session: SessionHeaders;
  /** The host's `notifications/initialized`. */
  readonly initialized: Uint8Array;
  /** Requests whose effect ended with the session before: subscriptions, the log level. */
  readonly replayed: readonly PendingRequest[];
  readonly signal: AbortSignal;
}

/** Longest waits for the server, in ms. One that does not answer must not hold up the calls. */
const maxInitializedMs = 3_000;
const maxReplayMs = 2_000;
const ignoreResponse: ResponseHandler = { onResponse: () => {}, onServerMessage: () => {}, drained: () => undefined };

/**
 * Sends `notifications/initialized` and the replayed requests in a new session. Waits for at most 5 s; what has no
 * response by then continues in the background. Throws when the server cannot be reached.
 */
export async function finishInitialize(
  deps: RequestDeps,
  { session, initialized, replayed, signal }: FinishOptions,
): Promise<void> {
  const { serverClient, clock, log, server } = deps;
  const sendingInitialized = serverClient
    .request({
      method: 'POST',
      headers: sessionRequestHeaders(session),
      body: initialized,
      timeoutMs: 30_000,
      signal,
      repeatable: true,
      onChallenge: 'ignore',
    })
    .then((response) => discard(response, clock));
  if ((await within(clock, maxInitializedMs, sendingInitialized)) === 'late')
    log('initialized_unanswered', { server, waitedMs: maxInitializedMs });

  const replaying = Promise.all(
    replayed.map((request) =>
      sendRequest(deps, request, ignoreResponse, { session, signal, onChallenge: 'ignore' }).catch(() => {}),
    ),
  );
  if ((await within(clock, maxReplayMs, replaying)) === 'late')
    log('session_repeats_unanswered', { server, waitedMs: maxReplayMs });
}
