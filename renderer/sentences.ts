import type { Output } from '../shared/api.ts';
import type {
  HostSnippet,
  ServerDetail,
  ServerStatus,
  SignInState,
  SignOutReport,
  Status,
  StoreStatus,
} from '../shared/model.ts';
import type { ErrorInfo } from '../shared/reply.ts';
import { isTokenWithheld, nameWithAccount, doNotSignInCodes } from '../shared/server-state.ts';
import { needOf } from './add-server/need.ts';
import { errorPage } from './error-pages.ts';
import type { Notice } from './shell.ts';
import { namesOf, t } from './text.ts';

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
      return {
        title: 'Keybridge may not use your keychain',
        text: 'Nothing is lost. Allow it when your system asks, then try again.',
      };
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
      return 'The server answers without a sign-in. Apps can use it as it is.';
    case 'not_checked':
      return 'The server has not answered yet, so Keybridge does not know whether it wants a sign-in.';
    case 'not_signed_in':
      return 'The server wants a sign-in. Until you sign in, calls from apps get an answer that says to sign in here.';
    case 'signed_out':
      return 'Apps can connect, and their calls get an answer that says to sign in here.';
    case 'signing_in':
      return signingInSentence(state);
    case 'signed_in':
      if (state.endsAt !== undefined)
        return 'Apps can use this server. Its authorization server ends the sign-in soon: sign in again before that.';
      return state.renewable
        ? 'Apps can use this server. The sign-in renews itself.'
        : 'Apps can use this server. The sign-in cannot renew itself: when it ends, sign in again.';
    case 'retrying':
      return 'The sign-in is kept. Keybridge tries again by itself.';
    case 'needs_sign_in':
      if (isTokenWithheld(state))
        return 'You are signed in, but the access token is for another website. Keybridge sends it nowhere until you decide.';
      return 'Only you can go on. Apps get an answer that says to sign in here.';
    case 'needs_access':
      return 'A call wanted more than you have granted so far. Everything else goes on.';
    case 'store_blocked':
      return 'The sign-in is safe, but Keybridge cannot read it now.';
  }
}

/** Where an error is shown: while a server is added, or anywhere else. */
export type ErrorPlace = 'add';

/** What to do about an error; absent where the window's own button, or the panel below, says it. */
export function remedyHere(error: ErrorInfo, place?: ErrorPlace): string | undefined {
  if (saidByButton.has(error.code)) return undefined;
  if (place !== 'add') return error.remedy;
  if (needOf(error) !== undefined) return undefined;
  return doNotSignInCodes.has(error.code) ? t('add.doNotAdd') : error.remedy;
}

/** What happened, in plain words. Where only the message says which value or file it is about, the message itself. */
export function plainWords({ code, message }: ErrorInfo): string {
  return plainMessages.has(code) ? message : errorPage(code).plain || message;
}

/** Codes whose message is written for a person, and names what the page of the code cannot know. */
const plainMessages: ReadonlySet<string> = new Set([
  'E_BAD_INPUT',
  'E_SERVER_URL',
  'E_INSECURE_URL',
  'E_SERVER_EXISTS',
  'E_SERVER_UNKNOWN',
  'E_ACCOUNT_EXISTS',
  'E_ACCOUNT_UNKNOWN',
  'E_ACCOUNT_OTHER',
  'E_CONFIG_DAMAGED',
  'E_CONFIG_NEWER',
  'E_CONFIG_UNSAFE',
  'E_CONFIG_WRITE',
  'E_PORT_IN_USE',
  'E_PATH_TOO_LONG',
  'E_SOCKET_UNSAFE',
  'E_DNS',
  'E_CONNECT',
  'E_HTTP_STATUS',
  'E_NOT_JSON',
  'E_RATE_LIMITED',
  'E_RESOURCE_MISMATCH',
  'E_METADATA_MISSING',
  'E_AUTHORIZATION_ERROR',
  'E_REGISTRATION_REFUSED',
  'E_SERVER_REFUSED',
  'E_TOKEN_REFUSED',
  'E_TOKEN_AUDIENCE',
  'E_NO_SIGN_IN',
  'E_REDIRECT_URL',
  'E_UNEXPECTED',
]);

/** An error as text, for an operator or a report. `now`: Unix ms. */
export function errorReport({ code, message, remedy }: ErrorInfo, about: string | undefined, now: number): string {
  return [
    `Keybridge, ${new Date(now).toISOString()}`,
    ...(about === undefined ? [] : [about]),
    `${code}: ${message}`,
    remedy,
  ].join('\n');
}

const saidByButton: ReadonlySet<string> = new Set(['E_SIGN_IN_NEEDED', 'E_SIGN_IN_AGAIN', 'E_SCOPE_NEEDED']);

function signingInSentence(state: Extract<SignInState, { kind: 'signing_in' }>): string {
  if (state.step === 'confirm') return 'Keybridge needs your answer before it goes on.';
  if (state.step !== 'browser') return 'This takes a moment.';
  if (state.userCode !== undefined) return 'Sign in with the code, on whatever device is at hand.';
  return state.browserFailed ? 'No browser could be opened.' : 'Finish in your browser. This window notices by itself.';
}

/** What signing out will do, one line each. */
export function signOutConsequences(detail: ServerDetail, store: StoreStatus): string[] {
  const { hosts } = detail.status;
  const entered = detail.storedSecrets.length > 0 ? [t('signOut.entered', { store: storeName(store) })] : [];
  return [
    ...endingWords(detail, store),
    ...(hosts.length > 0 ? [t('signOut.apps', { apps: namesOf(hosts) })] : []),
    ...entered,
    t('signOut.keep'),
  ];
}

/** What removing one account of several will do. */
export function removeAccountConsequences(detail: ServerDetail, store: StoreStatus): string[] {
  const { hosts } = detail.status;
  const ending = detail.signedInAt === undefined ? [] : endingWords(detail, store);
  return [
    ...ending,
    ...(hosts.length > 0 ? [t('signOut.apps', { apps: namesOf(hosts) })] : []),
    t('accounts.removeOthers'),
    t('accounts.removeHosts'),
  ];
}

export function removeConsequences(detail: ServerDetail, store: StoreStatus): string[] {
  const { hosts } = detail.status;
  const accounts = detail.accounts.map(({ name }) => name);
  return [
    ...(accounts.length > 1 ? [t('remove.accounts', { names: accounts.join(', ') })] : []),
    ...(detail.signedInAt === undefined ? [] : endingWords(detail, store)),
    t('remove.gone'),
    ...(hosts.length > 0 ? [t('remove.apps', { apps: namesOf(hosts) })] : []),
    t('remove.hosts'),
  ];
}

const endingWords = (detail: ServerDetail, store: StoreStatus): string[] => [
  t('signOut.revoke', { issuer: detail.issuer ?? t('signOut.itself') }),
  t('signOut.forget', { store: storeName(store) }),
];

const storeName = (store: StoreStatus): string => (store.name === 'memory' ? 'memory' : store.label);

/** Whether there may be a sign-in to end. */
export function signedInSomewhere({ state }: ServerStatus): boolean {
  return (
    isTokenWithheld(state) ||
    state.kind === 'signed_in' ||
    state.kind === 'retrying' ||
    state.kind === 'needs_access' ||
    state.kind === 'store_blocked'
  );
}

/** What signing out everywhere will do, one line each. */
export function everywhereConsequences({ servers, store }: Status): string[] {
  const there = servers.filter(signedInSomewhere);
  const hosts = there.flatMap((server) => server.hosts);
  return [
    t('everywhere.which', { count: there.map(nameWithAccount).length, names: there.map(nameWithAccount).join(', ') }),
    t('everywhere.revoke'),
    t('everywhere.forget', { store: storeName(store) }),
    ...(hosts.length > 0 ? [t('everywhere.apps', { apps: namesOf(hosts) })] : []),
    t('everywhere.keep'),
  ];
}

/** What signing out everywhere did: which servers confirmed it, and where a rest is. */
export function signedOutEverywhereNotice(reports: Output<'signOutEverywhere'>): Notice {
  const named = (fits: (report: SignOutReport) => boolean): string[] =>
    reports
      .filter(({ report }) => fits(report))
      .map(({ server, account }) => (account === undefined ? server : `${server} (${account})`));
  const line = (words: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [t('everywhere.line', { words, names: names.join(', ') })];
  const kept = named(({ deleted }) => !deleted);
  const failed = named(({ revoked, deleted }) => deleted && revoked === 'failed');
  const lines = [
    ...line(t('everywhere.kept'), kept),
    ...line(t('everywhere.failed'), failed),
    ...line(
      t('everywhere.confirmed'),
      named(({ revoked, deleted }) => deleted && revoked === 'confirmed'),
    ),
    ...line(
      t('everywhere.notOffered'),
      named(({ revoked, deleted }) => deleted && revoked === 'not_offered'),
    ),
    ...line(
      t('everywhere.keyStays'),
      named(({ revoked, deleted }) => deleted && revoked === 'key_stays'),
    ),
    ...line(
      t('everywhere.company'),
      named(({ company }) => company === 'failed'),
    ),
    ...line(
      t('everywhere.registration'),
      named(({ registration }) => registration === 'failed'),
    ),
  ];
  const rest = kept.length + failed.length > 0;
  return {
    kind: rest ? 'warning' : 'done',
    title: rest ? t('everywhere.doneInPart') : t('everywhere.done'),
    ...(lines.length > 0 ? { lines } : { text: t('everywhere.none') }),
  };
}

/** What signing out did. */
export function signedOutNotice(name: string, report: SignOutReport): Notice {
  return leftNotice(`Signed out of ${name}`, report);
}

export function removedNotice(name: string, report: SignOutReport): Notice {
  return leftNotice(`${name} is removed`, report);
}

function leftNotice(title: string, report: SignOutReport): Notice {
  const words = [
    revokedWords(report.revoked),
    report.deleted ? '' : 'It could not be deleted from the keychain: try again.',
    registrationWords(report.registration),
    companyWords(report.company),
    report.detail ?? '',
  ];
  const text = words.filter((one) => one !== '').join(' ');
  return {
    kind: report.revoked === 'failed' || report.company === 'failed' || !report.deleted ? 'warning' : 'done',
    title,
    text,
  };
}

/** The last server that used the company's sign-in took it along. */
function companyWords(company: SignOutReport['company']): string {
  switch (company) {
    case 'confirmed':
      return 'Your company’s sign-in has ended too.';
    case 'not_offered':
      return 'Your company’s sign-in is deleted here too; it runs out there by itself.';
    case 'failed':
      return 'Your company’s sign-in is deleted here, but your company did not confirm that it has ended.';
    case undefined:
      return '';
  }
}

function registrationWords(registration: SignOutReport['registration']): string {
  switch (registration) {
    case 'deleted':
      return 'The registration of Keybridge there is deleted too.';
    case 'not_offered':
      return 'The registration of Keybridge there stays: it offers no way to delete it.';
    case 'failed':
      return 'The registration of Keybridge there could not be deleted.';
    case undefined:
      return '';
  }
}

function revokedWords(revoked: SignOutReport['revoked']): string {
  switch (revoked) {
    case 'confirmed':
      return 'The server confirmed that the sign-in is ended.';
    case 'not_offered':
      return 'Deleted here. The server has no way to end a sign-in early, so it runs out there by itself.';
    case 'failed':
      return 'Deleted here, but the server did not confirm: it may accept the old sign-in until it runs out.';
    case 'key_stays':
      return 'The key is not sent any more. The server accepts it until it is revoked there.';
    case 'nothing_to_revoke':
      return 'There was no sign-in to end.';
  }
}

/** What is to be done with a snippet, before and after. */
export function snippetWords(snippet: HostSnippet): {
  readonly place: string;
  readonly copy: string;
  readonly after: string;
} {
  return snippet.language === 'shell'
    ? { place: t('connect.run'), copy: t('connect.copyCommand'), after: t('connect.afterCommand') }
    : { place: t('connect.file'), copy: t('connect.copyText'), after: t('connect.afterFile') };
}
