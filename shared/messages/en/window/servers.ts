/** The list of servers. */
export const serversMessages = {
  'servers.title': 'Servers',
  'servers.add': 'Add server',
  'servers.needYou': 'Needs attention',
  'servers.others': 'Other servers',
  'servers.emptyTitle': 'Sign in once, for every app',
  'servers.emptyText':
    'Add the address of a server. Keybridge signs you in, keeps you signed in, and lets your apps use the server.',
  'servers.emptyAction': 'Add your first server',
  'servers.connect': 'Connect an app',
  'servers.noticeTitle': 'Keybridge found a problem',
  'servers.appsLabel': 'Connected apps:',
  'servers.signOutEverywhere': 'Sign out everywhere…',

  'setAside.title': '{name} is disabled',
  'setAside.use': 'Use these settings',
  'setAside.address': 'Address in this entry:',

  'everywhere.title': 'Sign out everywhere?',
  'everywhere.which': `{count, plural,
    one {Keybridge signs out of {names}.}
    other {Keybridge ends # sign-ins: {names}.}}`,
  'everywhere.revoke': 'Keybridge asks each server to end the sign-in by revoking its tokens.',
  'everywhere.forget': 'Keybridge deletes the sign-ins from {store}.',
  'everywhere.apps': '{apps} cannot use these servers until you sign in again.',
  'everywhere.keep': 'Your servers and their settings stay, including the keys and secrets that you entered.',
  'everywhere.confirm': 'Sign out everywhere',
  'everywhere.done': 'Signed out everywhere',
  'everywhere.doneInPart': 'Signed out, but not confirmed everywhere',
  'everywhere.none': 'You were not signed in anywhere.',
  'everywhere.failedAltogether': 'Could not sign out everywhere',

  /** One line for each result; the servers are named at its end. */
  'everywhere.kept': 'Not deleted from the keychain. Sign out of these again: {names}.',
  'everywhere.failed':
    'Deleted here, but not confirmed by the server, which may accept the sign-in until it expires: {names}.',
  'everywhere.confirmed': 'Confirmed by the server: {names}.',
  'everywhere.not_offered':
    'Deleted here. The server offers no revocation, so the sign-in ends there when it expires: {names}.',
  'everywhere.key_stays': 'The key is no longer sent. The server accepts it until it is revoked there: {names}.',
  'everywhere.company': 'Your company did not confirm that its sign-in has ended: {names}.',
  'everywhere.registration': 'Keybridge’s registration could not be deleted: {names}.',

  /** Where refresh tokens are kept, and what is wrong with that store. */
  'store.memory': 'Sign-ins are kept in memory only and end when Keybridge quits.',
  'store.keychain': 'Refresh tokens are kept in {store}.',
  'store.locked.title': 'Your keychain is locked',
  'store.locked.text': 'Your sign-ins are kept. Keybridge continues when you unlock it.',
  'store.denied.title': 'Keybridge has no access to your keychain',
  'store.denied.text': 'Your sign-ins are kept. Allow access when your system asks, then try again.',
  'store.unavailable.title': 'No keychain is running',
  'store.unavailable.text':
    'Your sign-ins are kept. Start your system’s keychain (on Linux, GNOME Keyring or KWallet), then try again.',
} as const;
