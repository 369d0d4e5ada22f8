import type { Clock } from '../../base/clock.ts';
import { AppError } from '../../base/errors.ts';
import type { CredentialFacts } from '../../vault/credential.ts';
import type { CachedToken } from './cached-token.ts';

/**
 * A server that refuses a token straight after a refresh gets no other refresh for this long (HT01); twice as long each
 * time it happens again.
 */
const refusedAgainMs = 30_000;
const longestMs = 600_000;
/** A key or token that cannot be renewed is tried again this long after it was refused; twice as long each time. */
const trialMs = 5_000;
const longestTrialMs = 300_000;
/** A token that is only doubted is renewed no more often than this; half as often each time. */
const longestDoubtMs = 3_600_000;

type Rejection =
  /** The token came after a 401, a moment ago; another refresh would not help. */
  | { readonly kind: 'too_soon'; readonly error: AppError }
  | { readonly kind: 'renew' }
  /** There is nothing to renew it with. `pauseMs`: until it may be tried again. */
  | { readonly kind: 'for_good'; readonly error: AppError; readonly pauseMs: number };

const rejectedForGood = ({ grant }: Pick<CredentialFacts, 'grant'>): AppError =>
  grant === 'static_header'
    ? new AppError('E_SERVER_REFUSED', 'The server refused the key. Enter another one, and sign in again.')
    : new AppError('E_SIGN_IN_AGAIN', 'The server refused the access token, and it gave no refresh token.');

/** Keeps a server that answers 401 to everything from causing a refresh per call, and a refusal from being the end. */
export interface RejectedTokenGuard {
  /** Judges a 401 to a token in this stage. */
  judge(stage: CachedToken['stage'], facts: Pick<CredentialFacts, 'renewable' | 'grant'> | undefined): Rejection;
  /** A refresh gave a token. */
  renewed(): void;
  /** The server took the token in use. */
  accepted(): void;
  /** A refusal that may have another reason: whether it is worth a refresh. */
  doubted(): boolean;
  forget(): void;
}

export function createRejectedTokenGuard(clock: Clock): RejectedTokenGuard {
  let asked = false;
  let inARow = 0;
  let trials = 0;
  let doubts = 0;
  let cancel: (() => void) | undefined;
  let cancelDoubt: (() => void) | undefined;
  const reopen = () => {
    cancel?.();
    cancel = undefined;
  };
  return {
    judge(stage, facts) {
      // A token that is near its end anyway is renewed, however short its life is.
      if (cancel && stage === 'fresh')
        return {
          kind: 'too_soon',
          error: new AppError('E_SERVER_REFUSED', 'The server refused a token that was renewed a moment ago.'),
        };
      asked = true;
      if (facts?.renewable !== false) return { kind: 'renew' };
      trials += 1;
      const pauseMs = Math.min(longestTrialMs, trialMs * 2 ** (trials - 1));
      return { kind: 'for_good', error: rejectedForGood(facts), pauseMs };
    },
    renewed() {
      if (!asked) return;
      asked = false;
      reopen();
      cancel = clock.after(Math.min(longestMs, refusedAgainMs * 2 ** inARow), () => {
        cancel = undefined;
      });
      inARow += 1;
    },
    accepted() {
      // The long pause was for a server that refuses everything.
      if (inARow > 1) reopen();
      inARow = trials = 0;
    },
    doubted() {
      if (cancelDoubt || cancel) return false;
      cancelDoubt = clock.after(Math.min(longestDoubtMs, refusedAgainMs * 2 ** doubts), () => {
        cancelDoubt = undefined;
      });
      doubts += 1;
      return true;
    },
    forget() {
      asked = false;
      inARow = trials = doubts = 0;
      reopen();
      cancelDoubt?.();
      cancelDoubt = undefined;
    },
  };
}
