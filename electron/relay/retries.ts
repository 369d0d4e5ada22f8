import type { ErrorCode } from '../../shared/errors.ts';
import { delayAfterMs } from './retry-policy.ts';
import type { Clock } from '../core/base/clock.ts';

/**
 * Decides when to open a missing session again: in the background after growing delays, and earlier if a call, a host
 * or another bridge gives a reason.
 */
export interface Retries {
  /** An attempt begins. */
  started(): void;
  /** It failed: schedules the next one. */
  failed(code: ErrorCode): void;
  /** It succeeded: the next failure counts as the first. */
  succeeded(): void;
  /** Whether a call or a host may start an attempt: the last one was more than a second ago. */
  readonly mayTry: boolean;
  /**
   * Whether the success of another bridge is reason enough for an attempt. After each attempt that failed it takes
   * longer until it is again.
   */
  mayTryAfterWake(): boolean;
  stop(): void;
}

/** Shortest time between attempts, in ms. */
const minIntervalMs = 1_000;
/** The same for attempts after the success of another bridge, once many of them have failed. */
const maxWakeIntervalMs = 60_000;

export function createRetries(clock: Clock, tryAgain: () => void): Retries {
  let failures = 0;
  let wakes = 0;
  let cancel: (() => void) | undefined;
  /** Set while it is too early for another attempt. */
  let interval: (() => void) | undefined;
  let wakeInterval: (() => void) | undefined;
  const startIntervals = () => {
    interval?.();
    wakeInterval?.();
    interval = clock.after(minIntervalMs, () => (interval = undefined));
    const wakeIntervalMs = Math.min(maxWakeIntervalMs, minIntervalMs * 2 ** wakes);
    wakeInterval = clock.after(wakeIntervalMs, () => (wakeInterval = undefined));
  };
  return {
    started: startIntervals,
    failed(code) {
      cancel?.();
      failures += 1;
      // Calls that waited for this attempt must not wait for another one at once.
      startIntervals();
      cancel = clock.after(delayAfterMs(code, failures), tryAgain);
    },
    succeeded() {
      cancel?.();
      failures = wakes = 0;
    },
    get mayTry() {
      return interval === undefined;
    },
    mayTryAfterWake() {
      if (wakeInterval) return false;
      wakes += 1;
      return true;
    },
    stop() {
      for (const stopTimer of [cancel, interval, wakeInterval]) stopTimer?.();
    },
  };
}
