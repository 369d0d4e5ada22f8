import type { Clock } from '../app/ports.ts';

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
