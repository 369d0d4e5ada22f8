import { defined } from '../../../../shared/defined.ts';
import type { AppError } from '../../base/errors.ts';
import type { CachedToken } from './cached-token.ts';
import { signInAgain } from './sign-in-again.ts';
import { endsSoon } from './refresh-token-expiry.ts';
import { failureNow, type SourceState } from './source-state.ts';
import type { CredentialFacts } from '../../vault/credential.ts';
import type { TokenState } from '../model.ts';

export interface TokenStateParts {
  readonly state: SourceState;
  /** Undefined when nothing is stored. */
  readonly facts: CredentialFacts | undefined;
  /** Why no token is sent: the server's address has changed. */
  readonly moved: AppError | undefined;
  readonly cached: CachedToken | undefined;
  /** Whether a bridge is connected, so that tokens are refreshed ahead of expiry. */
  readonly inUse: boolean;
  /** Unix ms. */
  readonly now: number;
}

/** The state of one credential's tokens, for the status. */
export function tokenState(parts: TokenStateParts): TokenState {
  const { state, facts, moved, now } = parts;
  if (state.signedOut) return { kind: 'none' };
  const failure = failureNow(state);
  // Computed on each call, because the system time may have been changed.
  if (failure?.kind === 'retrying')
    return { kind: 'retrying', error: failure.error, nextTryAt: now + failure.nextTry.leftMs() };
  if (failure) return failure;
  if (!facts) return { kind: 'none' };
  const error = moved ?? state.withheld ?? (facts.quarantinedAt === undefined ? undefined : signInAgain());
  return error ? { kind: 'ended', error } : usableState(facts, parts);
}

function usableState(
  facts: CredentialFacts,
  { cached, inUse, now }: Pick<TokenStateParts, 'cached' | 'inUse' | 'now'>,
): TokenState {
  return {
    kind: 'usable',
    renewable: facts.renewable,
    ...defined({
      expiresAt: cached?.expiresAt ?? facts.expiresAt,
      refreshAt: inUse && cached?.stage === 'fresh' ? cached.refreshAt : undefined,
      endsAt: facts.endsAt !== undefined && endsSoon(facts.endsAt, now) ? facts.endsAt : undefined,
    }),
  };
}
