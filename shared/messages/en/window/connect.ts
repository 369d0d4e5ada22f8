/** Connecting an app. */
export const connectMessages = {
  'connect.title': 'Connect an app',
  'connect.lead':
    'Each app needs one entry, once. Then it uses {name} with your sign-in, which never leaves Keybridge.',
  'connect.oneAccount': 'The entry names the account {name}. Without that, an app uses the default account.',
  'connect.defaultAccount': 'The entry names no account: the app uses the default one, whichever that is.',
  'connect.choose': 'App',
  'connect.loadFailed': 'The entries could not be made',
  'connect.file': 'Put this into',
  'connect.run': 'Run this once, in a terminal',
  'connect.copyText': 'Copy entry',
  'connect.copyCommand': 'Copy command',
  'connect.copyPlace': 'Copy the file’s path',
  'connect.afterFile':
    'If the file has entries already, add this one beside them. Then quit the app and open it again.',
  'connect.afterCommand': 'Then start a new session in the app.',
  'connect.none': 'There is no entry for this server.',
} as const;
