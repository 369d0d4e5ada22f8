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

/** What an ID token must say to be the answer to our request. */
export interface ExpectedIdToken {
  /** As validated by discovery. */
  readonly issuer: string;
  readonly clientId: string;
  /** As sent; absent where none could be sent (device code). */
  readonly nonce?: Secret;
  /** The one that came with it. */
  readonly accessToken: Secret;
  /** Unix ms. */
  readonly now: number;
}

export type IdTokenClaims = JWTPayload & { readonly iss: string; readonly sub: string };

/**
 * `wrong`: it is somebody else's answer, or forged. `unverified`: nothing speaks against it, and nothing vouches for it
 * (keys that cannot be had, a clock that is off, an algorithm that we do not take).
 */
export type IdTokenVerdict =
  | { readonly kind: 'verified'; readonly claims: IdTokenClaims }
  | { readonly kind: 'wrong'; readonly why: 'issuer' | 'audience' | 'nonce' | 'signature' | 'access_token' | 'claims' }
  | {
      readonly kind: 'unverified';
      readonly why: 'unreadable' | 'no_keys' | 'keys_unreachable' | 'unknown_key' | 'algorithm' | 'dates';
    };

/**
 * Asymmetric ones alone: `none` proves nothing, and HS* would make a client secret a key for signatures (RFC 8725 3.1,
 * 3.2).
 */
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
/** For clocks that differ a little. */
const skewSeconds = 60;

/**
 * Judges an ID token (OpenID Connect Core 3.1.3.7 and 3.1.3.8). What it says is compared before its signature is
 * checked, so that a token for somebody else stays wrong, whoever signed it. `keys`: of the issuer; absent: it
 * publishes none. Never throws.
 */
export async function verifyIdToken(
  idToken: Secret,
  expected: ExpectedIdToken,
  keys: JWTVerifyGetKey | undefined,
): Promise<IdTokenVerdict> {
  const token = idToken.reveal();
  const said = decoded(token);
  if (!said) return { kind: 'unverified', why: 'unreadable' };
  const { claims, algorithm } = said;
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
  if (!hashFits(claims['at_hash'], expected.accessToken, algorithm)) return { kind: 'wrong', why: 'access_token' };
  return { kind: 'verified', claims };
}

/** Where several keys may have signed it, each is tried. */
async function verify(token: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<unknown> {
  try {
    return await jwtVerify(token, keys, options);
  } catch (several) {
    if (!(several instanceof errors.JWKSMultipleMatchingKeys)) throw several;
    for await (const key of several) {
      try {
        return await jwtVerify(token, key, options);
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
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
  // A token for others too must say that it was issued to us.
  if (!audiences.includes(clientId) || (azp === undefined ? audiences.length > 1 : azp !== clientId)) return 'audience';
  if (nonce && (typeof claims['nonce'] !== 'string' || !nonce.equals(new Secret(claims['nonce'])))) return 'nonce';
  return typeof claims.sub === 'string' && claims.sub !== '' ? undefined : 'claims';
}

/**
 * Entra ID's metadata for several organisations has `{tenantid}` in its issuer, which each token fills in with its
 * `tid`.
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
  // What is left is a key set without a key that can be used for it.
  return { kind: 'unverified', why: 'unknown_key' };
}

/** OpenID Connect Core 3.1.3.6: the left half of the access token's hash, where the token has it. */
function hashFits(found: unknown, accessToken: Secret, algorithm: string): boolean {
  if (found === undefined) return true;
  const hash = algorithm.endsWith('256') ? 'sha256' : algorithm.endsWith('384') ? 'sha384' : 'sha512';
  const digest = createHash(hash).update(accessToken.reveal()).digest();
  return found === digest.subarray(0, digest.length / 2).toString('base64url');
}

function decoded(token: string): { readonly claims: IdTokenClaims; readonly algorithm: string } | undefined {
  try {
    // The types promise what only `claimFault` checks.
    return { claims: decodeJwt(token) as IdTokenClaims, algorithm: String(decodeProtectedHeader(token).alg) };
  } catch {
    return undefined;
  }
}
