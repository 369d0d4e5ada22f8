/** Adding a server: the address, what was found there, and what is missing. */
export const addServerMessages = {
  'add.title': 'Add a server',
  'add.lead': 'Paste the address of its MCP endpoint. Nothing is saved until you add it.',
  'add.url': 'Server address',
  'add.urlExample': 'https://mcp.example.com/mcp',
  'add.check': 'Check',
  'add.checking': 'Checking…',
  'add.checkFailed': 'This address did not work',
  'add.wantsSignIn': 'This server wants a sign-in',
  'add.open': 'This server is open to everyone',
  'add.signInAt': 'You sign in at',
  'add.alsoSeenBy': 'The sign-in also passes through',
  'add.alsoSeenHint': 'These belong to others than the address above. Go on only if you expect them.',
  'add.asksFor': 'It asks for',
  'add.asksForNothing': 'Nothing in particular',
  'add.name': 'Name',
  'add.nameHint': 'Any text you like. Your apps’ settings get a short name made from it.',
  'add.clientTitle': 'This server needs a client ID',
  'add.clientText': 'It does not let apps register themselves, so Keybridge has to be registered there once, by hand.',
  'add.clientId': 'Client ID',
  'add.clientSecret': 'Client secret',
  'add.optional': 'optional',
  'add.secretHint': 'Goes to the keychain and is never shown again.',
  'add.safetyTitle': 'A protection is missing',
  'add.safetyText': `
    This server does not say that it protects a sign-in against theft on its way back to Keybridge (PKCE).
    Another program on this computer could catch it.`,
  'add.safetyAllow': 'Allow it for this server. I trust its operator.',
  'add.choices': 'How much access to ask for',
  'add.addAndSignIn': 'Add and sign in',
  'add.add': 'Add',
  'add.adding': 'Adding…',
  'add.addFailed': 'The server was not added',
  'add.doNotAdd': 'Do not add this server. Ask its operator if you expected it to work.',

  'clientSteps.unknown': `
    Create an app for Keybridge (type “native” or “desktop”) on the provider’s page, or ask its operator to
    create one:`,
  'clientSteps.openPage': 'Open {provider}’s page',
  'clientSteps.notOpened': 'The page was not opened',
  'clientSteps.redirect': 'Enter this there as the redirect address (callback URL)',
  'clientSteps.redirectHint': 'Enter it exactly as shown: the sign-in comes back to this address.',
  'clientSteps.paste': 'Paste the client ID that you get there',

  'need.certificates.title': 'Does your company issue its own certificates?',
  'need.certificates.text': `
    Then name the file with its authorities. If the server asks who you are before it answers, name your
    certificate too.`,
  'need.way.title': 'It does not say how to sign in',
  'need.way.text': 'Perhaps it takes a fixed key, or is old. Its operator knows.',
  'need.issuers.title': 'Two names for the same sign-in',
  'need.issuers.text': `
    Somebody may have put their sign-in in the place of the real one. Accept the pair only if the operator told
    you that both are theirs.`,
  'need.broken.title': 'Its operator has to fix this',
  'need.broken.text':
    'What the server publishes about its sign-in cannot be used. You can add it now and sign in once it is fixed.',
  'need.reach.title': 'It could not be reached now',
  'need.reach.text': `
    It may be down, or only be reached through a proxy: Keybridge goes through the one that HTTPS_PROXY and
    NO_PROXY name when it starts; ALL_PROXY is not read. You can add the server now and sign in later.`,
  'need.address.title': 'Did you mean this address?',
  'need.address.text': 'An MCP server answers there, on the same host.',
  'need.useAddress': 'Use this address',
  'need.wayLabel': 'What do you have for it?',
  'need.ways.later': 'Nothing yet',
  'need.ways.key': 'A fixed key',
  'need.ways.old': 'Nothing: it is an old server',
  'need.wayHints.later': 'Add the server, and enter what its operator gives you in its settings.',
  'need.wayHints.key': 'Keybridge sends the key to this server’s address alone, and keeps it in the keychain.',
  'need.wayHints.old': 'Servers of MCP 2025-03-26 sign in at /authorize, /token and /register of their own address.',
  'need.passwordHint': 'Counts from when the server is added. Goes to the keychain and is never shown again.',
  'need.nameHint': 'Any text you like. Leave it empty to take the name from the address.',
  'need.checkAgain': 'Check again',
  'need.addAnyway': 'Add anyway',
  'need.addForLater': 'Add for later',
  'need.addWithCertificate': 'Add with this certificate',
  'need.addWithKey': 'Add with this key',
} as const;
