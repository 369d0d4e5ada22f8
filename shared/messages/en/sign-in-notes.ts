/** What a user should know about a sign-in and its tokens, in window and command line. Nothing was refused for it. */
export const signInNoteMessages = {
  'identity.absent': 'The authorization server issued no ID token, so Keybridge does not know who signed in.',
  'identity.unreadable': 'The ID token could not be read, so no name is shown.',
  'identity.no_keys': 'The authorization server publishes no keys to verify its ID token, so no name is shown.',
  'identity.keys_unreachable':
    'The keys to verify the ID token could not be fetched, so no name is shown. Sign in again to verify it.',
  'identity.unknown_key':
    'The ID token was signed with a key that the authorization server does not publish, so no name is shown.',
  'identity.algorithm': 'The ID token has no signature that proves its issuer, so no name is shown.',
  'identity.dates':
    'The ID token has expired or is not valid yet, so no name is shown. The clock of this computer may be wrong.',
  'identity.wrong': 'The ID token does not belong to this sign-in, so no name is shown.',
  'identity.userinfo': 'The userinfo endpoint named a different person than the ID token, so its data is not shown.',
  'identity.userinfo_alone':
    'The name comes from the userinfo endpoint alone. There is no ID token to verify it against.',
  'identity.changed': 'A refresh returned the ID token of a different person. The name shown is from the sign-in.',
  'identity.unknown': `
    The identity was checked by a different version of Keybridge. Sign in again to check it with this one.`,

  'token.noAudience': 'The access token does not say which server it is for.',
  'token.otherAudience': 'The access token is for a different audience: {audiences}.',
  'token.otherIssuer': 'The access token was issued by {issuer}, but you signed in at {expected}.',
  'token.noExpiry': 'The access token has no expiry time of its own.',
  'token.expired':
    'The access token has expired, by its own expiry time. If the server accepts it, one of the clocks is wrong.',
  'token.longer': 'The access token is valid much longer than the authorization server said.',
  'token.missingScopes': 'The access token does not contain all granted scopes. Missing: {scopes}.',
  'token.extraScopes': 'The access token gives more access than was granted: {scopes}.',
  'token.inactive': 'The authorization server says that the access token is no longer valid.',
} as const;
