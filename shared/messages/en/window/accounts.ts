/** The accounts of a server. */
export const accountsMessages = {
  'accounts.title': 'Accounts',
  'accounts.text': `
    Each signs in by itself, and nothing of one reaches another. Apps whose entry names no account use the
    default one.`,
  'accounts.one': 'Sign in as somebody else beside it, for example at work and at home. Each app chooses by its entry.',
  'accounts.isDefault': 'default',
  'accounts.add': 'Add account',
  'accounts.rename': 'Rename…',
  'accounts.makeDefault': 'Make default…',
  'accounts.remove': 'Remove account…',
  'accounts.name': 'Name',
  'accounts.nameHint': 'What apps’ entries and the command line call it.',
  'accounts.nameWrong': 'Use small letters, digits and . _ @ + -, beginning with a letter or digit.',
  'accounts.addTitle': 'Add an account on {server}',
  'accounts.addText': `
    Your browser may still be signed in there as the first person. Then sign out on that site first, or take the
    sign-in into a private window.`,
  'accounts.addNameHint': 'Leave it empty to name the account after who signs in.',
  'accounts.privateWindow': 'Do not open my browser. I take the sign-in’s link into a private window.',
  'accounts.addAndSignIn': 'Add and sign in',
  'accounts.otherPerson':
    'Signing in as another person? Sign out of that site first, or open the link in a private window.',
  'accounts.addFailed': 'The account was not added',
  'accounts.renameTitle': 'Rename {name}',
  'accounts.renameText': 'Apps whose entry names this account need the new name there.',
  'accounts.renameFailed': 'The account was not renamed',
  'accounts.save': 'Rename',
  'accounts.defaultTitle': 'Make {name} the default?',
  'accounts.defaultApps': 'Apps whose entry names no account change over to it at once.',
  'accounts.defaultOthers': 'The other accounts stay signed in.',
  'accounts.defaultConfirm': 'Make default',
  'accounts.defaultFailed': 'The default account was not changed',
  'accounts.removeTitle': 'Remove {name}?',
  'accounts.removeOthers': 'The other accounts of this server stay as they are.',
  'accounts.removeHosts': 'Apps whose entry names this account get an error. Change or delete the entry there.',
  'accounts.removeConfirm': 'Remove account',
  'accounts.ownClient': 'Only for this account',
  'accounts.ownClientHint': 'The client ID and secret above are then this account’s own, and the others keep theirs.',
} as const;
