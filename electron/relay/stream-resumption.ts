import type { Clock } from '../core/base/clock.ts';

/**
 * When a stream that its server ended is opened again. A server says how long to wait (`retry`), but not less than is
 * bearable.
 */
export interface StreamResumption {
  /** A connection is there. Gives the function to call when it has ended. */
  opened(): () => void;
  /** A message came: whatever was fruitless before is forgotten. */
  heard(): void;
  /** The wait before the next opening, in ms; undefined: no more of them. */
  next(retryMs: number): number | undefined;
}

const floorMs = 250;
/** What a server may ask for at most. */
const longestRetryMs = 5 * 60_000;
/** A connection that lasted this long counts as useful: proxies close idle ones. */
const worthwhileMs = 10_000;
/** Openings in a row that brought no message and did not last. */
const mostFruitless = 500;

/** `slowestMs`: the wait doubles up to this with each opening that brings nothing. */
export function createStreamResumption(
  clock: Pick<Clock, 'after'>,
  slowestMs: number,
  random: () => number = Math.random,
): StreamResumption {
  let fruitless = 0;
  return {
    opened() {
      let worthwhile = false;
      const stop = clock.after(worthwhileMs, () => {
        worthwhile = true;
      });
      return () => {
        stop();
        fruitless = worthwhile ? 0 : fruitless + 1;
      };
    },
    heard() {
      fruitless = 0;
    },
    next(retryMs) {
      if (fruitless >= mostFruitless) return undefined;
      const grown = Math.min(slowestMs, floorMs * 2 ** Math.min(Math.max(fruitless - 1, 0), 20));
      // A little apart, so that many hosts of one server do not all come at once.
      return Math.max(floorMs, grown, Math.min(retryMs, longestRetryMs)) * (1 + random() / 10);
    },
  };
}
