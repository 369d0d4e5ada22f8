import { durationText } from '../../../../shared/state-text.ts';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Backoff } from './backoff.ts';
import type { RefreshResult } from './refresh.ts';
import { deadlineIn, over, type Clock } from '../../base/clock.ts';
import type { TokenState } from '../model.ts';

/** An answer that nobody can use is not asked for again earlier (RF13, TR08). */
const uselessAnswerMs = 10_000;
/**
 * Equal refusals in a row (RFC 6749 5.2) that count as final: a single one may come from a server that is being
 * restarted.
 */
const believedAfter = 3;
/**
 * Pauses after a refusal that counts as final: doubled from 5 min to a day. When the server is repaired, the sign-in
 * works again by itself.
 */
const slowRetryMs = 300_000;
const slowestRetryMs = 86_400_000;
/** Longest pause between looks at a store that cannot be used. */
const storeRetryMs = 10_000;

/** What stands between a credential and a token, and when the next try comes. */
export interface RefreshFailure {
  readonly now: Extract<TokenState, { kind: 'retrying' | 'ended' | 'blocked' }> | undefined;
  /** A refresh ended without a token. */
  meet(result: Extract<RefreshResult, { kind: 'ended' | 'client_refused' | 'failed' | 'blocked' }>): void;
  /** A token is there and cannot be stored; the refresh itself tries again. */
  unsaved(error: AppError): void;
  clear(): void;
}

export interface RefreshFailureDeps {
  readonly id: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly backoff: Backoff;
  /** Whether no access token is left: until then a refused refresh stops nothing. */
  readonly tokenOver: () => boolean;
}

export function createRefreshFailure({ id, clock, log, backoff, tokenOver }: RefreshFailureDeps): RefreshFailure {
  let now:
    | Exclude<RefreshFailure['now'], { kind: 'retrying' }>
    | Omit<Extract<RefreshFailure['now'], { kind: 'retrying' }>, 'nextTryAt'>;
  let nextTry = over;
  let clientRefusals = 0;
  let slowRetries = 0;
  let refused: { readonly what: string; readonly times: number; readonly error: AppError } | undefined;

  const believed = (): AppError | undefined =>
    refused && refused.times >= believedAfter && tokenOver() ? refused.error : undefined;

  /** Only a person who tries now can shorten it. Returns the delay in ms. */
  function retrySlowly(): number {
    const floorMs = Math.min(slowRetryMs * 2 ** slowRetries, slowestRetryMs);
    slowRetries += 1;
    return backoff.failed({ floorMs });
  }

  function refusedAgain({ refusal, error }: Extract<RefreshResult, { kind: 'failed' }>): void {
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

  function retry(cause: AppError): void {
    const floorMs = Math.max(cause.retryAfterMs ?? 0, cause.code === 'E_TOKEN_RESPONSE' ? uselessAnswerMs : 0);
    const delay = believed() ? retrySlowly() : backoff.failed({ floorMs });
    log('refresh_failed', { credential: id, code: cause.code, nextTryMs: Math.round(delay) });
    const asked =
      cause.retryAfterMs === undefined ? '' : ` The authorization server wants no requests for ${durationText(delay)}.`;
    now = {
      kind: 'retrying',
      error: new AppError('E_REFRESH_FAILED', `The sign-in could not be renewed yet. ${cause.message}${asked}`, {
        cause,
        retryAfterMs: delay,
      }),
    };
    nextTry = deadlineIn(clock, delay);
  }

  return {
    get now(): RefreshFailure['now'] {
      if (now?.kind !== 'retrying') return now;
      // Once the token has expired, a fault that could be waited for becomes one for a person.
      const error = believed();
      // The time is reckoned when it is asked for: the system's may be another one since then.
      return error ? { kind: 'ended', error } : { ...now, nextTryAt: clock.now() + nextTry.leftMs() };
    },
    meet(result) {
      clientRefusals = result.kind === 'client_refused' ? clientRefusals + 1 : 0;
      switch (result.kind) {
        case 'failed':
          refusedAgain(result);
          return retry(result.error);
        case 'client_refused':
          // One "unknown client" may be a server that has just restarted; two are believed, for a while.
          if (clientRefusals === 1)
            return retry(
              new AppError(result.error.code, `${result.error.message} If it says so again, a new sign-in is needed.`, {
                cause: result.error,
              }),
            );
          retrySlowly();
          now = { kind: 'ended', error: result.error };
          return;
        case 'blocked':
          backoff.failed({ mostMs: storeRetryMs });
          now = { kind: 'blocked', error: result.error };
          return;
        case 'ended':
          if (result.final) backoff.stop();
          else backoff.failed({ alone: false, floorMs: result.pauseMs ?? 0 });
          now = { kind: 'ended', error: result.error };
      }
    },
    unsaved(error) {
      now = { kind: 'blocked', error };
    },
    clear() {
      now = undefined;
      refused = undefined;
      clientRefusals = 0;
      slowRetries = 0;
      backoff.succeeded();
    },
  };
}
