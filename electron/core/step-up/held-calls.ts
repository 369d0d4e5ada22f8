import type { Clock } from '../base/clock.ts';

export type StepUpOutcome = 'granted' | 'refused';

/** Calls that wait for a sign-in with more access. */
export interface HeldCalls {
  /**
   * Holds a call until its account is released. Resolves to 'refused' after `waitMs` or when the signal fires, and at
   * once if `waitMs` is 0.
   */
  hold(
    accountKey: string,
    call: { readonly waitMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<StepUpOutcome>;
  /** Ends all held calls of an account with this outcome. */
  release(accountKey: string, outcome: StepUpOutcome): void;
}

interface HeldCall {
  readonly accountKey: string;
  readonly end: (outcome: StepUpOutcome) => void;
}

export function createHeldCalls(clock: Clock): HeldCalls {
  const held = new Set<HeldCall>();
  return {
    hold(accountKey, { waitMs, signal }) {
      if (waitMs <= 0 || signal?.aborted) return Promise.resolve('refused');
      return new Promise((resolve) => {
        const end = (outcome: StepUpOutcome) => {
          held.delete(call);
          cancelTimer();
          signal?.removeEventListener('abort', refuse);
          resolve(outcome);
        };
        const refuse = () => end('refused');
        const call: HeldCall = { accountKey, end };
        const cancelTimer = clock.after(waitMs, refuse);
        signal?.addEventListener('abort', refuse, { once: true });
        held.add(call);
      });
    },
    release(accountKey, outcome) {
      for (const call of held) if (call.accountKey === accountKey) call.end(outcome);
    },
  };
}
