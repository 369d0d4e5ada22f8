import type { ErrorCode } from '../../shared/errors.ts';
import { AppError } from '../core/base/errors.ts';
import type { PendingRequest, ResponseHandler } from './response.ts';
import { sendRequest, type RequestDeps, type RequestOptions } from './request.ts';
import { delayAfterMs, isTransient } from './retry-policy.ts';
import type { Pauses } from '../core/base/async.ts';

/** Refusals that a sign-in or the server itself may end. */
const mayEnd = new Set<ErrorCode>([
  'E_SERVER_REFUSED',
  'E_SIGN_IN_AGAIN',
  'E_SIGN_IN_NEEDED',
  'E_CLIENT_REFUSED',
  'E_STORE_LOCKED',
  'E_STORE_UNAVAILABLE',
]);

export interface ListenDeps extends RequestDeps {
  /** Ended early when there is a reason to try at once: a sign-in, or the success of another bridge. */
  readonly pauses: Pauses;
}

/**
 * `subscriptions/listen` of 2026-07-28: a request whose answer is a stream without end. A host on stdio cannot see that
 * the stream broke, so it is opened again, by the same message with the same id, and its second acknowledgement is kept
 * back.
 */
export async function listen(
  { pauses, ...deps }: ListenDeps,
  request: PendingRequest,
  handler: ResponseHandler,
  options: RequestOptions,
): Promise<void> {
  let acknowledged = false;
  let failures = 0;
  const once: ResponseHandler = {
    onResponse: (line, found, head) => handler.onResponse(line, found, head),
    drained: () => handler.drained(),
    onServerMessage(line, found) {
      const isAcknowledgement = found.method === 'notifications/subscriptions/acknowledged';
      // An acknowledgement again is no news: a server that gives one and closes would set the pace otherwise.
      if (isAcknowledgement && acknowledged) return;
      if (isAcknowledgement) acknowledged = true;
      failures = 0;
      handler.onServerMessage(line, found);
    },
  };
  for (;;) {
    try {
      await sendRequest(deps, request, once, options);
      return;
    } catch (error) {
      // A host that was told that it is subscribed is not told of what ends by itself, or by a sign-in.
      const lasting = !(error instanceof AppError) || !(isTransient(error.code) || mayEnd.has(error.code));
      if (!acknowledged || lasting) throw error;
      failures += 1;
      await pauses.pause(delayAfterMs(error.code, failures), options.signal);
    }
  }
}
