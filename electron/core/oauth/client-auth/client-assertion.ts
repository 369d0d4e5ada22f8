import { createPrivateKey, randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { readJson } from '../../../../shared/json.ts';
import { AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { SigningKey, SigningAlgorithm } from '../model.ts';
import type { ServerSettings } from '../../../../shared/server-settings.ts';

/** Short enough that a copy is soon worthless, long enough for clocks that differ a little. */
const lifeSeconds = 60;

/**
 * Reads a private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK as text. What a JWK says of itself (`alg`, `kid`) counts
 * before the settings, since those are for all accounts of a server. Throws E_BAD_INPUT with the reason; nothing of the
 * key is in it.
 */
export function readSigningKey(
  secret: Secret,
  { signingAlgorithm, keyId }: Pick<ServerSettings, 'signingAlgorithm' | 'keyId'>,
): SigningKey {
  const jwk = parseJwk(secret.reveal());
  const key = keyObject(secret, jwk);
  const able = algorithmsOf(key);
  const algorithm = able.find((one) => one === jwk?.alg) ?? signingAlgorithm ?? able[0];
  if (!algorithm)
    throw new AppError(
      'E_BAD_INPUT',
      'Keybridge cannot sign with this kind of private key. Use RSA (2,048 bits or more), EC P-256 or Ed25519.',
      { field: 'secrets.privateKey' },
    );
  if (!able.includes(algorithm))
    throw new AppError('E_BAD_INPUT', `The private key cannot sign with ${algorithm}.`, {
      field: 'settings.signingAlgorithm',
    });
  const id = jwk?.kid ?? keyId;
  return { key, algorithm, ...(id === undefined ? {} : { keyId: id }) };
}

/**
 * A client assertion (RFC 7523 3). `audience`: the issuer, as RFC 7523bis has it: an assertion for one server's token
 * endpoint URL could be replayed at another that names the same URL. `now`: Unix ms.
 */
export function clientAssertion(
  { key, algorithm, keyId }: SigningKey,
  { clientId, audience, now }: { clientId: string; audience: string; now: number },
): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: algorithm, ...(keyId === undefined ? {} : { kid: keyId }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + lifeSeconds)
    .sign(key);
}

const Jwk = z.looseObject({ kty: z.string(), kid: z.string().optional(), alg: z.string().optional() });

function parseJwk(text: string): z.infer<typeof Jwk> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return Jwk.parse(readJson(text));
  } catch {
    throw new AppError('E_BAD_INPUT', 'The private key is not a JWK (RFC 7517).', { field: 'secrets.privateKey' });
  }
}

function keyObject(secret: Secret, jwk: z.infer<typeof Jwk> | undefined): KeyObject {
  if (isEncrypted(secret)) {
    throw new AppError(
      'E_BAD_INPUT',
      'The private key is protected by a password. Remove the password (the keychain protects the key): ' +
        'openssl pkey -in key.pem -out plain.pem',
      { field: 'secrets.privateKey' },
    );
  }
  try {
    return jwk ? createPrivateKey({ key: jwk, format: 'jwk' }) : createPrivateKey(secret.reveal());
  } catch {
    // The reason may hold a part of the key.
    throw new AppError(
      'E_BAD_INPUT',
      'The private key cannot be read. It must be PEM without a password, or a JWK with its private part.',
      { field: 'secrets.privateKey' },
    );
  }
}

/** PKCS#8 (RFC 7468 11), and the older way of OpenSSL. */
const isEncrypted = (secret: Secret): boolean =>
  /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(secret.reveal());

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly SigningAlgorithm[] {
  // RFC 7518 3.3: shorter keys must not be used. A key that is for PSS alone (id-RSASSA-PSS) jose cannot take.
  if (asymmetricKeyType === 'rsa') return (asymmetricKeyDetails?.modulusLength ?? 0) >= 2_048 ? ['RS256', 'PS256'] : [];
  if (asymmetricKeyType === 'ed25519') return ['EdDSA'];
  return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1' ? ['ES256'] : [];
}
