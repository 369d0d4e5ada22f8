import { asAppError, type AppError } from '../../base/errors.ts';
import type { Semaphore } from '../../base/semaphore.ts';
import type { MoveWatch } from './issuer-moved.ts';
import type { RefreshDeps, RefreshResult, Supersession } from './model.ts';
import { refreshCredential } from './refresh.ts';

/** Runs the refreshes of one credential, one at a time. */
export interface RefreshRunner {
  /** The running refresh, a new object for each; undefined when none is running, or its result is to be discarded. */
  readonly current: object | undefined;
  /** Call only while none is running. */
  start(): void;
  /** Discards the result of the running refresh. */
  supersede(by: Exclude<Supersession, 'no'>): void;
  /** Resolves when none is running, including those that were superseded. */
  idle(): Promise<unknown>;
}

export interface RefreshRunnerDeps extends RefreshDeps {
  readonly id: string;
  readonly vaultLock: Semaphore;
  readonly moves: MoveWatch;
  readonly closing: () => boolean;
  readonly onUnsaved: (error: AppError) => void;
  readonly onResult: (result: RefreshResult) => void;
}

export function createRefreshRunner(deps: RefreshRunnerDeps): RefreshRunner {
  const { id, vaultLock, moves, closing } = deps;
  const running = new Set<Promise<void>>();
  let current: { superseded: Supersession } | undefined;

  async function run(self: { readonly superseded: Supersession }): Promise<void> {
    const subject = {
      id,
      vaultLock,
      closing,
      superseded: () => self.superseded,
      onUnsaved: (error: AppError) => current === self && deps.onUnsaved(error),
    };
    const outcome = await refreshCredential(deps, subject).catch(
      (error: unknown) => ({ kind: 'failed', error: asAppError(error) }) as const,
    );
    const result = outcome.kind === 'failed' && current === self ? ((await moves.failed()) ?? outcome) : outcome;
    if (current !== self) return;
    current = undefined;
    deps.onResult(result);
  }

  return {
    get current() {
      return current;
    },
    start() {
      current = { superseded: 'no' };
      const refresh = run(current).finally(() => running.delete(refresh));
      running.add(refresh);
    },
    supersede(by) {
      if (current) current.superseded = by;
      current = undefined;
    },
    idle: () => Promise.all(running),
  };
}
