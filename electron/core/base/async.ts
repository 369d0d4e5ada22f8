import { AppError } from './errors.ts';
import type { Clock } from './clock.ts';

// All waits with a time limit or a signal. Each removes its timer and its listener when it ends.

/** Resolves after `ms`. Rejects with `aborted()` (default: E_CANCELLED) if the signal fires first. */
export function waitFor(
  clock: Clock,
  ms: number,
  signal: AbortSignal | undefined,
  aborted: () => AppError = cancelled,
): Promise<void> {
  return withLimit(new Promise<never>(() => {}), { clock, ms, late: () => {}, signal, aborted });
}

/** Pauses that can be cut short. */
export interface Pauses {
  /** Resolves after `ms` or at the next `hurry`. Rejects with E_CANCELLED if the signal fires first. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** Ends all current pauses now. */
  hurry(): void;
}

export function createPauses(clock: Clock): Pauses {
  const waiting = new Set<() => void>();
  return {
    async pause(ms, signal) {
      const hurried = new AbortController();
      const hurry = () => hurried.abort();
      waiting.add(hurry);
      try {
        await waitFor(clock, ms, AbortSignal.any([signal, hurried.signal]));
      } catch (error) {
        if (!hurried.signal.aborted) throw error;
      } finally {
        waiting.delete(hurry);
      }
    },
    hurry() {
      for (const end of waiting) end();
    },
  };
}

export interface WaitLimit<Late> {
  readonly clock: Clock;
  readonly ms: number;
  /** Returns the value to resolve with when the time is over, or throws the error to reject with. */
  readonly late: () => Late;
  readonly signal?: AbortSignal | undefined;
  /** The error when the signal fires. Defaults to E_CANCELLED. */
  readonly aborted?: () => AppError;
}

/** Waits for the promise until `ms` are over or the signal fires. A later result of the promise is ignored. */
export function withLimit<Value, Late>(
  promise: Promise<Value>,
  { clock, ms, late, signal, aborted = cancelled }: WaitLimit<Late>,
): Promise<Value | Late> {
  return new Promise((resolve, reject) => {
    const end = () => {
      stop();
      signal?.removeEventListener('abort', abort);
    };
    const abort = () => {
      end();
      reject(aborted());
    };
    const stop = clock.after(ms, () => {
      end();
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    void promise.then(resolve, reject).finally(end);
  });
}

/** Resolves to whether the promise resolves within `ms`. Rejects if the promise rejects in that time. */
export const within = (clock: Clock, ms: number, promise: Promise<unknown>): Promise<'done' | 'late'> =>
  withLimit(
    promise.then(() => 'done' as const),
    { clock, ms, late: () => 'late' as const },
  );

/** Resolves to the promise's value. Rejects with `aborted()` (default: E_CANCELLED) if the signal fires first. */
export function orAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
  aborted: () => AppError = cancelled,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(aborted());
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

const cancelled = () => new AppError('E_CANCELLED', 'The operation was cancelled.', { sent: false });
