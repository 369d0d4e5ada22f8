declare const brand: unique symbol;

/**
 * A moment on the clock that does not jump (`Clock.monotonic`). Not a number, so that nobody reckons with it and with
 * Unix time at once: `msSince` and `deadlineIn` say what there is to know.
 */
export interface Moment {
  readonly [brand]: 'monotonic';
}

/** For clocks only. `ms`: since any beginning. */
export const momentAt = (ms: number): Moment => ms as unknown as Moment;

type Monotonic = Pick<Clock, 'monotonic'>;

/** How long ago a moment was, in ms. A computer's sleep may not count. */
export const msSince = (clock: Monotonic, moment: Moment): number =>
  (clock.monotonic() as unknown as number) - (moment as unknown as number);

/** A moment to come. */
export interface Deadline {
  /** In ms; 0 when it is over. Never more than it was set to, whatever happens to the system's time. */
  leftMs(): number;
}

export function deadlineIn(clock: Monotonic, ms: number): Deadline {
  const from = clock.monotonic();
  return { leftMs: () => Math.max(0, ms - msSince(clock, from)) };
}

export const over: Deadline = { leftMs: () => 0 };

export interface Clock {
  /**
   * Unix time in ms, which jumps when somebody sets it. For what a person reads, what a file keeps, and what a server
   * or a certificate dates; never for a pause, a limit or an age in this process (held by test/app/clock-use.test.ts).
   */
  now(): number;
  /** The moment on a clock that only goes forward, for everything else. */
  monotonic(): Moment;
  /**
   * Runs `task` once after `ms` on a clock that does not jump. Returns a function that cancels it. Never keeps the
   * process alive.
   */
  after(ms: number, task: () => void): () => void;
}
