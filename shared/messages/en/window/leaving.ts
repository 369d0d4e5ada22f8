/** Signing out of a server and removing it. */
export const leavingMessages = {
  'signOut.title': 'Sign out of {name}?',
  'signOut.revoke': 'Keybridge asks {issuer} to end the sign-in by revoking its tokens.',
  'signOut.itself': 'the server',
  'signOut.forget': 'Keybridge deletes the sign-in from {store}.',
  'signOut.apps': '{apps} cannot use this server until you sign in again.',
  'signOut.keep': 'The server stays in your list.',
  'signOut.entered':
    'The keys and secrets that you entered stay in {store}. You can delete them in the server’s settings.',
  'signOut.confirm': 'Sign out',

  'remove.title': 'Remove {name}?',
  'remove.apps': '{apps} can no longer use this server.',
  'remove.accounts': 'All its accounts are signed out and removed: {names}.',
  'remove.gone': 'Keybridge deletes the server and its settings.',
  'remove.hosts': 'Apps keep their own entry for this server, which then fails. Delete it there.',
  'remove.confirm': 'Remove',

  'removed.title': '{name} was removed',
} as const;
