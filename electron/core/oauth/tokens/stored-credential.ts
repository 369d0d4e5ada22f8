import { defined } from '../../../../shared/defined.ts';
import type { Secret } from '../../base/secret.ts';
import type { Credential } from '../../vault/credential.ts';
import { identityAfterRefresh } from '../identity/identity.ts';
import type { Tokens } from '../model.ts';
import { endAfterRefresh } from './refresh-token-expiry.ts';

/**
 * The credential to store after a refresh. The old refresh token stays valid if the server sent no new one (RFC 6749
 * 6). `now`: Unix ms.
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

/** Adds the access token if there is no other way to get one: no refresh token, no grant. `now`: Unix ms. */
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
