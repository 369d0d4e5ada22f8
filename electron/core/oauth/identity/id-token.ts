import { createHash } from 'node:crypto';
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose';
import { AppError } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';

/** The values that an ID token must match to belong to our request. */
export interface ExpectedIdToken {
  /** As validated by discovery. */
  readonly issuer: string;
  readonly clientId: string;
  /** The nonce that was sent. Absent if none could be sent (device code). */
  readonly nonce?: Secret;
  /** The access token of the same token response. */
  readonly accessToken: Secret;
  /** Unix ms. */
  readonly now: number;
}

export type IdTokenClaims = JWTPayload & { readonly iss: string; readonly sub: string };

/**
 * `wrong`: it belongs to another sign-in, or is forged. `unverified`: it may be right, but that cannot be verified
 * (keys not available, wrong clock, unsupported algorithm).
 */
export type IdTokenVerdict =
  | { readonly kind: 'verified'; readonly claims: IdTokenClaims }
  | { readonly kind: 'wrong'; readonly why: 'issuer' | 'audience' | 'nonce' | 'signature' | 'access_token' | 'claims' }
  | {
      readonly kind: 'unverified';
      readonly why: 'unreadable' | 'no_keys' | 'keys_unreachable' | 'unknown_key' | 'algorithm' | 'dates';
    };

/** Asymmetric algorithms only: no `none`, and no HS*, which would use a client secret as key (RFC 8725 3.1, 3.2). */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** The tolerated difference of clocks. */
const skewSeconds = 60;

/**
 * Verifies an ID token (OpenID Connect Core 3.1.3.7 and 3.1.3.8). Its claims are checked before its signature, so that
 * a token for another sign-in counts as `wrong` even if its signature cannot be verified. `keys`: those of the issuer,
 * or undefined if it publishes none. Never throws.
 */
export async function verifyIdToken(
  idToken: Secret,
  expected: ExpectedIdToken,
  keys: JWTVerifyGetKey | undefined,
): Promise<IdTokenVerdict> {
  const token = idToken.reveal();
  const content = decode(token);
  if (!content) return { kind: 'unverified', why: 'unreadable' };
  const { claims, algorithm } = content;
  const fault = claimFault(claims, expected);
  if (fault) return { kind: 'wrong', why: fault };
  if (!keys) return { kind: 'unverified', why: 'no_keys' };
  try {
    await verify(token, keys, {
      algorithms,
      clockTolerance: skewSeconds,
      currentDate: new Date(expected.now),
      requiredClaims: ['exp', 'iat'],
    });
  } catch (error) {
    return verdictOf(error);
  }
  if (!hashMatches(claims['at_hash'], expected.accessToken, algorithm)) return { kind: 'wrong', why: 'access_token' };
  return { kind: 'verified', claims };
}

/** Tries each key if several may have signed the token. */
async function verify(token: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<unknown> {
  try {
    return await jwtVerify(token, keys, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, options);
      } catch (keyError) {
        if (!(keyError instanceof errors.JWSSignatureVerificationFailed)) throw keyError;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function claimFault(
  claims: IdTokenClaims,
  { issuer, clientId, nonce }: ExpectedIdToken,
): 'issuer' | 'audience' | 'nonce' | 'claims' | undefined {
  if (claims.iss !== issuerFor(issuer, claims)) return 'issuer';
  const audiences = [claims.aud].flat();
  const azp = claims['azp'];
  // If there are other audiences, azp must name us.
  if (!audiences.includes(clientId) || (azp === undefined ? audiences.length > 1 : azp !== clientId)) return 'audience';
  if (nonce && (typeof claims['nonce'] !== 'string' || !nonce.equals(new Secret(claims['nonce'])))) return 'nonce';
  return typeof claims.sub === 'string' && claims.sub !== '' ? undefined : 'claims';
}

/**
 * Entra ID's metadata for several organizations has the placeholder `{tenantid}` in its issuer. Each token has its own
 * tenant in the claim `tid`.
 */
function issuerFor(issuer: string, claims: JWTPayload): string {
  const tenant = claims['tid'];
  return typeof tenant === 'string' && /^[0-9a-f-]{36}$/i.test(tenant) ? issuer.replace('{tenantid}', tenant) : issuer;
}

function verdictOf(error: unknown): IdTokenVerdict {
  if (error instanceof AppError) return { kind: 'unverified', why: 'keys_unreachable' };
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWSInvalid)
    return { kind: 'wrong', why: 'signature' };
  if (error instanceof errors.JOSEAlgNotAllowed) return { kind: 'unverified', why: 'algorithm' };
  if (error instanceof errors.JWTExpired) return { kind: 'unverified', why: 'dates' };
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'nbf' && error.reason === 'check_failed'
      ? { kind: 'unverified', why: 'dates' }
      : { kind: 'wrong', why: 'claims' };
  // The remaining errors mean that the key set has no usable key for the token.
  return { kind: 'unverified', why: 'unknown_key' };
}

/** OpenID Connect Core 3.1.3.6: `at_hash` is optional, and is the left half of the access token's hash. */
function hashMatches(atHash: unknown, accessToken: Secret, algorithm: string): boolean {
  if (atHash === undefined) return true;
  const hash = algorithm.endsWith('256') ? 'sha256' : algorithm.endsWith('384') ? 'sha384' : 'sha512';
  const digest = createHash(hash).update(accessToken.reveal()).digest();
  return atHash === digest.subarray(0, digest.length / 2).toString('base64url');
}

function decode(token: string): { readonly claims: IdTokenClaims; readonly algorithm: string } | undefined {
  try {
    // `claimFault` checks what this type asserts.
    return { claims: decodeJwt(token) as IdTokenClaims, algorithm: String(decodeProtectedHeader(token).alg) };
  } catch {
    return undefined;
  }
}
