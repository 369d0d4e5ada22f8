import type { IdTokenVerdict } from './id-token.ts';

type Why<Kind extends IdTokenVerdict['kind']> =
  Extract<IdTokenVerdict, { kind: Kind }> extends { readonly why: infer Reason extends string } ? Reason : never;

/** Why nobody is named, or what else a person should know of who signed in: whole sentences. */
export const identityNotes: Readonly<
  Record<Why<'unverified'> | 'absent' | 'wrong' | 'userinfo' | 'userinfo_alone' | 'changed', string>
> = {
  absent: 'The authorization server does not say who signed in: it gave no ID token.',
  unreadable: 'The ID token cannot be read, so nobody is named.',
  no_keys: 'The authorization server publishes no keys to check its ID token with, so nobody is named.',
  keys_unreachable:
    'The keys to check the ID token with could not be fetched, so nobody is named. Sign in again to check it.',
  unknown_key: 'The ID token is signed with a key that the authorization server does not publish, so nobody is named.',
  algorithm: 'The ID token has no signature that proves who issued it, so nobody is named.',
  dates: 'The ID token is not valid now, so nobody is named. The clock of this computer may be wrong.',
  wrong: 'An ID token came that does not belong to this sign-in, so nobody is named.',
  userinfo: 'The authorization server’s user information is about somebody else than its ID token, and is not shown.',
  userinfo_alone:
    'The name is what the authorization server’s user information says of the access token. There is no ID token to check it with.',
  changed: 'A refresh came with the ID token of somebody else. The name shown is the one of the sign-in.',
};

/** What is wrong with an ID token that ends a sign-in; goes on after "The ID token of ...". */
export const wrongWords: Readonly<Record<Why<'wrong'>, string>> = {
  issuer: 'names another issuer',
  audience: 'was issued for another app',
  nonce: 'belongs to another sign-in',
  signature: 'has a signature that is not its issuer’s',
  access_token: 'belongs to another access token',
  claims: 'leaves out what an ID token must say',
};
