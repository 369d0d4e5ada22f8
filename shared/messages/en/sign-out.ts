/** What signing out did, in sentences that follow one another; the same in window and command line. */
export const signOutMessages = {
  'signedOut.title': 'Signed out of {name}',
  'signedOut.deleted': 'The sign-in was deleted here.',
  'signedOut.notDeleted': 'The sign-in could not be deleted from the keychain yet.',
  'revoked.confirmed': 'The server confirmed that the sign-in has ended.',
  'revoked.not_offered': 'The server offers no revocation, so the sign-in ends there when it expires.',
  'revoked.failed': 'The server did not confirm the sign-out, and may accept the old sign-in until it expires.',
  'revoked.key_stays': 'The key is no longer sent. The server accepts it until it is revoked there.',
  'revoked.nothing_to_revoke': 'You were not signed in.',
  'registration.deleted': 'Keybridge’s registration was deleted too.',
  'registration.not_offered': 'Keybridge’s registration remains, because the server offers no way to delete it.',
  'registration.failed': 'Keybridge’s registration could not be deleted.',
  'company.confirmed': 'Your company sign-in has ended too.',
  'company.not_offered': 'Your company sign-in was deleted here too. It ends at your company when it expires.',
  'company.failed': 'Your company sign-in was deleted here, but your company did not confirm that it has ended.',
} as const;
