/** The list of servers. */
export const serversMessages = {
  'servers.title': 'Servers',
  'servers.add': 'Add server',
  'servers.needYou': 'Waiting for you',
  'servers.others': 'Other servers',
  'servers.emptyTitle': 'Sign in once, for every app',
  'servers.emptyText':
    'Add the address of a server. Keybridge signs you in, keeps the sign-in fresh, and lets your apps use it.',
  'servers.emptyAction': 'Add your first server',
  'servers.connect': 'Connect an app',
  'servers.noticeTitle': 'Keybridge noticed something',
  'servers.about': '{action}: {name}',
  'servers.signOutEverywhere': 'Sign out everywhere…',

  'setAside.title': '{name} is not used',
  'setAside.use': 'Use these settings',
  'setAside.address': 'Address in the list:',

  'everywhere.title': 'Sign out everywhere?',
  'everywhere.which': `{count, plural,
    one {Keybridge signs out of {names}.}
    other {Keybridge signs out of # sign-ins: {names}.}}`,
  'everywhere.revoke': 'Each server is asked to end the sign-in (to revoke its tokens).',
  'everywhere.forget': 'The sign-ins are deleted from {store}.',
  'everywhere.apps': '{apps} cannot use these servers until you sign in again.',
  'everywhere.keep': 'Your servers stay in the list, with their settings and the keys and secrets that you entered.',
  'everywhere.confirm': 'Sign out everywhere',
  'everywhere.done': 'Signed out everywhere',
  'everywhere.doneInPart': 'Signed out, but not everything is confirmed',
  'everywhere.none': 'There was no sign-in to end.',
  'everywhere.failedAltogether': 'Signing out everywhere did not work',

  /** One line for each result; the servers are named at its end. */
  'everywhere.kept': 'Not deleted from the keychain; sign out of these again: {names}.',
  'everywhere.failed': 'Deleted here, not confirmed: the server may accept it until it runs out: {names}.',
  'everywhere.confirmed': 'Confirmed by the server: {names}.',
  'everywhere.not_offered': 'Deleted here; the server ends it by itself when it runs out: {names}.',
  'everywhere.key_stays': 'The key is not sent any more; the server accepts it until it is revoked there: {names}.',
  'everywhere.company': 'Your company did not confirm that its sign-in has ended: {names}.',
  'everywhere.registration': 'The registration of Keybridge there could not be deleted: {names}.',

  /** Where refresh tokens are kept, and what is wrong with that store. */
  'store.memory': 'Sign-ins are kept in memory only: they end when Keybridge quits.',
  'store.keychain': 'Refresh tokens are kept in {store}.',
  'store.locked.title': 'Your keychain is locked',
  'store.locked.text': 'Nothing is lost. Unlock it, and Keybridge goes on by itself.',
  'store.denied.title': 'Keybridge may not use your keychain',
  'store.denied.text': 'Nothing is lost. Allow it when your system asks, then try again.',
  'store.unavailable.title': 'No keychain is running',
  'store.unavailable.text': `
    Nothing is lost. Start your system’s keychain (on Linux: GNOME Keyring or KWallet), then try again.`,
} as const;
