import { AppError } from '../../base/errors.ts';
import type { RefreshResult } from './model.ts';
import { usableToken, type SourceCore } from './source-core.ts';
import { failureNow } from './source-state.ts';

/** Applies the result of a refresh to the state, the cached token and the plan for the next refresh. */
export function applyResult(core: SourceCore, result: RefreshResult): void {
  const { id, cache, deps, failures } = core;
  const hadEnded = failureNow(core.state)?.kind === 'ended';
  switch (result.kind) {
    case 'refreshed': {
      // When the server sends the same token again, its stated lifetime means nothing: the token is used until it is
      // rejected (RF13).
      const lifeMs = cache.current?.token.equals(result.accessToken) ? undefined : result.expiresInMs;
      core.dispatch({ kind: 'refreshed', withheld: cache.set(result.accessToken, lifeMs) });
      core.newToken.issued();
      return recovered(core, hadEnded);
    }
    case 'access_only':
      core.dispatch({ kind: 'reread', withheld: cache.set(result.accessToken, undefined, result.header) });
      return core.state.onTrial ? undefined : recovered(core, hadEnded);
    case 'absent':
      if (deps.vault.facts(id)) return applyResult(core, missingFromStore());
      core.dispatch({ kind: 'absent' });
      return recovered(core, false);
    case 'ended':
      failures.record(result, true);
      return core.dispatch({ kind: 'ended', error: result.error });
    case 'client_refused':
    case 'failed':
    case 'blocked': {
      const failure = failures.record(result, core.state.token !== 'usable');
      return core.dispatch({ kind: 'failed', failure });
    }
    case 'superseded':
      core.dispatch({ kind: 'refresh_dropped' });
  }
}

/** Forgets failures. `hadEnded`: earlier calls failed because the sign-in had ended. */
export function recovered(core: SourceCore, hadEnded: boolean): void {
  core.failures.clear();
  core.rejections.renewed();
  core.moves.recovered();
  if (hadEnded && usableToken(core)) core.deps.onRecovered(core.id);
}

/** The index lists the sign-in and the store does not have it. Not final: the store may be restored. */
const missingFromStore = (): RefreshResult => ({
  kind: 'ended',
  final: false,
  error: new AppError('E_SIGN_IN_AGAIN', 'The sign-in is no longer in the keychain.'),
});
