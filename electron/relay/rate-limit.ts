import { durationText } from '../../shared/state-text.ts';
import { waitFor } from '../core/base/async.ts';
import { deadlineIn, over, type Clock } from '../core/base/clock.ts';
import { AppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { longestWaitMs } from './classify.ts';

/** The server's request to wait (`Retry-After`), which applies to every request of one host. */
export interface RateLimit {
  /** No request goes out for this long after a response with this status, in ms. A longer wait that runs stays. */
  extend(status: number, ms: number): void;
  clear(): void;
  /**
   * Waits until requests may go out again. Returns `waitedMs` plus this wait, in ms. Throws E_RATE_LIMITED if the sum
   * would exceed `longestWaitMs`, E_CANCELLED when the signal fires.
   */
  wait(waitedMs: number, signal: AbortSignal | undefined): Promise<number>;
}

export function createRateLimit(clock: Clock, log: Log, server: string): RateLimit {
  let deadline = over;
  return {
    extend(status, ms) {
      log('server_asked_to_wait', { server, status, ms });
      if (ms > deadline.leftMs()) deadline = deadlineIn(clock, ms);
    },
    clear() {
      deadline = over;
    },
    async wait(waitedMs, signal) {
      const leftMs = deadline.leftMs();
      if (leftMs <= 0) return waitedMs;
      if (waitedMs + leftMs > longestWaitMs) throw rateLimited(server, leftMs);
      await waitFor(clock, leftMs, signal);
      return waitedMs + leftMs;
    },
  };
}

export const rateLimited = (server: string, ms: number): AppError =>
  new AppError('E_RATE_LIMITED', `The server accepts no more calls for ${waitText(ms)}.`, {
    server,
    retryAfterMs: Math.ceil(ms),
  });

/** The request may have run, and the server asks to wait before the next one. */
export const outcomeUnknown = (server: string, status: number, ms: number): AppError =>
  new AppError(
    'E_OUTCOME_UNKNOWN',
    `The server answered with status ${status}, and accepts no more calls for ${waitText(ms)}.`,
    { server, retryAfterMs: Math.ceil(ms) },
  );

const waitText = (ms: number): string => (ms < 120_000 ? `${Math.ceil(ms / 1000)} s` : durationText(ms));
