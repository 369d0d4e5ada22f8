import type { Clock } from './clock.ts';

/** Calls that wait for one thing to change. */
export interface Condition {
  readonly count: number;
  /** Makes every waiting call look again. */
  changed(): void;
  /** Looks now and after each change, until there is something, `ms` are over or the signal fires. */
  wait<Value>(
    look: () => Value | undefined,
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
    async wait(look, ms, signal) {
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
          const found = look();
          if (found !== undefined) return found;
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
