import type { ErrorCode } from '../../shared/errors.ts';
import { delayAfterMs } from './retry-policy.ts';
import type { Clock } from '../core/base/clock.ts';

/**
 * When a session that is away is tried again: by itself after pauses that grow, and earlier where somebody gives a
 * reason.
 */
export interface Retries {
  /** A try begins. */
  tried(): void;
  /** It failed with this code: plans the next one. */
  failed(code: ErrorCode): void;
  /** It worked: the next failure counts as the first. */
  worked(): void;
  /** Whether a call, a list or a host may have a try of its own: the last one is not of this moment. */
  readonly mayTry: boolean;
  /**
   * Another bridge has been served: whether that is reason enough for a try. After each that failed it takes longer.
   */
  wake(): boolean;
  stop(): void;
}

/** Least time from one try to the next that somebody asks for, in ms. */
const calmMs = 1_000;
/** The same for other bridges' success, after many that did not help. */
const mostCalmMs = 60_000;

export function createRetries(clock: Clock, tryAgain: () => void): Retries {
  let failures = 0;
  let wakes = 0;
  let cancel: (() => void) | undefined;
  let calm: (() => void) | undefined;
  let wakeCalm: (() => void) | undefined;
  /** A try of this moment is enough for a while: for who asks, and for longer where others' success has not helped. */
  const beCalm = () => {
    calm?.();
    wakeCalm?.();
    calm = clock.after(calmMs, () => (calm = undefined));
    wakeCalm = clock.after(Math.min(mostCalmMs, calmMs * 2 ** wakes), () => (wakeCalm = undefined));
  };
  return {
    tried: beCalm,
    failed(code) {
      cancel?.();
      failures += 1;
      // A call that has waited for this try is not made to wait for another one.
      beCalm();
      cancel = clock.after(delayAfterMs(code, failures), tryAgain);
    },
    worked() {
      cancel?.();
      failures = wakes = 0;
    },
    get mayTry() {
      return calm === undefined;
    },
    wake() {
      if (wakeCalm) return false;
      wakes += 1;
      return true;
    },
    stop() {
      for (const end of [cancel, calm, wakeCalm]) end?.();
    },
  };
}
