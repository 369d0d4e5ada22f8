import { defined } from '../../../../shared/defined.ts';
import { durationText } from '../../../../shared/state-text.ts';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Backoff } from './backoff.ts';
import type { RefreshResult } from './model.ts';
import { deadlineIn, type Clock } from '../../base/clock.ts';
import type { Failure } from './source-state.ts';

/** Shortest pause after a response without a usable token (RF13, TR08). */
const uselessResponseMs = 10_000;
/**
 * Equal refusals in a row (RFC 6749 5.2) that count as final: a single one may come from a server that is being
 * restarted.
 */
const finalAfter = 3;
/**
 * Pauses after a refusal that counts as final: doubled from 5 min to a day. When the server is repaired, the sign-in
 * works again by itself.
 */
const slowRetryMs = 300_000;
const slowestRetryMs = 86_400_000;
/** Longest pause between looks at a store that cannot be used. */
const storeRetryMs = 10_000;

/** Judges refreshes that gave no token, and plans the next one. */
export interface RefreshFailure {
  /** A refresh gave no token. `tokenOver`: no access token is left; until then a refused refresh stops nothing. */
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
  let refused: { readonly what: string; readonly times: number; readonly error: AppError } | undefined;

  /** Only a person who tries now can shorten it. Returns the delay in ms. */
  function retrySlowly(): number {
    const floorMs = Math.min(slowRetryMs * 2 ** slowRetries, slowestRetryMs);
    slowRetries += 1;
    return backoff.failed({ floorMs });
  }

  function countRefusal({ refusal, error }: Extract<RefreshResult, { kind: 'failed' }>): void {
    if (refusal === undefined) return;
    const times = refused?.what === refusal ? refused.times + 1 : 1;
    refused = {
      what: refusal,
      times,
      error: new AppError(
        'E_SIGN_IN_AGAIN',
        `The authorization server refuses to renew the sign-in. ${error.message}`,
        { cause: error },
      ),
    };
    log('refresh_refused', { credential: id, code: error.code, times });
  }

  function retry(cause: AppError, tokenOver: boolean): Failure {
    const endsWithToken = refused && refused.times >= finalAfter ? refused.error : undefined;
    const floorMs = Math.max(cause.retryAfterMs ?? 0, cause.code === 'E_TOKEN_RESPONSE' ? uselessResponseMs : 0);
    const delay = endsWithToken && tokenOver ? retrySlowly() : backoff.failed({ floorMs });
    log('refresh_failed', { credential: id, code: cause.code, nextTryMs: Math.round(delay) });
    const asked =
      cause.retryAfterMs === undefined ? '' : ` The authorization server wants no requests for ${durationText(delay)}.`;
    const message = `The sign-in could not be renewed yet. ${cause.message}${asked}`;
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
          // One "unknown client" may be a server that has just restarted; two are believed, for a while.
          if (clientRefusals === 1) {
            const message = `${error.message} If it says so again, a new sign-in is needed.`;
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
      refused = undefined;
      clientRefusals = 0;
      slowRetries = 0;
      backoff.succeeded();
    },
  };
}
