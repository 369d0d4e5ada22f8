import type { Condition } from '../../base/condition.ts';
import { createCondition } from '../../base/condition.ts';
import type { Semaphore } from '../../base/semaphore.ts';
import { createSemaphore } from '../../base/semaphore.ts';
import { createBackoff, type Backoff } from './backoff.ts';
import type { CachedToken } from './cached-token.ts';
import { createMoveWatch, type MoveWatch } from './issuer-moved.ts';
import type { RefreshResult, Supersession, TokenSourceDeps } from './model.ts';
import { createNewToken, type NewToken } from './new-token.ts';
import { createRefreshFailure, type RefreshFailure } from './refresh-failure.ts';
import { createRefreshRunner, type RefreshRunner } from './refresh-runner.ts';
import { createRejectedTokenGuard, type RejectedTokenGuard } from './rejected-token-guard.ts';
import { initialState, isUsable, next, type SourceEvent, type SourceState } from './source-state.ts';
import { createTokenCache, type TokenCache } from './token-cache.ts';

/** The state of one credential's tokens (source-state.ts), and the parts around it that have effects. */
export interface SourceCore {
  readonly id: string;
  readonly deps: TokenSourceDeps;
  readonly state: SourceState;
  dispatch(event: SourceEvent): void;
  /** Makes waiting calls check the state again, and updates the status. */
  changed(): void;
  /** Starts a refresh unless one is running. */
  refresh(): void;
  /** Starts a refresh unless one is running, the back-off forbids it, or its token would be withheld. */
  tryRefresh(): void;
  /** How many bridges want the token refreshed ahead of expiry. */
  users: number;
  readonly cache: TokenCache;
  /** The calls that wait for a token. */
  readonly waiting: Condition;
  /** Held for each access to the vault; see RefreshSubject. */
  readonly vaultLock: Semaphore;
  readonly backoff: Backoff;
  readonly failures: RefreshFailure;
  readonly rejections: RejectedTokenGuard;
  readonly newToken: NewToken;
  readonly moves: MoveWatch;
  readonly runner: RefreshRunner;
}

/** `onResult`: applies the result of a refresh to the state (refresh-result.ts). */
export function createSourceCore(
  deps: TokenSourceDeps,
  id: string,
  onResult: (core: SourceCore, result: RefreshResult) => void,
): SourceCore {
  const { clock, random, vault, log } = deps;
  const waiting = createCondition(clock);
  const vaultLock = createSemaphore(1);
  const moves = createMoveWatch(clock, () => deps.movedFrom(id));
  const backoff = createBackoff({ clock, random, tryNow: () => core.refresh(), wanted: () => waiting.count > 0 });
  const runner = createRefreshRunner({
    ...deps,
    id,
    vaultLock,
    moves,
    onUnsaved(error) {
      core.dispatch({ kind: 'not_stored', error });
      core.changed();
    },
    onResult(result) {
      onResult(core, result);
      core.changed();
    },
  });
  const cache = createTokenCache({
    ...deps,
    id,
    isKey: () => vault.facts(id)?.grant === 'static_header',
    onDue: () => (core.users > 0 || waiting.count > 0) && core.tryRefresh(),
    onExpired: () => core.dispatch({ kind: 'expired' }),
  });
  let state = initialState;

  const core: SourceCore = {
    id,
    deps,
    get state() {
      return state;
    },
    dispatch(event) {
      state = next(state, event);
      if (state.token === 'none') cache.clear();
    },
    changed() {
      waiting.changed();
      deps.onChange(id);
    },
    refresh() {
      if (state.kind === 'refreshing' || deps.closing()) return;
      backoff.begin();
      core.dispatch({ kind: 'refresh_started' });
      runner.start();
    },
    tryRefresh() {
      if (backoff.mayTry && !state.withheld) core.refresh();
    },
    users: 0,
    cache,
    waiting,
    vaultLock,
    backoff,
    failures: createRefreshFailure({ id, clock, log, backoff }),
    rejections: createRejectedTokenGuard(clock),
    newToken: createNewToken(clock),
    moves,
    runner,
  };
  return core;
}

/** Whether a sign-in is stored; true also where the index cannot tell. */
export const isStored = ({ state, deps: { vault }, id }: SourceCore): boolean =>
  !state.signedOut && (vault.facts(id) !== undefined || vault.uncertain(id));

/** The token in memory, if it may be sent. */
export const usableToken = ({ state, cache }: SourceCore): CachedToken | undefined =>
  isUsable(state) ? cache.current : undefined;

/** Discards everything that began before a sign-in or sign-out. */
export function supersede(
  { runner, rejections, newToken, failures }: SourceCore,
  by: Exclude<Supersession, 'no'>,
): void {
  runner.supersede(by);
  rejections.forget();
  newToken.forget();
  failures.clear();
}
