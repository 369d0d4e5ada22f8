import { defined } from '../../../../shared/defined.ts';
import type { Secret } from '../../base/secret.ts';
import type { Credential } from '../../vault/credential.ts';
import { identityAfterRefresh } from '../identity/identity.ts';
import type { Tokens } from '../model.ts';
import { endAfterRefresh } from './refresh-token-expiry.ts';

/**
 * What the vault keeps after a refresh: the old refresh token where no new one came (RFC 6749 6), and who signed in.
 * `now`: Unix ms.
 */
export function successor(credential: Credential, tokens: Tokens, now: number): Credential {
  const { endsAt: endedAt, ...before } = credential;
  return {
    ...before,
    grantedScopes: tokens.scopes ?? credential.grantedScopes,
    lastRefreshAt: now,
    ...defined({
      refreshToken: tokens.refreshToken ?? credential.refreshToken,
      endsAt: endAfterRefresh(endedAt, tokens, now),
      identityNotes: identityAfterRefresh(credential, tokens.idToken) ?? credential.identityNotes,
    }),
  };
}

/** Without a refresh token the access token itself is the credential, and is kept. `now`: Unix ms. */
export function withLongLived(
  credential: Credential,
  accessToken: Secret,
  expiresInMs: number | undefined,
  now: number,
): Credential {
  const { accessToken: _accessToken, expiresAt: _expiresAt, ...rest } = credential;
  if (credential.refreshToken || credential.grant) return rest;
  return { ...rest, accessToken, ...defined({ expiresAt: expiresInMs === undefined ? undefined : now + expiresInMs }) };
}
