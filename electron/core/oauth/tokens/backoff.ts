import type { Clock } from '../../base/clock.ts';

/** The first retries are quick: after a lost response, a server accepts the rotated token only for a short time. */
const quickMs = [500, 2_000, 5_000, 15_000];
const longestMs = 300_000;
/** A waiting call may start an attempt this long after the last one. */
const forcedMs = 2_000;

/** Delay before attempt `failures` + 1, in ms: 0.5, 2, 5, 15 s, then doubling from 30 s to 5 min, ± 20 %. */
export function retryDelay(failures: number, random: () => number): number {
  const quick = quickMs[failures - 1];
  if (quick !== undefined) return quick;
  const base = Math.min(30_000 * 2 ** (failures - quickMs.length - 1), longestMs);
  return Math.min(Math.round(base * (0.8 + 0.4 * random())), longestMs);
}

/** Schedules the attempts to refresh one credential. */
export interface Backoff {
  /** Whether a waiting call may start an attempt now. */
  readonly mayTry: boolean;
  /** Call when an attempt begins: cancels the scheduled one. */
  begin(): void;
  /** Call when the attempt failed: schedules the next one. Returns the delay until then, in ms. */
  failed(options?: FailedOptions): number;
  succeeded(): void;
  /** Tries at once, unless the server asked for a pause. Call when the network may be back. */
  wake(): void;
  /** No more attempts before `succeeded`. */
  stop(): void;
}

interface FailedOptions {
  /** No attempt is made earlier, even for a waiting call. */
  readonly floorMs?: number;
  /** `false`: only a call starts the next attempt. */
  readonly alone?: boolean;
  /** Longest delay. */
  readonly mostMs?: number;
}

export interface BackoffDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly tryNow: () => void;
  /** Whether a call is waiting. */
  readonly wanted: () => boolean;
}

export function createBackoff({ clock, random, tryNow, wanted }: BackoffDeps): Backoff {
  let failures = 0;
  let state: 'open' | 'planned' | 'floor' | 'stopped' = 'open';
  let timers: (() => void)[] = [];
  const cancelTimers = (): void => {
    for (const cancel of timers) cancel();
    timers = [];
  };
  const open = (): void => {
    state = 'open';
    if (wanted()) tryNow();
  };
  return {
    get mayTry() {
      return state === 'open';
    },
    begin: cancelTimers,
    failed({ floorMs = 0, alone = true, mostMs = longestMs } = {}) {
      cancelTimers();
      failures += 1;
      const late = Math.max(floorMs, Math.min(retryDelay(failures, random), mostMs));
      const early = Math.max(floorMs, Math.min(late, forcedMs));
      state = floorMs > 0 ? 'floor' : 'planned';
      timers = [clock.after(early, open)];
      if (alone) timers.push(clock.after(late, tryNow));
      return wanted() ? early : late;
    },
    succeeded() {
      cancelTimers();
      failures = 0;
      state = 'open';
    },
    wake() {
      if (state === 'floor' || state === 'stopped' || timers.length === 0) return;
      failures = 0;
      tryNow();
    },
    stop() {
      cancelTimers();
      state = 'stopped';
    },
  };
}
