import type { AppError } from '../../base/errors.ts';
import type { CachedToken } from './cached-token.ts';
import { signInAgain } from './refresh.ts';
import { endsSoon } from './refresh-token-expiry.ts';
import type { RefreshFailure } from './refresh-failure.ts';
import type { CredentialFacts } from '../../vault/credential.ts';
import type { TokenState } from '../model.ts';

export interface TokenStateParts {
  /** Undefined: nothing is stored, or it has just been signed out. */
  readonly facts: CredentialFacts | undefined;
  readonly trouble: RefreshFailure['now'];
  /** Why nothing of the sign-in is sent: its server has another address now. */
  readonly moved: AppError | undefined;
  /** Why the token in memory is sent to nobody. */
  readonly keptBack: AppError | undefined;
  readonly live: CachedToken | undefined;
  /** Whether a bridge is connected, so that the refresh runs ahead of expiry. */
  readonly held: boolean;
  /** Unix ms. */
  readonly now: number;
}

/** Where the tokens of one credential stand, for the status. */
export function tokenState({ facts, trouble, moved, keptBack, live, held, now }: TokenStateParts): TokenState {
  if (trouble) return trouble;
  if (!facts) return { kind: 'none' };
  if (moved) return { kind: 'ended', error: moved };
  if (keptBack) return { kind: 'ended', error: keptBack };
  if (facts.quarantinedAt !== undefined) return { kind: 'ended', error: signInAgain() };
  const expiresAt = live?.expiresAt ?? facts.expiresAt;
  const refreshAt = held && live?.stage === 'fresh' ? live.refreshAt : undefined;
  return {
    kind: 'usable',
    renewable: facts.renewable,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(refreshAt === undefined ? {} : { refreshAt }),
    ...(facts.endsAt !== undefined && endsSoon(facts.endsAt, now) ? { endsAt: facts.endsAt } : {}),
  };
}
