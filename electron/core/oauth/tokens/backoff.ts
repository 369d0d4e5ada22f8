import type { Clock } from '../../base/clock.ts';

/**
 * The first tries come quickly: a server that rotated and lost its answer takes the old token for a short while only.
 */
const quickMs = [500, 2_000, 5_000, 15_000];
const longestMs = 300_000;
/** A waiting call may have a try this long after the last one. */
const forcedMs = 2_000;

/** Delay before try `failures` + 1, in ms: 0.5, 2, 5, 15 s, then doubling from 30 s to 5 min, 20 % up or down. */
export function retryDelay(failures: number, random: () => number): number {
  const quick = quickMs[failures - 1];
  if (quick !== undefined) return quick;
  const base = Math.min(30_000 * 2 ** (failures - quickMs.length - 1), longestMs);
  return Math.min(Math.round(base * (0.8 + 0.4 * random())), longestMs);
}

export interface Backoff {
  /** Whether a call that waits may start a try now. */
  readonly mayTry: boolean;
  /** A try begins: what was planned is off. */
  begin(): void;
  /**
   * The try failed; plans the next and gives the delay until then in ms. `floorMs`: nobody may try earlier.
   * `alone: false`: only a call brings the next try. `mostMs`: longest delay.
   */
  failed(options?: { readonly floorMs?: number; readonly alone?: boolean; readonly mostMs?: number }): number;
  succeeded(): void;
  /** The network may be back: tries at once, unless the server asked us to wait. */
  wake(): void;
  /** No more tries before `succeeded`. */
  stop(): void;
}

export interface BackoffDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly tryNow: () => void;
  /** Whether a call waits. */
  readonly wanted: () => boolean;
}

export function createBackoff({ clock, random, tryNow, wanted }: BackoffDeps): Backoff {
  let failures = 0;
  let state: 'open' | 'planned' | 'floor' | 'stopped' = 'open';
  let timers: (() => void)[] = [];
  const cancel = (): void => {
    for (const stop of timers) stop();
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
    begin: cancel,
    failed({ floorMs = 0, alone = true, mostMs = longestMs } = {}) {
      cancel();
      failures += 1;
      const late = Math.max(floorMs, Math.min(retryDelay(failures, random), mostMs));
      const early = Math.max(floorMs, Math.min(late, forcedMs));
      state = floorMs > 0 ? 'floor' : 'planned';
      timers = [clock.after(early, open)];
      if (alone) timers.push(clock.after(late, tryNow));
      return wanted() ? early : late;
    },
    succeeded() {
      cancel();
      failures = 0;
      state = 'open';
    },
    wake() {
      if (state === 'floor' || state === 'stopped' || timers.length === 0) return;
      failures = 0;
      tryNow();
    },
    stop() {
      cancel();
      state = 'stopped';
    },
  };
}
