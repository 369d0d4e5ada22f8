import { AppError } from './errors.ts';
import type { Clock } from './clock.ts';

/** Resolves after `ms`; rejects with E_CANCELLED when the signal comes first. */
export function waitFor(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      stop();
      reject(cancelled());
    };
    const stop = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
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

/**
 * Waits for the promise, but not longer than `ms`. What becomes of it later is not looked at. Rejects as it does before
 * that.
 */
export async function within(clock: Clock, ms: number, promise: Promise<unknown>): Promise<'done' | 'late'> {
  let cancel = () => {};
  const late = new Promise<'late'>((resolve) => {
    cancel = clock.after(ms, () => resolve('late'));
  });
  try {
    return await Promise.race([promise.then(() => 'done' as const), late]);
  } finally {
    cancel();
  }
}

/** The promise, or E_CANCELLED when the signal comes first. */
export function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled());
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

const cancelled = () => new AppError('E_CANCELLED', 'It was cancelled.', { sent: false });
