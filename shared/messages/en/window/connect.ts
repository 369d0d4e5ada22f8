/** Connecting an app. */
export const connectMessages = {
  'connect.title': 'Connect an app',
  'connect.lead':
    'Add one entry to each app, once. The app then uses {name} with your sign-in, which stays in Keybridge.',
  'connect.oneAccount': 'The entry names the account {name}. An entry without an account uses the default account.',
  'connect.defaultAccount':
    'The entry names no account, so the app uses the default account, even if you change it later.',
  'connect.choose': 'App',
  'connect.loadFailed': 'Could not create the entries',
  'connect.file': 'Add this to',
  'connect.run': 'Run this once in a terminal',
  'connect.copyText': 'Copy entry',
  'connect.copyCommand': 'Copy command',
  'connect.copyPlace': 'Copy the path of the file',
  'connect.afterFile': 'If the file already has entries, add this one beside them. Then quit and reopen the app.',
  'connect.afterCommand': 'Then start a new session in the app.',
  'connect.none': 'There is no entry for this server.',
} as const;
