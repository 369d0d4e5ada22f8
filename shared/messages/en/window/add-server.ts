/** Adding a server: the address, what was found there, and what is missing. */
export const addServerMessages = {
  'add.title': 'Add a server',
  'add.lead': 'Paste the address of its MCP endpoint. Nothing is saved until you add it.',
  'add.url': 'Server address',
  'add.urlExample': 'https://mcp.example.com/mcp',
  'add.check': 'Check',
  'add.checking': 'Checking…',
  'add.checkFailed': 'Could not use this address',
  'add.wantsSignIn': 'This server requires a sign-in',
  'add.open': 'This server answers without a sign-in',
  'add.signInAt': 'You sign in at',
  'add.alsoSeenBy': 'The sign-in also passes through',
  'add.alsoSeenHint': 'These hosts do not belong to the server’s owner. Continue only if you expect them.',
  'add.asksFor': 'Requested access',
  'add.asksForNothing': 'No specific scopes',
  'add.name': 'Name',
  'add.nameHint': 'Choose any name. Your apps’ settings use a short name made from it.',
  'add.clientTitle': 'This server needs a client ID',
  'add.clientText': 'It does not let apps register automatically. Register Keybridge there once, by hand.',
  'add.clientId': 'Client ID',
  'add.clientSecret': 'Client secret',
  'add.optional': 'optional',
  'add.secretHint': 'Stored in the keychain and never shown again.',
  'add.safetyTitle': 'This server does not advertise PKCE',
  'add.safetyText': `
    PKCE protects a sign-in on its way back to Keybridge. Without it, another program on this computer could intercept
    the sign-in.`,
  'add.safetyAllow': 'Sign in without PKCE. I trust the operator of this server.',
  'add.choices': 'Requested access',
  'add.addAndSignIn': 'Add and sign in',
  'add.add': 'Add',
  'add.adding': 'Adding…',
  'add.addFailed': 'Could not add the server',
  'add.doNotAdd': 'Do not add this server. If you expected it to work, contact its operator.',

  'clientSteps.register': `
    Register an app for Keybridge (type “native” or “desktop”) with the provider, or ask its operator to do so.`,
  'clientSteps.registerAt':
    'Register an app for Keybridge (type “native” or “desktop”) at {host}, or ask its operator to do so.',
  'clientSteps.openPage': 'Open {provider}’s page',
  'clientSteps.notOpened': 'Could not open the page',
  'clientSteps.redirect': 'Enter this as the redirect URI (callback URL)',
  'clientSteps.redirectHint': 'Enter it exactly as shown. The provider compares it character by character.',
  'clientSteps.paste': 'Paste the client ID that you get there',

  'need.certificates.title': 'Does your company issue its own certificates?',
  'need.certificates.text': `
    If so, enter the path of the file with its CA certificates. If the server requires a client certificate, enter its
    path too.`,
  'need.way.title': 'The server does not say how to sign in',
  'need.way.text': 'It may require an API key, or use an older version of MCP. Contact its operator.',
  'need.issuers.title': 'The authorization server identifies itself differently',
  'need.issuers.text': `
    Someone may have replaced the real sign-in with their own. Accept the pair only if the operator told you
    that both are theirs.`,
  'need.broken.title': 'The operator has to fix this server',
  'need.broken.text': `
    The sign-in metadata that the server publishes is invalid. You can add the server now and sign in once it is
    fixed.`,
  'need.reach.title': 'The server could not be reached',
  'need.reach.text': `
    It may be down, or only reachable through a proxy. Keybridge reads HTTPS_PROXY and NO_PROXY when it starts, and
    ignores ALL_PROXY. You can add the server now and sign in later.`,
  'need.address.title': 'Did you mean this address?',
  'need.address.text': 'An MCP server answers there, on the same host.',
  'need.useAddress': 'Use this address',
  'need.wayLabel': 'What did the operator give you?',
  'need.ways.later': 'Nothing yet',
  'need.ways.key': 'An API key',
  'need.ways.old': 'Nothing: the server uses MCP 2025-03-26',
  'need.wayHints.later': 'Add the server now. Enter what its operator gives you in its settings later.',
  'need.wayHints.key': 'Keybridge sends the key only to this server’s address and stores it in the keychain.',
  'need.wayHints.old': 'Keybridge then signs in at /authorize, /token and /register on the server’s own host.',
  'need.passwordHint': 'Used after the server is added. Stored in the keychain and never shown again.',
  'need.nameHint': 'Choose any name. Leave empty to use the host name.',
  'need.checkAgain': 'Check again',
  'need.addAnyway': 'Add anyway',
  'need.addForLater': 'Add for later',
  'need.addWithCertificate': 'Add with this certificate',
  'need.addWithKey': 'Add with this key',
} as const;
