import type { Clock } from '../../base/clock.ts';

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

/** Keeps a server that answers 401 to everything from causing a refresh per call, and a refusal from being the end. */
export interface RejectedTokenGuard {
  /** True: the token in use came after a 401, a moment ago; another refresh would not help. */
  readonly tooSoon: boolean;
  /** A 401 asks for a refresh. */
  refused(): void;
  /** A refresh gave a token. */
  renewed(): void;
  /** The server took the token in use. */
  accepted(): void;
  /** What cannot be renewed was refused: how long until it may be tried again, in ms. */
  trialPauseMs(): number;
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
    get tooSoon() {
      return cancel !== undefined;
    },
    refused() {
      asked = true;
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
    trialPauseMs() {
      trials += 1;
      return Math.min(longestTrialMs, trialMs * 2 ** (trials - 1));
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
