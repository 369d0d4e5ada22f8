import { AppError } from '../../base/errors.ts';
import { createCondition } from '../../base/condition.ts';
import { createSemaphore } from '../../base/semaphore.ts';
import { isRenewable } from '../../vault/credential.ts';
import { storeFault } from '../../vault/store-fault.ts';
import type { TokenResult } from '../model.ts';
import { createBackoff } from './backoff.ts';
import type { CachedToken } from './cached-token.ts';
import { changedAddress } from './changed-address.ts';
import { createMoveWatch } from './issuer-moved.ts';
import type { CallOptions, RefreshResult, Supersession, TokenSource, TokenSourceDeps } from './model.ts';
import { createNewToken } from './new-token.ts';
import { createRefreshFailure } from './refresh-failure.ts';
import { createRefreshRunner } from './refresh-runner.ts';
import { createRejectedTokenGuard } from './rejected-token-guard.ts';
import { signOutOf } from './revocation.ts';
import { failureNow, initialState, isUsable, next, replyIn, type SourceEvent } from './source-state.ts';
import { withLongLived } from './stored-credential.ts';
import { createTokenCache } from './token-cache.ts';
import { tokenState } from './token-state.ts';

/** Longest wait of a call for a token, in ms. */
const callWaitMs = 20_000;

/** The index has it, and the store has not: it may come back with the store. */
const gone = (): RefreshResult => ({
  kind: 'ended',
  final: false,
  error: new AppError('E_SIGN_IN_AGAIN', 'The sign-in is no longer in the store of secrets.'),
});
/** The effects around source-state.ts: the token with its timers, the refresh that runs, and the calls that wait. */
export function createTokenSource(deps: TokenSourceDeps, id: string): TokenSource {
  const { clock, random, vault } = deps;
  const turn = createSemaphore(1);
  const waiting = createCondition(clock);
  const backoff = createBackoff({ clock, random, tryNow: run, wanted: () => waiting.count > 0 });
  const failures = createRefreshFailure({ id, clock, log: deps.log, backoff });
  const rejections = createRejectedTokenGuard(clock);
  const newToken = createNewToken(clock);
  const moves = createMoveWatch(clock, () => deps.movedFrom(id));
  const runner = createRefreshRunner({
    ...deps,
    id,
    turn,
    moves,
    onUnsaved(error) {
      dispatch({ kind: 'not_stored', error });
      changed();
    },
    onResult(result) {
      settle(result);
      changed();
    },
  });
  const cache = createTokenCache({
    ...deps,
    id,
    isKey: () => vault.facts(id)?.grant === 'static_header',
    onDue: () => (holders > 0 || waiting.count > 0) && tryRun(),
    onExpired: () => dispatch({ kind: 'expired' }),
  });
  let state = initialState;
  let holders = 0;

  const exists = (): boolean => !state.signedOut && (vault.facts(id) !== undefined || vault.uncertain(id));
  const usable = (): CachedToken | undefined => (isUsable(state) ? cache.current : undefined);

  function dispatch(event: SourceEvent): void {
    state = next(state, event);
    if (state.token === 'none') cache.clear();
  }

  function changed(): void {
    waiting.changed();
    deps.onChange(id);
  }

  /** What began before a sign-in or sign-out does not count any more. */
  function supersede(by: Exclude<Supersession, 'no'>): void {
    runner.supersede(by);
    rejections.forget();
    newToken.forget();
    failures.clear();
  }

  function tryRun(): void {
    if (backoff.mayTry && !state.withheld) run();
  }

  /** Starts the one refresh of this credential, unless it runs already. */
  function run(): void {
    if (state.kind === 'refreshing' || deps.closing()) return;
    backoff.begin();
    dispatch({ kind: 'refresh_started' });
    runner.start();
  }

  function settle(result: RefreshResult): void {
    const before = failureNow(state);
    switch (result.kind) {
      case 'refreshed': {
        // The same token once more says nothing about its life: it is used until the server rejects it (RF13).
        const lifeMs = cache.current?.token.equals(result.accessToken) ? undefined : result.expiresInMs;
        dispatch({ kind: 'refreshed', withheld: cache.set(result.accessToken, lifeMs) });
        newToken.issued();
        return recovered(before?.kind === 'ended');
      }
      case 'access_only':
        dispatch({ kind: 'reread', withheld: cache.set(result.accessToken, undefined, result.header) });
        return state.onTrial ? undefined : recovered(before?.kind === 'ended');
      case 'absent':
        if (vault.facts(id)) return settle(gone());
        dispatch({ kind: 'absent' });
        return recovered(false);
      case 'ended':
        failures.record(result, true);
        return dispatch({ kind: 'ended', error: result.error });
      case 'client_refused':
      case 'failed':
      case 'blocked':
        return dispatch({ kind: 'failed', failure: failures.record(result, state.token !== 'usable') });
      case 'superseded':
        dispatch({ kind: 'refresh_dropped' });
    }
  }

  /** `ended`: calls had been told that the sign-in is over. */
  function recovered(ended: boolean): void {
    failures.clear();
    rejections.renewed();
    moves.recovered();
    if (ended && usable()) deps.onRecovered(id);
  }

  /** What a waiting call is told now; undefined: it waits on. */
  function replyNow(): TokenResult | Promise<TokenResult> | undefined {
    if (!usable() && exists()) tryRun();
    const reply = replyIn(state, exists());
    if (reply === 'token') return cache.current?.answer;
    if (reply === 'anonymous') return { kind: 'anonymous' };
    if (reply === 'unavailable') return notNow();
    return reply === 'wait' ? undefined : { kind: 'refused', error: reply.refused };
  }

  function notNow(): TokenResult {
    const error = failureNow(state)?.error;
    const none = 'The authorization server has not answered yet.';
    return { kind: 'unavailable', error: error ?? new AppError('E_REFRESH_FAILED', none) };
  }

  async function obtain(options: CallOptions = {}): Promise<TokenResult> {
    const { rejected, signal, waitMs = callWaitMs } = options;
    const token = usable();
    if (token && rejected && token.token.equals(rejected)) {
      const error = reject(token);
      if (error)
        return { kind: 'refused', error: (error.code === 'E_SERVER_REFUSED' && (await movedAway(token))) || error };
    } else if (token) {
      if (token.stage === 'due') tryRun();
      return token.answer;
    }
    const reply = await waiting.wait(replyNow, Math.min(waitMs, callWaitMs), signal);
    if (reply === 'cancelled')
      return { kind: 'unavailable', error: new AppError('E_CANCELLED', 'The call was cancelled.') };
    return reply === 'late' ? notNow() : reply;
  }

  /** Ends the sign-in if its server rejects the token because it has moved; returns the error. */
  async function movedAway(token: CachedToken): Promise<AppError | undefined> {
    const moved = vault.facts(id)?.grant === undefined ? await moves.refused() : undefined;
    if (!moved || cache.current !== token) return undefined;
    failures.record(moved, true);
    dispatch({ kind: 'moved', error: moved.error });
    changed();
    return moved.error;
  }

  /** The server answered 401 to the newest token. Returns an error when no refresh can help now. */
  function reject(token: CachedToken): AppError | undefined {
    const verdict = rejections.judge(token.stage, vault.facts(id));
    if (verdict.kind === 'too_soon') return verdict.error;
    token.spend();
    if (verdict.kind === 'renew') {
      dispatch({ kind: 'rejected' });
      return undefined;
    }
    failures.record({ ...verdict, kind: 'ended', final: false }, true);
    dispatch({ kind: 'rejected_for_good', error: verdict.error });
    changed();
    return verdict.error;
  }

  return {
    accessToken(options) {
      // The path of almost every call: no work, and no promise of its own.
      if (cache.current?.stage === 'fresh' && !state.withheld && options?.rejected === undefined)
        return cache.current.answer;
      return obtain(options);
    },

    async adopt(credential, accessToken, expiresInMs) {
      await turn.run(async () => {
        const written = await vault.write(withLongLived(credential, accessToken, expiresInMs, clock.now()));
        if (written.kind !== 'done') throw storeFault(written, 'The sign-in could not be stored');
        supersede('signed_in');
        // A key is read, with the name of its header, from where the user put it.
        if (credential.grant === 'static_header') return dispatch({ kind: 'signed_in', token: 'none' });
        const withheld = cache.set(accessToken, isRenewable(credential) ? expiresInMs : undefined);
        dispatch({ kind: 'signed_in', token: 'usable', withheld });
        newToken.issued();
      });
      changed();
      if (state.withheld) throw state.withheld;
    },
    async refreshNow() {
      if (exists()) {
        backoff.succeeded();
        run();
        const running = runner.current;
        if (running) await waiting.wait(() => (runner.current === running ? undefined : true), callWaitMs, undefined);
      }
      const failure = state.onTrial && usable() ? undefined : failureNow(state);
      if (failure) return failure.kind === 'ended' ? { kind: 'refused', error: failure.error } : notNow();
      return (await replyNow()) ?? notNow();
    },
    reviewAudience() {
      const before = state.withheld;
      const withheld = cache.audienceFault();
      dispatch({ kind: 'audience_judged', withheld });
      if (before || withheld) changed();
      return before !== undefined && withheld === undefined;
    },
    keepFresh() {
      let held = true;
      holders += 1;
      if (cache.current?.stage === 'due') tryRun();
      return () => {
        if (held) holders -= 1;
        held = false;
      };
    },
    async signOut() {
      const token = cache.current?.token;
      supersede('signed_out');
      dispatch({ kind: 'signed_out' });
      changed();
      const report = await turn.run(() => {
        // A sign-in that was being stored when this began is over as well.
        const stored = cache.current?.token;
        supersede('signed_out');
        dispatch({ kind: 'signed_out' });
        return signOutOf(deps, id, stored ?? token);
      });
      changed();
      return report;
    },
    state() {
      const facts = vault.facts(id);
      const moved = facts && changedAddress(deps, facts);
      return tokenState({ state, facts, moved, cached: cache.current, inUse: holders > 0, now: clock.now() });
    },
    current: () => cache.current,
    accepted(token) {
      if (!cache.current?.token.equals(token)) return;
      rejections.accepted();
      if (!state.onTrial) return;
      // The bridges of the account hear of it as they hear of any success.
      dispatch({ kind: 'accepted' });
      recovered(false);
      changed();
    },
    // One that is near its own end is no longer new, however short its life is.
    newTokenPauseMs: (token) =>
      cache.current?.stage === 'fresh' && cache.current.token.equals(token) ? newToken.pauseMs : undefined,
    doubt(token, said = false) {
      const mayBeOver =
        cache.current?.token.equals(token) === true &&
        (said || cache.current.expiresAt === undefined) &&
        vault.facts(id)?.renewable !== false;
      if (!mayBeOver || !backoff.mayTry || !rejections.doubted()) return;
      deps.log('token_doubted', { credential: id });
      tryRun();
    },
    resume: tryRun,
    woke() {
      cache.current?.woke();
      backoff.wake();
    },
    idle: () => Promise.all([runner.idle(), turn.run(async () => {})]),
    drop() {
      cache.clear();
      newToken.forget();
      moves.stop();
      backoff.stop();
    },
  };
}
