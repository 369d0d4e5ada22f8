import type { Clock } from '../core/base/clock.ts';

/** Decides when to open a stream again that its server has closed. */
export interface StreamResumption {
  /** The stream is open. Returns a function to call when it has ended. */
  opened(): () => void;
  /** A message arrived: earlier connections without one no longer count. */
  messageReceived(): void;
  /** The delay before the next connection, in ms; undefined to give up. `retryMs`: the server's `retry`. */
  delayMs(retryMs: number): number | undefined;
}

const minDelayMs = 250;
/** Longest delay that a server may ask for. */
const maxRetryMs = 5 * 60_000;
/** A connection that lasted this long counts as useful, because proxies close idle ones. */
const usefulMs = 10_000;
/** Connections in a row that brought no message and did not last. */
const maxFruitless = 500;

export interface ReopenDelay {
  /** Connections in a row that brought no message and did not last. */
  readonly fruitless: number;
  /** The server's `retry`, in ms. */
  readonly retryMs: number;
  /** The delay doubles up to this with each fruitless connection. */
  readonly longestMs: number;
  /** From 0 to 1: spreads the delay by up to a tenth, so that many hosts do not reconnect at the same moment. */
  readonly random: number;
}

/** The delay before a stream is opened again, in ms; undefined after 500 fruitless connections. */
export function reopenDelayMs({ fruitless, retryMs, longestMs, random }: ReopenDelay): number | undefined {
  if (fruitless >= maxFruitless) return undefined;
  const grown = Math.min(longestMs, minDelayMs * 2 ** Math.min(Math.max(fruitless - 1, 0), 20));
  return Math.max(minDelayMs, grown, Math.min(retryMs, maxRetryMs)) * (1 + random / 10);
}

/** Watches a connection that begins now. `stop` returns whether it has lasted 10 s. */
export function watchDuration(clock: Pick<Clock, 'after'>): { readonly stop: () => boolean } {
  let lasted = false;
  const cancel = clock.after(usefulMs, () => {
    lasted = true;
  });
  return {
    stop() {
      cancel();
      return lasted;
    },
  };
}

/** `longestMs`: see `ReopenDelay`. */
export function createStreamResumption(
  clock: Pick<Clock, 'after'>,
  longestMs: number,
  random: () => number = Math.random,
): StreamResumption {
  let fruitless = 0;
  return {
    opened() {
      const duration = watchDuration(clock);
      return () => {
        fruitless = duration.stop() ? 0 : fruitless + 1;
      };
    },
    messageReceived() {
      fruitless = 0;
    },
    delayMs: (retryMs) => reopenDelayMs({ fruitless, retryMs, longestMs, random: random() }),
  };
}
