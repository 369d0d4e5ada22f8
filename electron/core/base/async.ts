import { AppError } from './errors.ts';
import type { Clock } from './clock.ts';

// The one set of waits with a time limit or a signal: each takes its timer and its listener away again.

/** Resolves after `ms`; rejects with `aborted()` (E_CANCELLED) when the signal comes first. */
export function waitFor(
  clock: Clock,
  ms: number,
  signal: AbortSignal | undefined,
  aborted: () => AppError = cancelled,
): Promise<void> {
  return withLimit(new Promise<never>(() => {}), { clock, ms, late: () => {}, signal, aborted });
}

/** Waits that somebody can cut short. */
export interface Pauses {
  /** Resolves after `ms`, or at the next `hurry`; rejects with E_CANCELLED when the signal comes first. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
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
  /** What takes the place of the value when the time is over. May throw. */
  readonly late: () => Late;
  readonly signal?: AbortSignal | undefined;
  /** The error when the signal fires; E_CANCELLED when absent. */
  readonly aborted?: () => AppError;
}

/**
 * Waits for the promise, but no longer than `ms` and until the signal fires. How the promise settles after that is
 * ignored.
 */
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

/** Whether the promise resolves within `ms`. Rejects as the promise does before that. */
export const within = (clock: Clock, ms: number, promise: Promise<unknown>): Promise<'done' | 'late'> =>
  withLimit(
    promise.then(() => 'done' as const),
    { clock, ms, late: () => 'late' as const },
  );

/** The promise's value, or `aborted()` (E_CANCELLED) when the signal comes first. */
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
