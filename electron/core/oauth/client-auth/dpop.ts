import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { readJson } from '../../../../shared/json.ts';
import { Secret } from '../../base/secret.ts';

const algorithm = 'ES256';

/** Creates the proofs of one key (RFC 9449 4), and remembers the last nonce of each origin (8, 9). */
export interface DpopProofs {
  /** The value of the `DPoP` header for a single request. `accessToken`: for `ath`, in a request to a resource. */
  proof(method: string, url: URL, accessToken?: string): Promise<string>;
  /** Stores the nonce of a response. Returns true when it differs from that of the last proof for this origin. */
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

/** `now`: Unix ms. Rejects a key that does not come from `createDpopKey`. */
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
        ...defined({ nonce }),
      };
      return new SignJWT(claims)
        .setProtectedHeader({ typ: 'dpop+jwt', alg: algorithm, jwk })
        .setIssuedAt(Math.floor(now() / 1000))
        .sign(privateKey);
    },
    learn({ origin }, headers) {
      const nonce = headers['dpop-nonce'];
      // RFC 9449 8.1: visible characters only; anything else could not be sent back as one header value.
      if (nonce === undefined || !/^[\x21\x23-\x5b\x5d-\x7e]{1,1000}$/.test(nonce) || nonces.get(origin) === nonce)
        return false;
      nonces.set(origin, nonce);
      return true;
    },
  };
}
