import type { ServerStatus } from './model.ts';
import type { SignInState } from './sign-in-state.ts';

/**
 * How to present a server's state: its severity, the next step, the order of lists. Only types are imported, so that
 * the window does not contain the schema library. state-text.ts has the texts.
 */
export type Tone = 'ok' | 'busy' | 'attention' | 'off' | 'blocked';

/** Colour of a state: green, blue, amber, grey, red. Text and shape show the state as well. */
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

/** Signed in, but the user has to decide whether the token may be sent. Signing in again would give the same token. */
export const isTokenWithheld = (state: SignInState): boolean =>
  state.kind === 'needs_sign_in' && state.error.code === 'E_TOKEN_AUDIENCE';

/** What the user can do about a state. */
export type NextStep = 'sign_in' | 'check' | 'review_access' | 'review_token' | 'try_now' | 'cancel' | 'unlock';

/**
 * Errors after which signing in is not offered, because it may be intercepted. The user has to read the error first.
 */
export const doNotSignInCodes: ReadonlySet<string> = new Set([
  'E_TLS',
  'E_ISSUER_MISMATCH',
  'E_ISS_MISMATCH',
  'E_ENDPOINT_REFUSED',
  'E_ADDRESS_REFUSED',
]);

/** Those of them that a check of the server repeats, because they may be gone on another network. */
export const recheckableCodes: ReadonlySet<string> = new Set(['E_TLS', 'E_ISSUER_MISMATCH']);

export function nextStep(state: SignInState): NextStep | undefined {
  switch (state.kind) {
    case 'not_checked':
      return 'check';
    case 'not_signed_in':
    case 'signed_out':
      return 'sign_in';
    case 'needs_sign_in':
      return isTokenWithheld(state) || doNotSignInCodes.has(state.error.code) ? 'review_token' : 'sign_in';
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

/** True if the sign-in works but ends soon. */
export const endsSoon = (state: SignInState): boolean => state.kind === 'signed_in' && state.endsAt !== undefined;

/** True if the server is unusable until the user acts. Being signed out is a choice, not a fault. */
export function needsAttention(state: SignInState): boolean {
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

/** Sorts by urgency, then by name, with the default account first. */
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

/** Groups entries by server, the most urgent first. */
export function groupByServer(entries: readonly ServerStatus[]): ServerAccounts[] {
  const names = new Set(entries.toSorted(byAttention).map(({ name }) => name));
  return [...names].flatMap((name): ServerAccounts[] => {
    const [first, ...others] = entries.filter((entry) => entry.name === name).sort(byAccount);
    return first ? [[first, ...others]] : [];
  });
}

/** A server's title or name, with the account's name if it has several. */
export const nameWithAccount = (server: Pick<ServerStatus, 'name' | 'title' | 'account'>): string =>
  server.account ? `${displayName(server)} (${server.account.name})` : displayName(server);

/** The user's title for a server, or its name. */
export const displayName = ({ name, title }: Pick<ServerStatus, 'name' | 'title'>): string => title ?? name;

/** States without a sign-in and without a fault. */
export const unusedKinds = ['signed_out', 'not_signed_in', 'not_checked'] as const;
const isUnused = ({ kind }: SignInState): boolean => unusedKinds.some((one) => one === kind);

/** The most urgent state of a server's accounts. Unused accounts count only if there are no others. */
export function groupKind(group: ServerAccounts): SignInState['kind'] {
  const used = group.filter(({ state }) => !isUnused(state));
  return order.find((kind) => (used.length > 0 ? used : group).some(({ state }) => state.kind === kind)) ?? 'open';
}
