import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { z } from 'zod';
import { readJson } from '../../../../shared/json.ts';
import { Secret } from '../../base/secret.ts';

const algorithm = 'ES256';

/** Makes the proofs of one key (RFC 9449 4), and remembers the nonce that each origin gave last (8, 9). */
export interface DpopProofs {
  /** The value of the `DPoP` header, for one request and no other. `accessToken`: at a resource, for `ath`. */
  proof(method: string, url: URL, accessToken?: string): Promise<string>;
  /** Takes the nonce of an answer. True: it is another one than the last proof for this origin had. */
  learn(url: URL, headers: Readonly<Record<string, string>>): boolean;
}

const PrivateKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});

/** A new private key (ES256) as a JWK. */
export async function createDpopKey(): Promise<Secret> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return new Secret(JSON.stringify(await exportJWK(privateKey)));
}

/** `now`: Unix ms. Rejects when the key is none of `createDpopKey`. */
export async function createDpopProofs(key: Secret, now: () => number): Promise<DpopProofs> {
  const { d, ...jwk } = PrivateKey.parse(readJson(key.reveal()));
  const privateKey = await importJWK({ ...jwk, d } satisfies JWK, algorithm);
  const nonces = new Map<string, string>();
  return {
    async proof(method, url, accessToken) {
      const nonce = nonces.get(url.origin);
      const claims = {
        jti: randomUUID(),
        htm: method,
        // Without query and fragment (RFC 9449 4.2).
        htu: `${url.origin}${url.pathname}`,
        ...(accessToken === undefined ? {} : { ath: createHash('sha256').update(accessToken).digest('base64url') }),
        ...(nonce === undefined ? {} : { nonce }),
      };
      return new SignJWT(claims)
        .setProtectedHeader({ typ: 'dpop+jwt', alg: algorithm, jwk })
        .setIssuedAt(Math.floor(now() / 1000))
        .sign(privateKey);
    },
    learn({ origin }, headers) {
      const nonce = headers['dpop-nonce'];
      // RFC 9449 8.1: visible characters; anything else would not be one value of one header.
      if (nonce === undefined || !/^[\x21\x23-\x5b\x5d-\x7e]{1,1000}$/.test(nonce) || nonces.get(origin) === nonce)
        return false;
      nonces.set(origin, nonce);
      return true;
    },
  };
}
