import { defined } from '../../../../shared/defined.ts';
import { durationText } from '../../../../shared/state-text.ts';
import { deadlineIn, type Clock } from '../../base/clock.ts';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Backoff } from './backoff.ts';
import type { RefreshResult } from './model.ts';
import type { Failure } from './source-state.ts';

/** Shortest pause after a response without a usable token (RF13, TR08). */
const unusableResponsePauseMs = 10_000;
/** Equal refusals in a row (RFC 6749 5.2) that count as final. One alone may come from a server that is restarting. */
const finalAfter = 3;
/** Pause after a final refusal; it doubles up to the maximum. Once the server is repaired, the sign-in works again. */
const slowRetryMs = 300_000;
const maxSlowRetryMs = 86_400_000;
/** Longest pause between attempts to use a store that is locked or unavailable. */
const storeRetryMs = 10_000;

/** Counts the failures of refreshes, and schedules the next attempt. */
export interface RefreshFailure {
  /** `tokenOver`: no access token is usable; until then a refusal does not end the sign-in. */
  record(result: FailedRefresh, tokenOver: boolean): Failure;
  clear(): void;
}

type FailedRefresh = Extract<RefreshResult, { kind: 'ended' | 'client_refused' | 'failed' | 'blocked' }>;

export interface RefreshFailureDeps {
  readonly id: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly backoff: Backoff;
}

export function createRefreshFailure({ id, clock, log, backoff }: RefreshFailureDeps): RefreshFailure {
  let clientRefusals = 0;
  let slowRetries = 0;
  let lastRefusal: { readonly key: string; readonly times: number; readonly error: AppError } | undefined;

  /** Waiting calls cannot shorten this pause; only an explicit `refreshNow` can. Returns the delay in ms. */
  function retrySlowly(): number {
    const floorMs = Math.min(slowRetryMs * 2 ** slowRetries, maxSlowRetryMs);
    slowRetries += 1;
    return backoff.failed({ floorMs });
  }

  function countRefusal({ refusal, error }: Extract<RefreshResult, { kind: 'failed' }>): void {
    if (refusal === undefined) return;
    const times = lastRefusal?.key === refusal ? lastRefusal.times + 1 : 1;
    const message = `The authorization server refuses to renew the sign-in. ${error.message}`;
    lastRefusal = { key: refusal, times, error: new AppError('E_SIGN_IN_AGAIN', message, { cause: error }) };
    log('refresh_refused', { credential: id, code: error.code, times });
  }

  function retry(cause: AppError, tokenOver: boolean): Failure {
    const endsWithToken = lastRefusal && lastRefusal.times >= finalAfter ? lastRefusal.error : undefined;
    const floorMs = Math.max(cause.retryAfterMs ?? 0, cause.code === 'E_TOKEN_RESPONSE' ? unusableResponsePauseMs : 0);
    const delay = endsWithToken && tokenOver ? retrySlowly() : backoff.failed({ floorMs });
    log('refresh_failed', { credential: id, code: cause.code, nextTryMs: Math.round(delay) });
    const wait =
      cause.retryAfterMs === undefined ? '' : ` The authorization server asked for a pause of ${durationText(delay)}.`;
    const message = `The sign-in could not be renewed yet. ${cause.message}${wait}`;
    return {
      kind: 'retrying',
      error: new AppError('E_REFRESH_FAILED', message, { cause, retryAfterMs: delay }),
      nextTry: deadlineIn(clock, delay),
      ...defined({ endsWithToken }),
    };
  }

  return {
    record(result, tokenOver) {
      const { error } = result;
      clientRefusals = result.kind === 'client_refused' ? clientRefusals + 1 : 0;
      switch (result.kind) {
        case 'failed':
          countRefusal(result);
          return retry(error, tokenOver);
        case 'client_refused': {
          // The first "unknown client" may come from a server that has just restarted.
          if (clientRefusals === 1) {
            const message = `${error.message} If it says so again, you need to sign in again.`;
            return retry(new AppError(error.code, message, { cause: error }), tokenOver);
          }
          retrySlowly();
          return { kind: 'ended', error };
        }
        case 'blocked':
          backoff.failed({ mostMs: storeRetryMs });
          return { kind: 'blocked', error };
        case 'ended':
          if (result.final) backoff.stop();
          else backoff.failed({ alone: false, floorMs: result.pauseMs ?? 0 });
          return { kind: 'ended', error };
      }
    },
    clear() {
      lastRefusal = undefined;
      clientRefusals = 0;
      slowRetries = 0;
      backoff.succeeded();
    },
  };
}
