/** Signing out of a server and removing it. */
export const leavingMessages = {
  'signOut.title': 'Sign out of {name}?',
  'signOut.revoke': 'Keybridge asks {issuer} to end the sign-in by revoking its tokens.',
  'signOut.itself': 'the server',
  'signOut.forget': 'Keybridge deletes the sign-in from {store}.',
  'signOut.apps': '{apps} can’t use this server until you sign in again.',
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

  /** What was done, in sentences that follow one another. */
  'signedOut.title': 'Signed out of {name}',
  'signedOut.notDeleted': 'It could not be deleted from the keychain. Try again.',
  'removed.title': '{name} was removed',
  'revoked.confirmed': 'The server confirmed that the sign-in has ended.',
  'revoked.not_offered': 'Deleted here. The server offers no revocation, so the sign-in ends there when it expires.',
  'revoked.failed': 'Deleted here, but not confirmed by the server, which may accept the old sign-in until it expires.',
  'revoked.key_stays': 'The key is no longer sent. The server accepts it until it is revoked there.',
  'revoked.nothing_to_revoke': 'You were not signed in.',
  'registration.deleted': 'Keybridge’s registration was deleted too.',
  'registration.not_offered': 'Keybridge’s registration remains, because the server offers no way to delete it.',
  'registration.failed': 'Keybridge’s registration could not be deleted.',
  'company.confirmed': 'Your company’s sign-in has ended too.',
  'company.not_offered': 'Your company’s sign-in was deleted here too. It ends at your company when it expires.',
  'company.failed': 'Your company’s sign-in was deleted here, but your company did not confirm that it has ended.',
} as const;
