import { sanitizeExternalText } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { decodedClaims } from '../identity/jwt-claims.ts';
import { readTokenResponse } from '../token-endpoint/token-response.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { TokenVerdict } from '../model.ts';

/** What an ID token must say that is to be exchanged. */
export interface ExpectedIdToken {
  readonly issuer: string;
  readonly clientId: string;
  /** Of the authorization request; absent at a refresh. */
  readonly nonce?: Secret;
  /** Who signed in before, as far as it is known: a refresh must not give somebody else's token. */
  readonly subject?: string;
}

export type IdTokenCheck =
  | { readonly kind: 'good'; readonly lifeMs: number; readonly subject: string }
  | { readonly kind: 'bad'; readonly why: string };

/**
 * Reads the answer to a refresh whose ID token is what counts: it comes in the place of the access token, with its own
 * life. An answer without a good one ends the sign-in: none of its successors would have one either.
 */
export const idTokenReader =
  (expected: ExpectedIdToken) =>
  (answer: HttpResponse, now: number): TokenVerdict => {
    const verdict = readTokenResponse(answer, now);
    if (verdict.kind !== 'tokens') return verdict;
    const { idToken, refreshToken } = verdict.tokens;
    const check = checkIdToken(idToken, expected, now);
    if (!idToken || check.kind === 'bad')
      return {
        kind: 'error',
        error: 'invalid_grant',
        description: check.kind === 'bad' ? check.why : '',
        status: answer.status,
      };
    return {
      kind: 'tokens',
      tokens: { accessToken: idToken, idToken, expiresInMs: check.lifeMs, ...(refreshToken ? { refreshToken } : {}) },
    };
  };

/**
 * What can be told without keys of an ID token that came straight from the token endpoint (OpenID Connect Core 3.1.3.7,
 * 12.2); its signature is the business of `identify`, and of the provider, which gets it back. `lifeMs`: by the
 * provider's own clock.
 */
export function checkIdToken(
  idToken: Secret | undefined,
  { issuer, clientId, nonce, subject }: ExpectedIdToken,
  now: number,
): IdTokenCheck {
  if (!idToken) return bad('it contains no ID token');
  const claims = decodedClaims(idToken.reveal());
  if (!claims) return bad('its ID token cannot be read');
  const { iss, aud, exp, iat, sub } = claims;
  const azp = claims['azp'];
  if (iss !== issuer) return bad(`its ID token names another issuer, ${sanitizeExternalText(iss)}`);
  if (![aud].flat().includes(clientId) || (azp !== undefined && azp !== clientId))
    return bad('its ID token was issued for another client');
  if (nonce && claims['nonce'] !== nonce.reveal()) return bad('its ID token belongs to another sign-in');
  if (typeof sub !== 'string' || sub === '' || (subject !== undefined && sub !== subject))
    return bad('its ID token is about another person');
  if (typeof exp !== 'number') return bad('its ID token has no expiry time');
  return {
    kind: 'good',
    subject: sub,
    lifeMs: Math.max(0, exp - (typeof iat === 'number' ? iat : Math.floor(now / 1000))) * 1000,
  };
}

const bad = (why: string): IdTokenCheck => ({ kind: 'bad', why });

/** Whether an ID token is over by this computer's clock. `now`: Unix ms. */
export function isOver(idToken: Secret, now: number): boolean {
  const exp = decodedClaims(idToken.reveal())?.exp;
  return exp !== undefined && exp * 1000 <= now;
}
