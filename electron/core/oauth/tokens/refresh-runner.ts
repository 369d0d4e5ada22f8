import { asAppError, type AppError } from '../../base/errors.ts';
import type { Semaphore } from '../../base/semaphore.ts';
import type { MoveWatch } from './issuer-moved.ts';
import type { RefreshDeps, RefreshResult, Supersession } from './model.ts';
import { refreshCredential } from './refresh.ts';

/** Runs the refreshes of one credential, one after the other. */
export interface RefreshRunner {
  /** The refresh that runs; another object for each. Undefined: none runs whose result counts. */
  readonly current: object | undefined;
  /** Call only while none runs. */
  start(): void;
  /** The result of the refresh that runs does not count any more. */
  supersede(by: Exclude<Supersession, 'no'>): void;
  /** Resolves when none is in progress, also none that was superseded. */
  idle(): Promise<unknown>;
}

export interface RefreshRunnerDeps extends RefreshDeps {
  readonly id: string;
  readonly turn: Semaphore;
  readonly moves: MoveWatch;
  readonly closing: () => boolean;
  readonly onUnsaved: (error: AppError) => void;
  readonly onResult: (result: RefreshResult) => void;
}

export function createRefreshRunner(deps: RefreshRunnerDeps): RefreshRunner {
  const { id, turn, moves, closing } = deps;
  const flights = new Set<Promise<void>>();
  let current: { superseded: Supersession } | undefined;

  async function run(mine: { readonly superseded: Supersession }): Promise<void> {
    const subject = {
      id,
      turn,
      closing,
      superseded: () => mine.superseded,
      onUnsaved: (error: AppError) => current === mine && deps.onUnsaved(error),
    };
    const outcome = await refreshCredential(deps, subject).catch(
      (error: unknown) => ({ kind: 'failed', error: asAppError(error) }) as const,
    );
    const result = outcome.kind === 'failed' && current === mine ? ((await moves.failed()) ?? outcome) : outcome;
    if (current !== mine) return;
    current = undefined;
    deps.onResult(result);
  }

  return {
    get current() {
      return current;
    },
    start() {
      current = { superseded: 'no' };
      const flight = run(current).finally(() => flights.delete(flight));
      flights.add(flight);
    },
    supersede(by) {
      if (current) current.superseded = by;
      current = undefined;
    },
    idle: () => Promise.all(flights),
  };
}
