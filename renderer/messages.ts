import type { HostSnippet, ServerDetail, SignInState, SignOutReport, StoreStatus } from '../shared/model.ts';
import type { ErrorInfo } from '../shared/reply.ts';
import type { Notice } from './shell.ts';

/** Every word of the window, but for the states' own (shared/wording.ts). No terms of the trade in the main path. */
export const messages = {
  app: 'Keybridge',
  skip: 'Skip to the content',
  back: 'Servers',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Could not copy. Select the text and copy it yourself.',
  development: 'Development build',
  developmentHint: 'This window runs on a stand-in for the Electron that ships.',
  loading: 'Reading your servers',

  servers: {
    title: 'Servers',
    add: 'Add server',
    needYou: 'Waiting for you',
    others: 'Other servers',
    emptyTitle: 'Sign in once, for every app',
    emptyText: 'Add the address of a server. Keybridge signs you in, keeps the sign-in fresh, and lets your apps use it.',
    emptyAction: 'Add your first server',
    connect: 'Connect an app',
    noticeTitle: 'Keybridge noticed something',
    about: (action: string, name: string) => `${action}: ${name}`,
  },

  add: {
    title: 'Add a server',
    lead: 'Paste the address of its MCP endpoint. Nothing is saved until you add it.',
    url: 'Server address',
    urlExample: 'https://mcp.example.com/mcp',
    check: 'Check',
    checking: 'Checking…',
    checkFailed: 'This address did not work',
    wantsSignIn: 'This server wants a sign-in',
    open: 'This server is open to everyone',
    signInAt: 'You sign in at',
    alsoSeenBy: 'The sign-in also passes through',
    alsoSeenHint: 'These belong to others than the address above. Go on only if you expect them.',
    asksFor: 'It asks for',
    asksForNothing: 'Nothing in particular',
    name: 'Name',
    nameHint: 'For you and your apps’ settings: small letters, digits, dots and dashes.',
    clientTitle: 'This server needs a client ID',
    clientText: 'It does not let apps introduce themselves. Its operator can give you a client ID, and sometimes a secret, for Keybridge.',
    clientId: 'Client ID',
    clientSecret: 'Client secret',
    optional: 'optional',
    secretHint: 'Goes to the keychain and is never shown again.',
    safetyTitle: 'A protection is missing',
    safetyText:
      'This server does not say that it protects a sign-in against theft on its way back to Keybridge (PKCE). Another program on this computer could catch it.',
    safetyAllow: 'Allow it for this server. I trust its operator.',
    addAndSignIn: 'Add and sign in',
    add: 'Add',
    adding: 'Adding…',
    addFailed: 'The server was not added',
  },

  server: {
    gone: 'This server is no longer in the list.',
    loadFailed: 'The details could not be read',
    signIn: 'Sign in',
    signInMore: 'Sign in with more access',
    cancel: 'Cancel',
    tryNow: 'Try now',
    refreshNow: 'Refresh now',
    signOut: 'Sign out',
    remove: 'Remove',
    account: 'Account',
    accountUnknown: 'The server did not say who signed in',
    steps: { discover: 'Look up', register: 'Introduce', browser: 'Browser', exchange: 'Finish' },
    stepsLabel: 'Steps of the sign-in',
    copyLink: 'Copy the sign-in link',
    openYourself: 'Open this address in a browser yourself:',
    pasteTitle: 'The browser cannot get back to Keybridge?',
    pasteText: 'When the browser ends on a page that does not load, copy the whole address of that page and paste it here.',
    pasteLabel: 'Address of the last page',
    pasteFinish: 'Finish sign-in',
    life: 'Access token',
    lifeLeft: (left: string) => `${left} left`,
    lifeOver: 'used up; renewed on next use',
    lifeOverForGood: 'used up',
    lifeUnknown: 'no end named: used until the server refuses it',
    lifeNone: 'fetched on next use',
    apps: 'Connected apps',
    noApps: 'No app is connected right now. An app connects when it starts.',
    access: 'Access',
    granted: 'granted',
    notGranted: 'asked, not granted',
    extra: 'granted, not asked',
    wanted: 'wanted by the server',
    noAccess: 'The server did not name any.',
    identity: 'What the sign-in says',
    identityText: 'Read from the sign-in itself. The token is not shown anywhere.',
    identityNone: 'Nothing can be read from this sign-in: its tokens are sealed for the server alone.',
    accessToken: 'For the server (access token)',
    idToken: 'About you (ID token)',
    moreClaims: (count: number) => `${count} more`,
    claimColumns: { meaning: 'Meaning', value: 'Value', claim: 'Claim' },
    facts: 'Connection',
    issuer: 'Signs you in',
    resource: 'Signed in for',
    clientId: 'Known there as',
    dynamic: 'Keybridge introduced itself',
    configured: 'entered by you',
    redirect: 'Answer comes back to',
    added: 'Added',
    signedInAt: 'Signed in',
    lastRefresh: 'Last refresh',
    never: 'not yet',
    settings: 'Settings',
    settingsText: 'Changes count from the next sign-in.',
    clientIdHint: 'Only if the operator gave you one. Leave it empty to let Keybridge introduce itself.',
    newSecretHint: 'Never shown. What you type here replaces the one in the keychain.',
    save: 'Save',
    saving: 'Saving…',
    saved: 'Settings saved',
    savedText: 'They count from the next sign-in.',
    saveFailed: 'The settings were not saved',
    pkce: 'Sign in although a protection is missing (PKCE)',
    pkceHint: 'Another program on this computer could catch the sign-in. Only for an operator that you trust.',
    leave: 'Leave this server',
  },

  failed: {
    signIn: (name: string) => `The sign-in to ${name} did not work`,
    cancel: (name: string) => `The sign-in to ${name} could not be cancelled`,
    finish: 'This address did not end the sign-in',
    refresh: (name: string) => `The refresh of ${name} did not work`,
    signOut: (name: string) => `Signing out of ${name} did not work`,
    remove: (name: string) => `${name} was not removed`,
    unlock: 'The keychain could not be unlocked',
  },

  signOut: {
    title: (name: string) => `Sign out of ${name}?`,
    revoke: (issuer: string) => `${issuer} is asked to end the sign-in (to revoke its tokens).`,
    itself: 'The server',
    forget: (store: string) => `The sign-in is deleted from ${store}.`,
    apps: (hosts: readonly string[]) => `${namesOf(hosts)} cannot use the server until you sign in again.`,
    keep: 'The server stays in your list.',
    confirm: 'Sign out',
  },

  remove: {
    title: (name: string) => `Remove ${name}?`,
    apps: (hosts: readonly string[]) => `${namesOf(hosts)} cannot use the server any more.`,
    gone: 'The server and its settings disappear from Keybridge.',
    hosts: 'Apps keep their own entry for it, which then gives an error. Delete it there.',
    confirm: 'Remove',
  },

  connect: {
    title: 'Connect an app',
    lead: (name: string) => `Each app needs one entry, once. Then it uses ${name} with your sign-in, which never leaves Keybridge.`,
    choose: 'App',
    loadFailed: 'The entries could not be made',
    file: 'Put this into',
    run: 'Run this once, in a terminal',
    copyText: 'Copy entry',
    copyCommand: 'Copy command',
    copyPlace: 'Copy the file’s path',
    afterFile: 'If the file has entries already, add this one beside them. Then quit the app and open it again.',
    afterCommand: 'Then start a new session in the app.',
    none: 'There is no entry for this server.',
  },

  trouble: { code: 'Code', unlock: 'Unlock', tryAgain: 'Try again', unlocking: 'Waiting for the keychain…', stillBlocked: 'The keychain is still not usable' },
} as const;

/** Each app once, though it may run twice. */
export const namesOf = (hosts: readonly string[]): string => [...new Set(hosts)].join(', ');

/** Where refresh tokens are kept, in one line. */
export function storeLine(store: StoreStatus): string {
  return store.name === 'memory'
    ? 'Sign-ins are kept in memory only: they end when Keybridge quits.'
    : `Refresh tokens are kept in ${store.label}.`;
}

/** What is wrong with the store of secrets, and what to do; undefined while it is ready. */
export function storeTrouble(store: StoreStatus): { readonly title: string; readonly text: string } | undefined {
  switch (store.state) {
    case 'ready':
      return undefined;
    case 'locked':
      return { title: 'Your keychain is locked', text: 'Nothing is lost. Unlock it, and Keybridge goes on by itself.' };
    case 'denied':
      return { title: 'Keybridge may not use your keychain', text: 'Nothing is lost. Allow it when your system asks, then try again.' };
    case 'unavailable':
      return {
        title: 'No keychain is running',
        text: 'Nothing is lost. Start your system’s keychain (on Linux: GNOME Keyring or KWallet), then try again.',
      };
  }
}

/** What a state means, in a sentence or two; the errors' own words where there is an error. */
export function stateSentence(state: SignInState): string {
  switch (state.kind) {
    case 'open':
      return 'The server has not asked for a sign-in. Apps can use it as it is.';
    case 'signed_out':
      return 'Apps can connect, and their calls get an answer that says to sign in here.';
    case 'signing_in':
      return signingInSentence(state);
    case 'signed_in':
      return state.renewable
        ? 'Apps can use this server. The sign-in renews itself.'
        : 'Apps can use this server. The sign-in cannot renew itself: when it ends, sign in again.';
    case 'retrying':
      return 'The sign-in is kept. Keybridge tries again by itself.';
    case 'needs_sign_in':
      return 'Only you can go on. Apps get an answer that says to sign in here.';
    case 'needs_access':
      return 'A call wanted more than you have granted so far. Everything else goes on.';
    case 'store_blocked':
      return 'The sign-in is safe, but Keybridge cannot read it now.';
  }
}

/** What to do about a state's error; absent where the window's own button says it. */
export function remedyHere(error: ErrorInfo): string | undefined {
  return saidByButton.has(error.code) ? undefined : error.remedy;
}

const saidByButton: ReadonlySet<string> = new Set(['E_SIGN_IN_NEEDED', 'E_SIGN_IN_AGAIN', 'E_SCOPE_NEEDED']);

function signingInSentence(state: Extract<SignInState, { kind: 'signing_in' }>): string {
  if (state.step !== 'browser') return 'This takes a moment.';
  return state.browserFailed ? 'No browser could be opened.' : 'Finish in your browser. This window notices by itself.';
}

/** What signing out will do, one line each. */
export function signOutConsequences(detail: ServerDetail, store: StoreStatus): string[] {
  const { signOut } = messages;
  const { hosts } = detail.status;
  return [...endingWords(detail, store), ...(hosts.length > 0 ? [signOut.apps(hosts)] : []), signOut.keep];
}

export function removeConsequences(detail: ServerDetail, store: StoreStatus): string[] {
  const { remove } = messages;
  const { hosts } = detail.status;
  return [...(detail.signedInAt === undefined ? [] : endingWords(detail, store)), remove.gone, ...(hosts.length > 0 ? [remove.apps(hosts)] : []), remove.hosts];
}

const endingWords = (detail: ServerDetail, store: StoreStatus): string[] => [
  messages.signOut.revoke(detail.issuer ?? messages.signOut.itself),
  messages.signOut.forget(store.name === 'memory' ? 'memory' : store.label),
];

/** What signing out did. */
export function signedOutNotice(name: string, report: SignOutReport): Notice {
  return leftNotice(`Signed out of ${name}`, report);
}

export function removedNotice(name: string, report: SignOutReport): Notice {
  return leftNotice(`${name} is removed`, report);
}

function leftNotice(title: string, report: SignOutReport): Notice {
  const words = [revokedWords(report.revoked), report.deleted ? '' : 'It could not be deleted from the keychain: try again.', report.detail ?? ''];
  const text = words.filter((one) => one !== '').join(' ');
  return { kind: report.revoked === 'failed' || !report.deleted ? 'warning' : 'done', title, text };
}

function revokedWords(revoked: SignOutReport['revoked']): string {
  switch (revoked) {
    case 'confirmed':
      return 'The server confirmed that the sign-in is ended.';
    case 'not_offered':
      return 'Deleted here. The server has no way to end a sign-in early, so it runs out there by itself.';
    case 'failed':
      return 'Deleted here, but the server did not confirm: it may accept the old sign-in until it runs out.';
    case 'nothing_to_revoke':
      return 'There was no sign-in to end.';
  }
}

/** What is to be done with a snippet, before and after. */
export function snippetWords(snippet: HostSnippet): { readonly place: string; readonly copy: string; readonly after: string } {
  const { connect } = messages;
  return snippet.language === 'shell'
    ? { place: connect.run, copy: connect.copyCommand, after: connect.afterCommand }
    : { place: connect.file, copy: connect.copyText, after: connect.afterFile };
}
