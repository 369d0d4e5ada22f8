/** Signing out of a server and removing it. */
export const leavingMessages = {
  'signOut.title': 'Sign out of {name}?',
  'signOut.revoke': '{issuer} is asked to end the sign-in (to revoke its tokens).',
  'signOut.itself': 'The server',
  'signOut.forget': 'The sign-in is deleted from {store}.',
  'signOut.apps': '{apps} cannot use the server until you sign in again.',
  'signOut.keep': 'The server stays in your list.',
  'signOut.entered': 'The keys and secrets that you entered stay in {store}. Its settings can delete them.',
  'signOut.confirm': 'Sign out',

  'remove.title': 'Remove {name}?',
  'remove.apps': '{apps} cannot use the server any more.',
  'remove.accounts': 'All its accounts are signed out and removed: {names}.',
  'remove.gone': 'The server and its settings disappear from Keybridge.',
  'remove.hosts': 'Apps keep their own entry for it, which then gives an error. Delete it there.',
  'remove.confirm': 'Remove',
} as const;
