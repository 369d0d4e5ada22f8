import type { Clock } from './clock.ts';

/** Lets calls wait until something is the case. */
export interface Condition {
  /** How many calls are waiting. */
  readonly count: number;
  /** Makes every waiting call check again. */
  changed(): void;
  /** Calls `check` now and after each change until it returns a value, `ms` are over or the signal fires. */
  wait<Value>(
    check: () => Value | undefined,
    ms: number,
    signal: AbortSignal | undefined,
  ): Promise<Value | 'late' | 'cancelled'>;
}

export function createCondition(clock: Clock): Condition {
  const calls = new Set<() => void>();
  return {
    get count() {
      return calls.size;
    },
    changed() {
      for (const wake of calls) wake();
    },
    async wait(check, ms, signal) {
      let late = false;
      let resume = (): void => {};
      const wake = (): void => resume();
      const cancel = clock.after(ms, () => {
        late = true;
        wake();
      });
      calls.add(wake);
      signal?.addEventListener('abort', wake);
      try {
        for (;;) {
          if (signal?.aborted) return 'cancelled';
          const value = check();
          if (value !== undefined) return value;
          if (late) return 'late';
          await new Promise<void>((resolve) => {
            resume = resolve;
          });
        }
      } finally {
        cancel();
        calls.delete(wake);
        signal?.removeEventListener('abort', wake);
      }
    },
  };
}
