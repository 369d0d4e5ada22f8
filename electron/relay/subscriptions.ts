import type { ErrorCode } from '../../shared/errors.ts';
import { AppError } from '../core/base/errors.ts';
import type { PendingRequest, ResponseHandler } from './model.ts';
import { sendRequest, type RequestDeps, type RequestOptions } from './request.ts';
import { delayAfterMs, isTransient } from './retry-policy.ts';
import type { Pauses } from '../core/base/async.ts';

/** Refusals that end with a sign-in, or by themselves. */
const temporaryRefusals = new Set<ErrorCode>([
  'E_SERVER_REFUSED',
  'E_SIGN_IN_AGAIN',
  'E_SIGN_IN_NEEDED',
  'E_CLIENT_REFUSED',
  'E_STORE_LOCKED',
  'E_STORE_UNAVAILABLE',
]);

export interface ListenDeps extends RequestDeps {
  /** Cut short by a sign-in or by the success of another bridge. */
  readonly pauses: Pauses;
}

/**
 * Runs `subscriptions/listen` (MCP 2026-07-28), whose response is an endless stream. A host on stdio cannot notice that
 * the stream broke, so Keybridge opens it again with the same message and drops the acknowledgements after the first.
 */
export async function listen(
  { pauses, ...deps }: ListenDeps,
  request: PendingRequest,
  handler: ResponseHandler,
  options: RequestOptions,
): Promise<void> {
  let acknowledged = false;
  let failures = 0;
  const acknowledgedOnce: ResponseHandler = {
    onResponse: (line, envelope, head) => handler.onResponse(line, envelope, head),
    drained: () => handler.drained(),
    onServerMessage(line, envelope) {
      const isAcknowledgement = envelope.method === 'notifications/subscriptions/acknowledged';
      // A repeated acknowledgement must not reset the delay: some servers acknowledge and close at once.
      if (isAcknowledgement && acknowledged) return;
      if (isAcknowledgement) acknowledged = true;
      failures = 0;
      handler.onServerMessage(line, envelope);
    },
  };
  for (;;) {
    try {
      await sendRequest(deps, request, acknowledgedOnce, options);
      return;
    } catch (error) {
      // Once the host is subscribed, a failure that may end must not cancel its subscription.
      const mayEnd = error instanceof AppError && (isTransient(error.code) || temporaryRefusals.has(error.code));
      if (!acknowledged || !mayEnd) throw error;
      failures += 1;
      await pauses.pause(delayAfterMs(error.code, failures), options.signal);
    }
  }
}
