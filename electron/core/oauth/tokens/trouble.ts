import { AppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports.ts';
import type { Backoff } from './backoff.ts';
import type { RefreshResult } from './refresh.ts';
import type { TokenState } from './tokens.ts';

/** An answer that nobody can use is not asked for again earlier (RF13, TR08). */
const uselessAnswerMs = 10_000;
/** How long an authorization server is believed that it does not know us. */
const clientRefusedMs = 300_000;
/** Longest pause between looks at a store that cannot be used. */
const storeRetryMs = 10_000;

/** What stands between a credential and a token, and when the next try comes. */
export interface Trouble {
  readonly now: Extract<TokenState, { kind: 'retrying' | 'ended' | 'blocked' }> | undefined;
  /** A refresh ended without a token. */
  meet(result: Extract<RefreshResult, { kind: 'ended' | 'client_refused' | 'failed' | 'blocked' }>): void;
  /** A token is there and cannot be stored; the refresh itself tries again. */
  unsaved(error: AppError): void;
  clear(): void;
}

export function createTrouble({ id, clock, log, backoff }: { readonly id: string; readonly clock: Clock; readonly log: Log; readonly backoff: Backoff }): Trouble {
  let now: Trouble['now'];
  let clientRefusals = 0;

  function retry(cause: AppError): void {
    const floorMs = Math.max(cause.retryAfterMs ?? 0, cause.code === 'E_TOKEN_RESPONSE' ? uselessAnswerMs : 0);
    const delay = backoff.failed({ floorMs });
    log('refresh_failed', { credential: id, code: cause.code, nextTryMs: Math.round(delay) });
    now = {
      kind: 'retrying',
      error: new AppError('E_REFRESH_FAILED', `The sign-in could not be renewed yet. ${cause.message}`, { cause, retryAfterMs: delay }),
      nextTryAt: clock.now() + delay,
    };
  }

  return {
    get now() {
      return now;
    },
    meet(result) {
      clientRefusals = result.kind === 'client_refused' ? clientRefusals + 1 : 0;
      switch (result.kind) {
        case 'failed':
          return retry(result.error);
        case 'client_refused':
          // One "unknown client" may be a server that has just restarted; two are believed, for a while.
          if (clientRefusals === 1) return retry(result.error);
          backoff.failed({ alone: false, floorMs: clientRefusedMs });
          now = { kind: 'ended', error: result.error };
          return;
        case 'blocked':
          backoff.failed({ mostMs: storeRetryMs });
          now = { kind: 'blocked', error: result.error };
          return;
        case 'ended':
          if (result.final) backoff.stop();
          else backoff.failed({ alone: false });
          now = { kind: 'ended', error: result.error };
      }
    },
    unsaved(error) {
      now = { kind: 'blocked', error };
    },
    clear() {
      now = undefined;
      clientRefusals = 0;
      backoff.succeeded();
    },
  };
}
