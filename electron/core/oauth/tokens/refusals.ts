import type { Clock } from '../../ports.ts';

/** A server that refuses a token straight after a refresh gets no other refresh for this long (HT01). */
const refusedAgainMs = 30_000;

/** Keeps a server that answers 401 to everything from causing a refresh per call. */
export interface Refusals {
  /** True: the token in use came after a 401, less than 30 s ago; another refresh would not help. */
  readonly tooSoon: boolean;
  /** A 401 asks for a refresh. */
  refused(): void;
  /** A refresh gave a token. */
  renewed(): void;
  forget(): void;
}

export function createRefusals(clock: Clock): Refusals {
  let asked = false;
  let cancel: (() => void) | undefined;
  return {
    get tooSoon() {
      return cancel !== undefined;
    },
    refused() {
      asked = true;
    },
    renewed() {
      if (!asked) return;
      asked = false;
      cancel = clock.after(refusedAgainMs, () => {
        cancel = undefined;
      });
    },
    forget() {
      asked = false;
      cancel?.();
      cancel = undefined;
    },
  };
}
