import { createPrivateKey, randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { readJson } from '../../../../shared/json.ts';
import { AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { SigningKey, SigningAlgorithm } from '../model.ts';
import type { ServerSettings } from '../../../../shared/server-settings.ts';

/** Short, so that a stolen assertion is soon useless; long enough for small clock differences. */
const lifeSeconds = 60;

/**
 * Reads a private key: PEM (PKCS#8, PKCS#1, SEC1) or JWK as text. `alg` and `kid` of a JWK take precedence over the
 * settings, which are for all accounts of a server. Throws E_BAD_INPUT with a reason that shows nothing of the key.
 */
export function readSigningKey(
  secret: Secret,
  { signingAlgorithm, keyId }: Pick<ServerSettings, 'signingAlgorithm' | 'keyId'>,
): SigningKey {
  const jwk = parseJwk(secret.reveal());
  const key = keyObject(secret, jwk);
  const supported = algorithmsOf(key);
  const algorithm = supported.find((name) => name === jwk?.alg) ?? signingAlgorithm ?? supported[0];
  if (!algorithm)
    throw new AppError(
      'E_BAD_INPUT',
      'Keybridge cannot sign with this kind of private key. Use RSA (2,048 bits or more), EC P-256 or Ed25519.',
      { field: 'secrets.privateKey' },
    );
  if (!supported.includes(algorithm))
    throw new AppError('E_BAD_INPUT', `The private key cannot sign with ${algorithm}.`, {
      field: 'settings.signingAlgorithm',
    });
  return { key, algorithm, ...defined({ keyId: jwk?.kid ?? keyId }) };
}

/**
 * A client assertion (RFC 7523 3). `audience`: the issuer, as RFC 7523bis requires, because an assertion for the URL of
 * a token endpoint could be replayed by another server that names the same URL. `now`: Unix ms.
 */
export function clientAssertion(
  { key, algorithm, keyId }: SigningKey,
  { clientId, audience, now }: { clientId: string; audience: string; now: number },
): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: algorithm, ...defined({ kid: keyId }) })
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
    // No `cause`: the message of the original error may contain parts of the key.
    throw new AppError(
      'E_BAD_INPUT',
      'The private key cannot be read. It must be PEM without a password, or a JWK with its private part.',
      { field: 'secrets.privateKey' },
    );
  }
}

/** PKCS#8 (RFC 7468 11), and the older format of OpenSSL. */
const isEncrypted = (secret: Secret): boolean =>
  /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(secret.reveal());

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly SigningAlgorithm[] {
  // RFC 7518 3.3: shorter keys must not be used. jose does not support keys for PSS alone (id-RSASSA-PSS).
  if (asymmetricKeyType === 'rsa') return (asymmetricKeyDetails?.modulusLength ?? 0) >= 2_048 ? ['RS256', 'PS256'] : [];
  if (asymmetricKeyType === 'ed25519') return ['EdDSA'];
  return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1' ? ['ES256'] : [];
}
