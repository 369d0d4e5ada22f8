import type { IdTokenVerdict } from './id-token.ts';

/** Why an ID token ends a sign-in. Continues "The ID token of ISSUER" in the message of E_ID_TOKEN. */
export const wrongTokenReasons: Readonly<Record<Extract<IdTokenVerdict, { kind: 'wrong' }>['why'], string>> = {
  issuer: 'names another issuer',
  audience: 'was issued for another client',
  nonce: 'belongs to another sign-in',
  signature: 'has an invalid signature',
  access_token: 'belongs to another access token',
  claims: 'lacks a required claim',
};
