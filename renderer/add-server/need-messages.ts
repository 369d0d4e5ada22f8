/** The words for what a server needs before it answers. */
export const needMessages = {
  certificates: {
    title: 'Does your company issue its own certificates?',
    text: 'Then name the file with its authorities. If the server asks who you are before it answers, name your certificate too.',
  },
  way: {
    title: 'It does not say how to sign in',
    text: 'Perhaps it takes a fixed key, or is old. Its operator knows.',
  },
  issuers: {
    title: 'Two names for the same sign-in',
    text: 'Somebody may have put their sign-in in the place of the real one. Accept the pair only if the operator told you that both are theirs.',
  },
  broken: {
    title: 'Its operator has to fix this',
    text: 'What the server publishes about its sign-in cannot be used. You can add it now and sign in once it is fixed.',
  },
  reach: {
    title: 'It could not be reached now',
    text: 'It may be down, or only be reached through a proxy: Keybridge goes through the one that HTTPS_PROXY and NO_PROXY name when it starts; ALL_PROXY is not read. You can add the server now and sign in later.',
  },
  address: { title: 'Did you mean this address?', text: 'An MCP server answers there, on the same host.' },
  useAddress: 'Use this address',
  wayLabel: 'What do you have for it?',
  ways: { later: 'Nothing yet', key: 'A fixed key', old: 'Nothing: it is an old server' },
  wayHints: {
    later: 'Add the server, and enter what its operator gives you in its settings.',
    key: 'Keybridge sends the key to this server’s address alone, and keeps it in the keychain.',
    old: 'Servers of MCP 2025-03-26 sign in at /authorize, /token and /register of their own address.',
  },
  passwordHint: 'Counts from when the server is added. Goes to the keychain and is never shown again.',
  nameHint: 'Any text you like. Leave it empty to take the name from the address.',
  checkAgain: 'Check again',
  addAnyway: 'Add anyway',
  addForLater: 'Add for later',
  addWithCertificate: 'Add with this certificate',
  addWithKey: 'Add with this key',
} as const;
