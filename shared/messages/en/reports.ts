/** What Keybridge reports after it looked at an address or ended a sign-in. */
export const reportMessages = {
  'preview.open': 'This server requires no sign-in.',
  'preview.dynamic': 'You sign in at {host}. Keybridge registers automatically.',
  'preview.clientIdNeeded': 'You sign in at {host}. The server needs a client ID.',
  'preview.noPkce': 'The server does not advertise PKCE, which protects the sign-in on its way back to Keybridge.',
  'preview.hiddenPkce': '{provider} supports PKCE, although it does not advertise it.',

  'signOut.notConfirmed':
    'The authorization server did not confirm the sign-out. The old tokens may work until they expire.',
  'signOut.notConfirmedBecause':
    'The authorization server did not confirm the sign-out ({reason}). The old tokens may work until they expire.',
  'signOut.deletedLater': 'Keybridge no longer uses the sign-in, and deletes it as soon as the keychain allows.',
  'signOut.setAside': 'The entry was disabled, so Keybridge did not ask the server to revoke its tokens.',
} as const;
