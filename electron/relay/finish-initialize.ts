import type { PendingRequest, ResponseHandler } from './response.ts';
import { discard } from './drain.ts';
import { sendRequest, type RequestDeps } from './request.ts';
import { sessionRequestHeaders, type SessionHeaders } from './request-headers.ts';
import { within } from '../core/base/async.ts';

export interface FinishOptions {
  readonly session: SessionHeaders;
  /** The host's `notifications/initialized`. */
  readonly ready: Uint8Array;
  /** Requests of which the server kept something in the session before: subscriptions, the level of its log. */
  readonly remembered: readonly PendingRequest[];
  readonly signal: AbortSignal;
}

/** A notification has no answer but a status, and a server that gives none must not hold up the calls. */
const readyMs = 3_000;
const repeatsMs = 2_000;
const nobody: ResponseHandler = { onResponse: () => {}, onServerMessage: () => {}, drained: () => undefined };

/**
 * Tells a new session that the host is ready, and repeats what the server is to remember. Waits 5 s at most; what is
 * not answered by then goes on behind it. Throws when the server cannot be reached.
 */
export async function finishInitialize(
  deps: RequestDeps,
  { session, ready, remembered, signal }: FinishOptions,
): Promise<void> {
  const { serverClient, clock, log, server } = deps;
  const telling = serverClient
    .request({
      method: 'POST',
      headers: sessionRequestHeaders(session),
      body: ready,
      timeoutMs: 30_000,
      signal,
      repeatable: true,
      onChallenge: 'quiet',
    })
    .then((answered) => discard(answered, clock));
  if ((await within(clock, readyMs, telling)) === 'late') log('initialized_unanswered', { server, waitedMs: readyMs });

  const repeating = Promise.all(
    remembered.map((request) =>
      sendRequest(deps, request, nobody, { session, signal, onChallenge: 'quiet' }).catch(() => {}),
    ),
  );
  if ((await within(clock, repeatsMs, repeating)) === 'late')
    log('session_repeats_unanswered', { server, waitedMs: repeatsMs });
}
