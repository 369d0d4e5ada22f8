import { AppError } from '../core/base/errors.ts';
import type { Clock } from '../core/base/clock.ts';
import { answerTimeoutMs } from '../../shared/mcp-methods.ts';

/** Limits how long a response to `initialize` may take once it has begun, because every call waits for it. */
export interface InitializeLimit {
  /** Fires at the limit. */
  readonly signal: AbortSignal;
  /** The response has begun. */
  readonly start: () => void;
  readonly stop: () => void;
  /** Throws E_TIMEOUT if the signal has fired; otherwise the error itself. */
  readonly rethrow: (error: unknown) => never;
}

export function createInitializeLimit(clock: Clock, server: string): InitializeLimit {
  const late = new AbortController();
  const ms = answerTimeoutMs('initialize');
  let cancel = () => {};
  return {
    signal: late.signal,
    start() {
      cancel();
      cancel = clock.after(ms, () => late.abort());
    },
    stop: () => cancel(),
    rethrow(error) {
      if (!late.signal.aborted) throw error;
      const text = `The server has not answered initialize within ${ms / 1_000} s.`;
      throw new AppError('E_TIMEOUT', text, { server, sent: true, cause: error });
    },
  };
}
