import type { CredentialFacts } from '../../vault/credential.ts';

type Facts = Pick<
  CredentialFacts,
  'requestedScopes' | 'grantedScopes' | 'renewable' | 'idTokenClaims' | 'identityNotes'
>;

/** Claims that the scope `profile` requests (OpenID Connect Core 5.4). */
const profileClaims = ['name', 'given_name', 'family_name', 'nickname', 'preferred_username', 'profile', 'picture'];

/**
 * For scopes that are addressed to the authorization server itself: whether the sign-in shows that they were granted.
 * Few servers repeat them in the token response.
 */
const effects: Readonly<Record<string, (facts: Facts) => boolean>> = {
  offline_access: ({ renewable }) => renewable,
  // A note about an ID token means that one was received; userinfo alone also proves `openid`.
  openid: ({ idTokenClaims, identityNotes = [] }) =>
    idTokenClaims !== undefined || identityNotes.some((note) => note !== 'absent' && note !== 'unknown'),
  profile: ({ idTokenClaims = {} }) => profileClaims.some((claim) => claim in idTokenClaims),
  email: ({ idTokenClaims = {} }) => 'email' in idTokenClaims,
};

/**
 * The scopes that a sign-in has: those of the token response, and `openid`, `profile` and `email` if their effect is
 * visible. `offline_access` counts only by its effect, the refresh token.
 */
export function scopesInEffect(facts: Facts): string[] {
  const { requestedScopes, grantedScopes } = facts;
  const granted = grantedScopes.filter((scope) => scope !== 'offline_access');
  const effective = requestedScopes.filter((scope) => !granted.includes(scope) && effects[scope]?.(facts));
  return [...granted, ...effective];
}
