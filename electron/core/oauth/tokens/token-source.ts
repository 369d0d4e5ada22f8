import type { Secret } from '../../base/secret.ts';
import { changedAddress } from './changed-address.ts';
import type { TokenSource, TokenSourceDeps } from './model.ts';
import { applyResult, recovered } from './refresh-result.ts';
import { adopt, signOut } from './sign-in-change.ts';
import { createSourceCore } from './source-core.ts';
import { obtainToken, refreshNow } from './token-call.ts';
import { tokenState } from './token-state.ts';

/**
 * The tokens of one credential. The state is in source-core.ts; token-call.ts says what a call gets, refresh-result.ts
 * what a refresh changes, sign-in-change.ts what a sign-in and a sign-out change.
 */
export function createTokenSource(deps: TokenSourceDeps, id: string): TokenSource {
  const core = createSourceCore(deps, id, applyResult);
  const { cache, vaultLock, backoff, rejections, newToken, moves, runner } = core;
  const { clock, vault } = deps;
  const isCurrent = (token: Secret): boolean => cache.current?.token.equals(token) === true;

  return {
    accessToken(options) {
      // Almost every call ends here: no work, and no new promise.
      if (cache.current?.stage === 'fresh' && !core.state.withheld && options?.rejected === undefined)
        return cache.current.result;
      return obtainToken(core, options);
    },
    refreshNow: () => refreshNow(core),
    adopt: (credential, accessToken, expiresInMs) => adopt(core, credential, accessToken, expiresInMs),
    signOut: () => signOut(core),
    keepFresh() {
      let active = true;
      core.users += 1;
      if (cache.current?.stage === 'due') core.tryRefresh();
      return () => {
        if (active) core.users -= 1;
        active = false;
      };
    },
    reviewAudience() {
      const before = core.state.withheld;
      const withheld = cache.audienceFault();
      core.dispatch({ kind: 'audience_judged', withheld });
      if (before || withheld) core.changed();
      return before !== undefined && withheld === undefined;
    },
    accepted(token) {
      if (!isCurrent(token)) return;
      rejections.accepted();
      if (!core.state.onTrial) return;
      // No `onRecovered`: bridges learn of an accepted key from the response itself.
      core.dispatch({ kind: 'accepted' });
      recovered(core, false);
      core.changed();
    },
    // A token near its expiry is no longer new, even if its lifetime is very short.
    newTokenPauseMs: (token) => (cache.current?.stage === 'fresh' && isCurrent(token) ? newToken.pauseMs : undefined),
    doubt(token, saysInvalid = false) {
      const mayHaveExpired = isCurrent(token) && (saysInvalid || cache.current?.expiresAt === undefined);
      const renewable = vault.facts(id)?.renewable !== false;
      if (!mayHaveExpired || !renewable || !backoff.mayTry || !rejections.doubted()) return;
      deps.log('token_doubted', { credential: id });
      core.tryRefresh();
    },
    state() {
      const facts = vault.facts(id);
      const moved = facts && changedAddress(deps, facts);
      const inUse = core.users > 0;
      return tokenState({ state: core.state, facts, moved, cached: cache.current, inUse, now: clock.now() });
    },
    current: () => cache.current,
    resume: () => core.tryRefresh(),
    wake() {
      cache.current?.wake();
      backoff.wake();
    },
    idle: () => Promise.all([runner.idle(), vaultLock.run(async () => {})]),
    drop() {
      cache.clear();
      newToken.forget();
      moves.stop();
      backoff.stop();
    },
  };
}
