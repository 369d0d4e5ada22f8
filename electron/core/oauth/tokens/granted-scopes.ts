import { identityNotes } from '../identity/identity-notes.ts';
import type { CredentialFacts } from '../../vault/credential.ts';

type Facts = Pick<
  CredentialFacts,
  'requestedScopes' | 'grantedScopes' | 'renewable' | 'idTokenClaims' | 'identityNotes'
>;

/** What a person's claims come from (OpenID Connect Core 5.4). */
const profileClaims = ['name', 'given_name', 'family_name', 'nickname', 'preferred_username', 'profile', 'picture'];

/**
 * Scopes for the authorization server itself, and what shows that they were granted: few servers repeat them in the
 * token response.
 */
const effects: Readonly<Record<string, (facts: Facts) => boolean>> = {
  offline_access: ({ renewable }) => renewable,
  // A note on an ID token says that one came; userinfo alone answers `openid` as well.
  openid: ({ idTokenClaims, identityNotes: notes = [] }) =>
    idTokenClaims !== undefined || notes.some((note) => note !== identityNotes.absent),
  profile: ({ idTokenClaims = {} }) => profileClaims.some((claim) => claim in idTokenClaims),
  email: ({ idTokenClaims = {} }) => 'email' in idTokenClaims,
};

/**
 * The scopes that a sign-in really has: those of the token answer, and of `openid`, `profile` and `email` also what
 * came of them. `offline_access` counts by its effect alone, the refresh token.
 */
export function scopesInEffect(facts: Facts): string[] {
  const { requestedScopes, grantedScopes } = facts;
  const granted = grantedScopes.filter((scope) => scope !== 'offline_access');
  const met = requestedScopes.filter((scope) => !granted.includes(scope) && effects[scope]?.(facts));
  return [...granted, ...met];
}
