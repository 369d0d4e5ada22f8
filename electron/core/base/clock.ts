declare const brand: unique symbol;

/**
 * A moment on the monotonic clock (`Clock.monotonic`). Not a number, so that it cannot be mixed with Unix time; use
 * `msSince` and `deadlineIn`.
 */
export interface Moment {
  readonly [brand]: 'monotonic';
}

/** For implementations of `Clock` only. `ms`: since an arbitrary start. */
export const momentAt = (ms: number): Moment => ms as unknown as Moment;

type Monotonic = Pick<Clock, 'monotonic'>;

/** The time since a moment, in ms. Sleep of the computer may not be included. */
export const msSince = (clock: Monotonic, moment: Moment): number =>
  (clock.monotonic() as unknown as number) - (moment as unknown as number);

/** A moment in the future. */
export interface Deadline {
  /** The remaining time in ms, or 0 once it has passed. Not affected by changes of the system time. */
  leftMs(): number;
}

export function deadlineIn(clock: Monotonic, ms: number): Deadline {
  const from = clock.monotonic();
  return { leftMs: () => Math.max(0, ms - msSince(clock, from)) };
}

export const over: Deadline = { leftMs: () => 0 };

export interface Clock {
  /**
   * Unix time in ms, which jumps when the system time is set. For times that are shown, stored in files, or come from
   * servers and certificates. Never for a pause, a limit or an age in this process (test/app/clock-use.test.ts).
   */
  now(): number;
  /** The current moment on a clock that only goes forward, for everything else. */
  monotonic(): Moment;
  /**
   * Runs `task` once after `ms` on the monotonic clock. Returns a function that cancels it. The timer does not keep the
   * process alive.
   */
  after(ms: number, task: () => void): () => void;
}
