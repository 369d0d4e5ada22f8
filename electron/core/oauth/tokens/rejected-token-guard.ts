import type { Clock } from '../../base/clock.ts';
import { AppError } from '../../base/errors.ts';
import type { CredentialFacts } from '../../vault/credential.ts';
import type { CachedToken } from './cached-token.ts';

/** No refresh for this long when a server rejects a token right after a refresh (HT01); doubles up to the maximum. */
const refreshPauseMs = 30_000;
const maxRefreshPauseMs = 600_000;
/** A rejected token that cannot be renewed is tried again after this pause; doubles up to the maximum. */
const trialPauseMs = 5_000;
const maxTrialPauseMs = 300_000;
/** Longest pause between refreshes of a token that is only suspected to be invalid. */
const maxDoubtPauseMs = 3_600_000;

type Rejection =
  /** The token is the result of a recent 401; another refresh would not help. */
  | { readonly kind: 'too_soon'; readonly error: AppError }
  | { readonly kind: 'renew' }
  /** It cannot be renewed. `pauseMs`: until it may be tried again. */
  | { readonly kind: 'for_good'; readonly error: AppError; readonly pauseMs: number };

const rejectedForGood = ({ grant }: Pick<CredentialFacts, 'grant'>): AppError =>
  grant === 'static_header'
    ? new AppError('E_SERVER_REFUSED', 'The server rejected the key. Enter another one and sign in again.')
    : new AppError('E_SIGN_IN_AGAIN', 'The server rejected the access token, and there is no refresh token.');

/** Keeps a server that answers 401 to everything from causing one refresh per call. */
export interface RejectedTokenGuard {
  /** Decides what to do about a 401 to a token in this stage. */
  judge(stage: CachedToken['stage'], facts: Pick<CredentialFacts, 'renewable' | 'grant'> | undefined): Rejection;
  /** Call when a refresh returned a token. */
  renewed(): void;
  /** Call when the server accepted the current token. */
  accepted(): void;
  /** Whether a refusal that may have another cause is worth a refresh now. */
  doubted(): boolean;
  forget(): void;
}

export function createRejectedTokenGuard(clock: Clock): RejectedTokenGuard {
  let renewalExpected = false;
  let inARow = 0;
  let trials = 0;
  let doubts = 0;
  let cancelPause: (() => void) | undefined;
  let cancelDoubtPause: (() => void) | undefined;
  const endPause = () => {
    cancelPause?.();
    cancelPause = undefined;
  };
  return {
    judge(stage, facts) {
      // A token near its expiry is renewed, even if its lifetime is very short.
      if (cancelPause && stage === 'fresh')
        return {
          kind: 'too_soon',
          error: new AppError('E_SERVER_REFUSED', 'The server rejected an access token that was just renewed.'),
        };
      renewalExpected = true;
      if (facts?.renewable !== false) return { kind: 'renew' };
      trials += 1;
      const pauseMs = Math.min(maxTrialPauseMs, trialPauseMs * 2 ** (trials - 1));
      return { kind: 'for_good', error: rejectedForGood(facts), pauseMs };
    },
    renewed() {
      if (!renewalExpected) return;
      renewalExpected = false;
      endPause();
      cancelPause = clock.after(Math.min(maxRefreshPauseMs, refreshPauseMs * 2 ** inARow), () => {
        cancelPause = undefined;
      });
      inARow += 1;
    },
    accepted() {
      // The long pause is for a server that rejects everything; this one does not.
      if (inARow > 1) endPause();
      inARow = trials = 0;
    },
    doubted() {
      if (cancelDoubtPause || cancelPause) return false;
      cancelDoubtPause = clock.after(Math.min(maxDoubtPauseMs, refreshPauseMs * 2 ** doubts), () => {
        cancelDoubtPause = undefined;
      });
      doubts += 1;
      return true;
    },
    forget() {
      renewalExpected = false;
      inARow = trials = doubts = 0;
      endPause();
      cancelDoubtPause?.();
      cancelDoubtPause = undefined;
    },
  };
}
