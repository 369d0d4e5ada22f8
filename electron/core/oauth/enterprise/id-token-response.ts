import { defined } from '../../../../shared/defined.ts';
import { sanitizeExternalText } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { decodedClaims } from '../identity/jwt-claims.ts';
import { readTokenResponse } from '../token-endpoint/token-response.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { TokenVerdict } from '../model.ts';

/** The expected claims of an ID token. */
export interface ExpectedIdToken {
  readonly issuer: string;
  readonly clientId: string;
  /** The nonce of the authorization request. A refresh has none. */
  readonly nonce?: Secret;
  /** The user who signed in before, if known: a refresh must not return another person's token. */
  readonly subject?: string;
}

export type IdTokenCheck =
  | { readonly kind: 'valid'; readonly lifeMs: number; readonly subject: string }
  | { readonly kind: 'invalid'; readonly reason: string };

/**
 * Reads the response to a refresh, with the ID token and its lifetime in place of the access token. A response without
 * a valid ID token ends the sign-in, since later ones would not have one either.
 */
export const idTokenReader =
  (expected: ExpectedIdToken) =>
  (response: HttpResponse, now: number): TokenVerdict => {
    const verdict = readTokenResponse(response, now);
    if (verdict.kind !== 'tokens') return verdict;
    const { idToken, refreshToken } = verdict.tokens;
    const check = checkIdToken(idToken, expected, now);
    if (!idToken || check.kind === 'invalid')
      return {
        kind: 'error',
        error: 'invalid_grant',
        description: check.kind === 'invalid' ? check.reason : '',
        status: response.status,
      };
    return {
      kind: 'tokens',
      tokens: { accessToken: idToken, idToken, expiresInMs: check.lifeMs, ...defined({ refreshToken }) },
    };
  };

/**
 * Checks the claims of an ID token from the token endpoint (OpenID Connect Core 3.1.3.7, 12.2). The signature is
 * checked by `identify`, and by the provider when the token is exchanged. `now`: Unix ms. `lifeMs`: by the provider's
 * clock.
 */
export function checkIdToken(
  idToken: Secret | undefined,
  { issuer, clientId, nonce, subject }: ExpectedIdToken,
  now: number,
): IdTokenCheck {
  if (!idToken) return invalid('it contains no ID token');
  const claims = decodedClaims(idToken.reveal());
  if (!claims) return invalid('its ID token cannot be decoded');
  const { iss, aud, exp, iat, sub } = claims;
  const azp = claims['azp'];
  if (iss !== issuer) return invalid(`its ID token has another issuer, ${sanitizeExternalText(iss)}`);
  if (![aud].flat().includes(clientId) || (azp !== undefined && azp !== clientId))
    return invalid('its ID token was issued for another client');
  if (nonce && claims['nonce'] !== nonce.reveal()) return invalid('its ID token belongs to another sign-in');
  if (typeof sub !== 'string' || sub === '' || (subject !== undefined && sub !== subject))
    return invalid('its ID token is about another person');
  if (typeof exp !== 'number') return invalid('its ID token has no expiry time');
  return {
    kind: 'valid',
    subject: sub,
    lifeMs: Math.max(0, exp - (typeof iat === 'number' ? iat : Math.floor(now / 1000))) * 1000,
  };
}

const invalid = (reason: string): IdTokenCheck => ({ kind: 'invalid', reason });
