import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import { z } from 'zod';
import { Secret } from '../../base/secret.ts';
import type { SigningAlgorithm } from '../model.ts';

/** The public half of a key, which the operator of the authorization server registers. */
export interface PublicKey {
  /** The thumbprint of the JWK (RFC 7638). */
  readonly kid: string;
  /** RFC 7517. */
  readonly publicJwk: Readonly<Record<string, string>>;
  /** SubjectPublicKeyInfo (RFC 7468 13). */
  readonly publicPem: string;
}

/** Only members that are public (RFC 7518 6, RFC 8037 2). */
const PublicJwk = z.partialRecord(z.enum(['kty', 'crv', 'x', 'y', 'n', 'e']), z.string());

const generate = promisify(generateKeyPair);
/** Keys are used for years, and NIST SP 800-57 allows 2,048 bits only until 2030. */
const rsaBits = 3_072;

/**
 * Generates a key for `private_key_jwt`. `secret`: the private JWK with `kid` and `alg`, to be kept only in the store
 * of secrets.
 */
export async function generateSigningKey(
  algorithm: SigningAlgorithm,
): Promise<PublicKey & { readonly secret: Secret }> {
  const { privateKey, publicKey } = await keyPair(algorithm);
  const bare = PublicJwk.parse(publicKey.export({ format: 'jwk' }));
  const kid = await calculateJwkThumbprint(bare);
  const named = { kid, alg: algorithm, use: 'sig' };
  return {
    kid,
    publicJwk: { ...bare, ...named },
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    secret: new Secret(JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...named })),
  };
}

function keyPair(algorithm: SigningAlgorithm): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  switch (algorithm) {
    case 'RS256':
    case 'PS256':
      return generate('rsa', { modulusLength: rsaBits });
    case 'ES256':
      return generate('ec', { namedCurve: 'P-256' });
    case 'EdDSA':
      return generate('ed25519');
  }
}
