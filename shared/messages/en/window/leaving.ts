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

  /** What was done, in sentences that follow one another. */
  'signedOut.title': 'Signed out of {name}',
  'signedOut.notDeleted': 'It could not be deleted from the keychain: try again.',
  'removed.title': '{name} is removed',
  'revoked.confirmed': 'The server confirmed that the sign-in is ended.',
  'revoked.not_offered': 'Deleted here. The server has no way to end a sign-in early, so it runs out there by itself.',
  'revoked.failed': 'Deleted here, but the server did not confirm: it may accept the old sign-in until it runs out.',
  'revoked.key_stays': 'The key is not sent any more. The server accepts it until it is revoked there.',
  'revoked.nothing_to_revoke': 'There was no sign-in to end.',
  'registration.deleted': 'The registration of Keybridge there is deleted too.',
  'registration.not_offered': 'The registration of Keybridge there stays: it offers no way to delete it.',
  'registration.failed': 'The registration of Keybridge there could not be deleted.',
  'company.confirmed': 'Your company’s sign-in has ended too.',
  'company.not_offered': 'Your company’s sign-in is deleted here too; it runs out there by itself.',
  'company.failed': 'Your company’s sign-in is deleted here, but your company did not confirm that it has ended.',
} as const;
