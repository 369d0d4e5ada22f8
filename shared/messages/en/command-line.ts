/**
 * What the command line prints besides states, sign-outs and errors. `{entry}` is a server's name, with its account in
 * parentheses where it has several; in a command it is what stands behind the command's name. The pages of `--help`
 * lie with their commands.
 */
export const commandLineMessages = {
  'cli.entry': '{server} ({account})',
  'cli.state': '{entry}: {state}.',
  'cli.itself': 'the authorization server',

  'cli.added': 'Added {server}: {url}',
  'cli.addedTitled': 'Added {server} ({title}): {url}',
  'cli.accepted': 'Accepted {server} as it is in servers.json: {url}',
  'cli.changed.now': 'Changed {server}. The change applies now.',
  'cli.changed.later': 'Changed {server}. The change applies from the next sign-in.',
  'cli.removed': 'Removed {entry}.',
  'cli.keyMade': `
    Keybridge keeps the private key. Register the public key above (key ID {kid}) for the client ID of {entry}.`,
  'cli.dismissed': `
    The calls to {entry} that were waiting for more access have been refused. Keybridge does not ask for the same
    access again for ten minutes.`,

  'cli.client.needed': 'This server needs a client ID:',
  'cli.client.register': 'Register Keybridge at {where}.',
  'cli.client.askOperator': 'If you cannot, contact its operator.',
  'cli.client.redirect': 'Enter this redirect URI there: {uri}',
  'cli.client.configure': `
    keybridge configure {server} --client-id ID (add --client-secret-file FILE if there is a client secret)`,
  'cli.client.login': 'keybridge login {server}',

  'cli.next.noSignIn': 'No sign-in needed.',
  'cli.next.check': 'The server has not answered yet. Check it again: keybridge check {entry}',
  'cli.next.signIn': 'Sign in: keybridge login {entry}',
  'cli.next.connect': 'Connect an app: keybridge snippet {entry}',

  'cli.login.done': 'Signed in to {entry}.',
  'cli.login.doneAs': 'Signed in to {entry} as {identity}.',
  'cli.login.open': 'Open this address in a browser:',
  'cli.login.paste': `
    If the browser ends on a page that does not load, paste that page’s address here and press Enter.`,
  'cli.login.openAnywhere': 'Open this address on any device:',
  'cli.login.code': 'Then enter the code {code}',
  'cli.login.otherHosts': 'The sign-in also passes through {hosts}. Continue only if you expect that.',
  'cli.login.hosts': 'This sign-in uses hosts with different owners:',
  'cli.login.hostsWarning': 'Continue only if you know that all these hosts belong together.',
  'cli.login.hostsQuestion': 'Do these hosts belong together? [y/N]',
  'cli.login.pageError': 'If the page shows an error, Keybridge will not get a response. Press Ctrl-C.',
  'cli.login.again': 'Then sign in again. Keybridge registers again if necessary.',
  'cli.login.redirect': 'The redirect URI registered with the provider must be exactly this:',
  'cli.login.clientId': `
    The client ID must be the one that the provider gave you. To change it: keybridge configure {server} --client-id
    ID`,
  'cli.paste.more': 'The address is incomplete. Paste the rest, or the whole address again.',
  'cli.paste.perhaps': 'If that is the whole address, press Enter again. If not, paste the rest.',

  'cli.identity.unknown': 'Keybridge does not know who is signed in.',
  'cli.identity.verified': 'Signed in as {name}, verified by {issuer}.',
  'cli.identity.verifiedSubject': 'Signed in as {name} ({subject}), verified by {issuer}.',
  'cli.identity.userInfo': `
    Signed in as {name}. Not verified: the name comes from the authorization server’s userinfo endpoint.`,
  'cli.identity.notVerified': 'Signed in as {name}. This identity is not verified.',
  'cli.identity.notGranted': 'Requested, not granted: {scopes}',
  'cli.identity.introspection': 'Access token as seen by the authorization server: {claims}',
  'cli.identity.active': 'active',
  'cli.identity.notActive': 'not active',
  'cli.identity.note': 'Note: {note}',

  'cli.status.none': 'No servers yet. Add one: keybridge add https://…',
  'cli.status.noneInUse': 'No servers in use.',
  'cli.status.name': 'NAME',
  'cli.status.state': 'STATE',
  'cli.status.signedInAs': 'SIGNED IN AS',
  'cli.status.apps': 'APPS',
  'cli.status.address': 'ADDRESS',
  'cli.status.open': '{entry}: open {url}',
  'cli.status.wants': '{entry}: {app} wants to use {operation}.',
  'cli.status.error': '{message} {remedy} ({code})',
  'cli.status.entryError': '{entry}: {message} {remedy} ({code})',
  'cli.status.about': 'Keybridge {version} ({front}). {store}',
  'cli.store.ready': 'Secret store: {label}',
  'cli.store.locked': 'Secret store: {label} (locked)',
  'cli.store.denied': 'Secret store: {label} (access denied)',
  'cli.store.unavailable': 'Secret store: {label} (not available)',
} as const;
