import { AppError } from '../core/base/errors.ts';
import { answerTimeoutMs } from '../../shared/mcp-methods.ts';
import type { Clock } from '../core/base/clock.ts';

/** The longest that a server may take to answer `initialize` once it has begun to: every call waits for that. */
export interface InitializeLimit {
  readonly signal: AbortSignal;
  /** The server has begun to answer. */
  readonly begin: () => void;
  /** Throws E_TIMEOUT in place of what the signal caused, else the error itself. */
  readonly explain: (error: unknown) => never;
  readonly end: () => void;
}

export function createInitializeLimit(clock: Clock, server: string): InitializeLimit {
  const late = new AbortController();
  const ms = answerTimeoutMs('initialize');
  let cancel = () => {};
  return {
    signal: late.signal,
    begin() {
      cancel();
      cancel = clock.after(ms, () => late.abort());
    },
    explain(error) {
      throw late.signal.aborted
        ? new AppError('E_TIMEOUT', `The server has not answered initialize within ${ms / 1_000} s.`, {
            server,
            sent: true,
            cause: error,
          })
        : error;
    },
    end: () => cancel(),
  };
}
