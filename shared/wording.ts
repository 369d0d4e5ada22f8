import type { ServerStatus, SignInState, Status } from './model.ts';

/**
 * The words for a server's state, the same in window, tray and command line.
 * Pure functions; times are Unix milliseconds. Only types are imported, so that the window carries no schema library.
 */
export type Tone = 'ok' | 'busy' | 'attention' | 'off' | 'blocked';

/** Colour of a state: green, blue, amber, grey, red. Never the only sign: the words and a shape go with it. */
export function stateTone(state: SignInState): Tone {
  switch (state.kind) {
    case 'signed_in':
      return endsSoon(state) ? 'attention' : 'ok';
    case 'signing_in':
      return 'busy';
    case 'retrying':
    case 'needs_sign_in':
    case 'needs_access':
      return 'attention';
    case 'open':
    case 'not_checked':
    case 'not_signed_in':
    case 'signed_out':
      return 'off';
    case 'store_blocked':
      return 'blocked';
  }
}

/** The state in two or three words, without times. */
export function stateLabel(state: SignInState): string {
  switch (state.kind) {
    case 'open':
      return 'No sign-in needed';
    case 'not_checked':
      return 'Not checked yet';
    case 'not_signed_in':
      return 'Not signed in yet';
    case 'signed_out':
      return 'Signed out';
    case 'signing_in':
      return 'Signing in';
    case 'signed_in':
      return 'Signed in';
    case 'retrying':
      return 'Retrying';
    case 'needs_sign_in':
      if (isKeptBack(state)) return 'Token kept back';
      if (state.error.code === 'E_SECRET_AGAIN') return 'Enter the secret again';
      return hasEnded(state.error.code) ? 'Sign in again' : 'Sign-in failed';
    case 'needs_access':
      return 'Needs more access';
    case 'store_blocked':
      return blockedLabel(state.error.code);
  }
}

/** A sign-in that there was; every other error is one that never came to be. */
const hasEnded = (code: string): boolean => code === 'E_SIGN_IN_AGAIN' || code === 'E_SIGN_IN_NEEDED';

/** Signed in, but a person has to decide whether the token may be sent. Signing in again would bring the same token. */
export const isKeptBack = (state: SignInState): boolean =>
  state.kind === 'needs_sign_in' && state.error.code === 'E_TOKEN_AUDIENCE';

function blockedLabel(code: string): string {
  if (code === 'E_STORE_LOCKED') return 'Keychain locked';
  if (code === 'E_CONFIG_NEWER') return 'Data from a newer Keybridge';
  if (code === 'E_STORE_DENIED') return 'Keychain access denied';
  return 'Keychain not available';
}

/** The state in one line with its time: "Signed in, refreshes in 4 min". */
export function stateWords(status: ServerStatus, now: number): string {
  const detail = stateDetail(status.state, now);
  const label = stateLabel(status.state);
  return detail === '' ? label : `${label}, ${detail}`;
}

/** What follows the label: "refreshes in 4 min"; empty when there is nothing to add. */
export function stateDetail(state: SignInState, now: number): string {
  switch (state.kind) {
    case 'signing_in':
      return signInStep(state);
    case 'signed_in':
      return signedInDetail(state, now);
    case 'retrying':
      return state.nextTryAt > now ? `next try in ${durationWords(state.nextTryAt - now)}` : 'trying now';
    case 'open':
    case 'not_checked':
    case 'not_signed_in':
    case 'signed_out':
    case 'needs_sign_in':
    case 'needs_access':
    case 'store_blocked':
      return '';
  }
}

function signInStep(state: Extract<SignInState, { kind: 'signing_in' }>): string {
  switch (state.step) {
    case 'discover':
      return 'looking up how';
    case 'confirm':
      return 'waiting for your confirmation';
    case 'register':
      return 'introducing Keybridge';
    case 'browser':
      if (state.userCode !== undefined) return `enter the code ${state.userCode} on the page`;
      return state.browserFailed ? 'open the address yourself' : 'waiting for the browser';
    case 'exchange':
      return 'finishing';
  }
}

function signedInDetail(state: Extract<SignInState, { kind: 'signed_in' }>, now: number): string {
  const end = state.renewable ? state.endsAt : state.expiresAt;
  if (end !== undefined) return end > now ? `ends in ${durationWords(end - now)}` : 'about to end';
  if (!state.renewable) return '';
  if (state.refreshAt === undefined) return 'refreshes on next use';
  return state.refreshAt > now ? `refreshes in ${durationWords(state.refreshAt - now)}` : 'refreshing now';
}

/** A time span for people, rounded to one unit: "under a minute", "4 min", "3 h", "2 days". */
export function durationWords(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 60_000) return 'under a minute';
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(ms / 3_600_000);
  if (hours < 36) return `${hours} h`;
  return `${Math.round(ms / 86_400_000)} days`;
}

/** The one thing to do next about a state; absent when there is nothing to do. */
export type NextStep = 'sign_in' | 'check' | 'review_access' | 'review_token' | 'try_now' | 'cancel' | 'unlock';

/** Days before the end of a client certificate from which on it is said: renewing one takes a company some days. */
const certificateWarningDays = 14;

/** A client certificate in words. Times in Unix ms. */
export function certificateWords(expiresAt: number, now: number): string {
  const days = Math.floor((expiresAt - now) / 86_400_000);
  if (expiresAt <= now) return 'expired: the server will refuse it. Ask for a new one';
  if (days >= certificateWarningDays) return `valid for ${days} days`;
  return `expires ${days === 0 ? 'within a day' : days === 1 ? 'in 1 day' : `in ${days} days`}: ask for a new one`;
}

/**
 * Errors after which signing in is not offered, because somebody may be intercepting it: a person reads what is wrong
 * first.
 */
export const stopCodes: ReadonlySet<string> = new Set([
  'E_TLS',
  'E_ISSUER_MISMATCH',
  'E_ISS_MISMATCH',
  'E_ENDPOINT_REFUSED',
  'E_ADDRESS_REFUSED',
]);

/**
 * Those among them that a check of the server sees as well: what was in the way may be gone on another network, or
 * mended.
 */
export const checkedCodes: ReadonlySet<string> = new Set(['E_TLS', 'E_ISSUER_MISMATCH']);

export function nextStep(state: SignInState): NextStep | undefined {
  switch (state.kind) {
    case 'not_checked':
      return 'check';
    case 'not_signed_in':
    case 'signed_out':
      return 'sign_in';
    case 'needs_sign_in':
      return isKeptBack(state) || stopCodes.has(state.error.code) ? 'review_token' : 'sign_in';
    case 'needs_access':
      return 'review_access';
    case 'retrying':
      return 'try_now';
    case 'signing_in':
      return 'cancel';
    case 'store_blocked':
      return 'unlock';
    case 'signed_in':
      return endsSoon(state) ? 'sign_in' : undefined;
    case 'open':
      return undefined;
  }
}

export const nextStepLabels: Readonly<Record<NextStep, string>> = {
  sign_in: 'Sign in',
  check: 'Check now',
  review_access: 'Review access',
  review_token: 'Review',
  try_now: 'Try now',
  cancel: 'Cancel',
  unlock: 'Unlock',
};

/** True when the sign-in works, and will not for long. */
export const endsSoon = (state: SignInState): boolean => state.kind === 'signed_in' && state.endsAt !== undefined;

/** True when nothing goes on until a person does something. Signed out is a choice, not a fault. */
export function needsPerson(state: SignInState): boolean {
  return state.kind === 'needs_sign_in' || state.kind === 'needs_access' || state.kind === 'store_blocked';
}

const order: readonly SignInState['kind'][] = [
  'store_blocked',
  'needs_sign_in',
  'needs_access',
  'signing_in',
  'retrying',
  'not_signed_in',
  'not_checked',
  'signed_out',
  'signed_in',
  'open',
];

/** For sorting: what needs a person comes first, then by name, the default account before the others. */
export function byAttention(a: ServerStatus, b: ServerStatus): number {
  const first = order.indexOf(a.state.kind) - order.indexOf(b.state.kind);
  return first === 0 ? a.name.localeCompare(b.name, 'en') || byAccount(a, b) : first;
}

function byAccount({ account: a }: ServerStatus, { account: b }: ServerStatus): number {
  if (!a || !b || a.isDefault === b.isDefault) return (a?.name ?? '').localeCompare(b?.name ?? '', 'en');
  return a.isDefault ? -1 : 1;
}

/** One server with all its accounts, the default one first. Never empty. */
export type ServerAccounts = readonly [ServerStatus, ...ServerStatus[]];

/** The entries by server; the server with the gravest account first. */
export function byServer(entries: readonly ServerStatus[]): ServerAccounts[] {
  const names = new Set(entries.toSorted(byAttention).map(({ name }) => name));
  return [...names].flatMap((name): ServerAccounts[] => {
    const [first, ...others] = entries.filter((entry) => entry.name === name).sort(byAccount);
    return first ? [[first, ...others]] : [];
  });
}

/** A server's name, with the account's where it has several. */
export const whichServer = (server: Pick<ServerStatus, 'name' | 'title' | 'account'>): string =>
  server.account ? `${calledBy(server)} (${server.account.name})` : calledBy(server);

/** A server as the person calls it. */
export const calledBy = ({ name, title }: Pick<ServerStatus, 'name' | 'title'>): string => title ?? name;

/** The gravest tone of all servers, for the tray's icon and the window's header. */
export function overallTone(status: Status): Tone {
  const tones = new Set(status.servers.map((server) => stateTone(server.state)));
  const gravest: readonly Tone[] = ['blocked', 'attention', 'busy', 'ok'];
  return gravest.find((tone) => tones.has(tone)) ?? 'off';
}

/** The state of all servers in one line: "2 of 3 servers need you". */
export const overallWords = ({ servers, setAside = [] }: Status): string =>
  summary(byServer(servers), 'server', 'servers', setAside.length);

/** The state of a server with several accounts in one line: "1 of 2 accounts needs you". */
export const accountsWords = (accounts: ServerAccounts): string =>
  summary(
    accounts.map((account) => [account]),
    'account',
    'accounts',
  );

/** Why a server of the list is not used, as its state. */
export const asideWords = { changed: 'Changed by another program', bad: 'Entry not understood' } as const;

/** `aside`: servers that are not used and wait for a person. */
function summary(groups: readonly ServerAccounts[], one: string, many: string, aside = 0): string {
  const plural = (count: number): string => (count === 1 ? `1 ${one}` : `${count} ${many}`);
  const kinds = groups.map(groupKind);
  const count = (kind: SignInState['kind']) => kinds.filter((one) => one === kind).length;
  const waiting = groups.filter((group) => group.some(({ state }) => needsPerson(state))).length + aside;
  if (groups.length + aside === 0) return `No ${many} yet`;
  if (waiting > 0) return `${waiting} of ${plural(groups.length + aside)} ${waiting === 1 ? 'needs' : 'need'} you`;
  if (count('signing_in') > 0) return 'Signing in';
  if (count('retrying') > 0) return `${plural(count('retrying'))} retrying`;
  const ending = groups.flat().filter(({ state }) => endsSoon(state)).length;
  if (ending > 0) return ending === 1 ? '1 sign-in ends soon' : `${ending} sign-ins end soon`;
  if (count('signed_out') === groups.length && groups.length > 1) return 'All signed out';
  const unused = unusedKinds.filter((kind) => count(kind) > 0);
  const ready = groups.length - unused.reduce((sum, kind) => sum + count(kind), 0);
  const counted = unused.map((kind) => `${count(kind)} ${labelOf(kind).toLowerCase()}`);
  if (unused.length > 0 && ready > 0) return [`${plural(ready)} ready`, ...counted].join(', ');
  if (unused.length > 0) return groups.length === 1 && unused[0] ? labelOf(unused[0]) : counted.join(', ');
  if (groups.length === 1) return 'Ready';
  return `${groups.length === 2 ? 'Both' : `All ${groups.length}`} ${many} ready`;
}

/** Nobody is signed in, and nothing is wrong: a person has not used the server or the account yet, or not any more. */
const unusedKinds = ['signed_out', 'not_signed_in', 'not_checked'] as const;
const isUnused = ({ kind }: SignInState): boolean => unusedKinds.some((one) => one === kind);
const labelOf = (kind: (typeof unusedKinds)[number]): string => stateLabel({ kind });

/** The gravest state of a server's accounts. Unused accounts count only where there is no other. */
function groupKind(group: ServerAccounts): SignInState['kind'] {
  const used = group.filter(({ state }) => !isUnused(state));
  return order.find((kind) => (used.length > 0 ? used : group).some(({ state }) => state.kind === kind)) ?? 'open';
}
