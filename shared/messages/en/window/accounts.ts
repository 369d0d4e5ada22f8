/** The accounts of a server. */
export const accountsMessages = {
  'accounts.title': 'Accounts',
  'accounts.text': `
    Each account has its own sign-in, separate from the others. Apps whose entry names no account use the
    default account.`,
  'accounts.one':
    'Add a second account, for example one for work and one for home. Each app uses the account that its entry names.',
  'accounts.isDefault': 'default',
  'accounts.add': 'Add account',
  'accounts.rename': 'Rename…',
  'accounts.makeDefault': 'Make default…',
  'accounts.remove': 'Remove account…',
  'accounts.name': 'Name',
  'accounts.nameHint': 'Used in apps’ entries and on the command line.',
  'accounts.nameWrong': 'Use lowercase letters, digits and . _ @ + -, starting with a letter or digit.',
  'accounts.addTitle': 'Add an account to {server}',
  'accounts.addText': `
    Your browser may still be signed in there as another person. Sign out of that site first, or use a private
    window.`,
  'accounts.addNameHint': 'Leave empty to use the name of whoever signs in.',
  'accounts.privateWindow': 'Do not open my browser. I will open the sign-in link in a private window.',
  'accounts.addAndSignIn': 'Add and sign in',
  'accounts.otherPerson':
    'Signing in as another person? Sign out of that site first, or open the link in a private window.',
  'accounts.addFailed': 'Could not add the account',
  'accounts.renameTitle': 'Rename {name}',
  'accounts.renameText': 'Change the name in the entries of apps that use this account.',
  'accounts.renameFailed': 'Could not rename the account',
  'accounts.save': 'Rename',
  'accounts.defaultTitle': 'Make {name} the default account?',
  'accounts.defaultApps': 'Apps whose entry names no account switch to it immediately.',
  'accounts.defaultOthers': 'The other accounts stay signed in.',
  'accounts.defaultConfirm': 'Make default',
  'accounts.defaultFailed': 'Could not change the default account',
  'accounts.removeTitle': 'Remove {name}?',
  'accounts.removeOthers': 'The other accounts of this server do not change.',
  'accounts.removeHosts': 'Apps whose entry names this account get an error. Change or delete that entry.',
  'accounts.removeConfirm': 'Remove account',
  'accounts.ownClient': 'Only for this account',
  'accounts.ownClientHint': 'This account uses the client ID and secret above. The other accounts keep theirs.',
} as const;
