import { stateMessages } from './messages/en/state.ts';
import { translator } from './messages/translator.ts';
import type { ServerStatus, SetAside, Status } from './model.ts';
import {
  endsSoon,
  groupByServer,
  groupKind,
  isTokenWithheld,
  needsAttention,
  unusedKinds,
  type NextStep,
  type ServerAccounts,
} from './server-state.ts';
import type { SignInState } from './sign-in-state.ts';

// The texts for a server's state in window, tray and command line. Times are Unix milliseconds.
const { t } = translator(stateMessages);

/** The state in two or three words, without times. */
export function stateLabel(state: SignInState): string {
  switch (state.kind) {
    case 'open':
      return t('state.open');
    case 'not_checked':
      return t('state.notChecked');
    case 'not_signed_in':
      return t('state.notSignedIn');
    case 'signed_out':
      return t('state.signedOut');
    case 'signing_in':
      return t('state.signingIn');
    case 'signed_in':
      return t('state.signedIn');
    case 'retrying':
      return t('state.retrying');
    case 'needs_sign_in':
      if (isTokenWithheld(state)) return t('state.tokenKeptBack');
      if (state.error.code === 'E_SECRET_AGAIN') return t('state.enterSecretAgain');
      return hasEnded(state.error.code) ? t('state.signInAgain') : t('state.signInFailed');
    case 'needs_access':
      return t('state.needsAccess');
    case 'store_blocked':
      return blockedLabel(state.error.code);
  }
}

/** Whether there was a sign-in that has ended. After any other error there was none. */
const hasEnded = (code: string): boolean => code === 'E_SIGN_IN_AGAIN' || code === 'E_SIGN_IN_NEEDED';

function blockedLabel(code: string): string {
  if (code === 'E_STORE_LOCKED') return t('state.keychainLocked');
  if (code === 'E_CONFIG_NEWER') return t('state.newerData');
  if (code === 'E_STORE_DENIED') return t('state.keychainDenied');
  return t('state.keychainUnavailable');
}

/** The state and its details: "Signed in, refreshes in 4 min". */
export function stateText(status: ServerStatus, now: number): string {
  const detail = stateDetail(status.state, now);
  const state = stateLabel(status.state);
  return detail === '' ? state : t('state.withDetail', { state, detail });
}

/** The details after the label: "refreshes in 4 min"; '' if there are none. */
export function stateDetail(state: SignInState, now: number): string {
  switch (state.kind) {
    case 'signing_in':
      return signInStep(state);
    case 'signed_in':
      return signedInDetail(state, now);
    case 'retrying':
      return state.nextTryAt > now
        ? t('detail.retriesIn', { duration: durationText(state.nextTryAt - now) })
        : t('detail.retriesNow');
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
  if (state.step !== 'browser') return t(`detail.${state.step}`);
  if (state.userCode !== undefined) return t('detail.enterCode', { code: state.userCode });
  return state.browserFailed ? t('detail.openAddress') : t('detail.browser');
}

function signedInDetail(state: Extract<SignInState, { kind: 'signed_in' }>, now: number): string {
  const end = state.renewable ? state.endsAt : state.expiresAt;
  if (end !== undefined)
    return end > now ? t('detail.endsIn', { duration: durationText(end - now) }) : t('detail.endsNow');
  if (!state.renewable) return '';
  if (state.refreshAt === undefined) return t('detail.refreshesOnUse');
  return state.refreshAt > now
    ? t('detail.refreshesIn', { duration: durationText(state.refreshAt - now) })
    : t('detail.refreshesNow');
}

/** A duration in one unit: "under a minute", "4 min", "3 h", "2 days". */
export function durationText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 60_000) return t('duration.underMinute');
  if (minutes < 90) return t('duration.minutes', { minutes });
  const hours = Math.round(ms / 3_600_000);
  return hours < 36 ? t('duration.hours', { hours }) : t('duration.days', { days: Math.round(ms / 86_400_000) });
}

/** The text warns this many days before a client certificate expires, because a new one takes days to get. */
const certificateWarningDays = 14;

/** How long a client certificate is valid. Times in Unix ms. */
export function certificateText(expiresAt: number, now: number): string {
  const days = Math.floor((expiresAt - now) / 86_400_000);
  if (expiresAt <= now) return t('certificate.expired');
  if (days >= certificateWarningDays) return t('certificate.valid', { days });
  return days === 0 ? t('certificate.expiresToday') : t('certificate.expiresIn', { days });
}

/** The label of a button or menu item for the next step. */
export const nextStepLabel = (step: NextStep): string => t(`step.${step}`);

/** Why an entry of servers.json is not used, in place of its state. */
export const setAsideText = (why: SetAside['why']): string => t(`setAside.${why}`);

/** The state of all servers in one line: "2 of 3 servers need you". */
export const overallText = ({ servers, setAside = [] }: Status): string =>
  summary(groupByServer(servers), 'server', setAside.length);

/** The state of a server with several accounts in one line: "1 of 2 accounts needs you". */
export const accountsText = (accounts: ServerAccounts): string =>
  summary(
    accounts.map((account) => [account]),
    'account',
  );

/** `setAside`: the number of entries that are not used until the user acts. */
function summary(groups: readonly ServerAccounts[], unit: 'server' | 'account', setAside = 0): string {
  const kinds = groups.map(groupKind);
  const count = (kind: SignInState['kind']) => kinds.filter((one) => one === kind).length;
  const waiting = groups.filter((group) => group.some(({ state }) => needsAttention(state))).length + setAside;
  const total = groups.length + setAside;
  if (total === 0) return t(`summary.${unit}.none`);
  if (waiting > 0) return t(`summary.${unit}.waiting`, { waiting, total });
  if (count('signing_in') > 0) return t('state.signingIn');
  if (count('retrying') > 0) return t(`summary.${unit}.retrying`, { count: count('retrying') });
  const ending = groups.flat().filter(({ state }) => endsSoon(state)).length;
  if (ending > 0) return t('summary.endsSoon', { count: ending });
  if (count('signed_out') === total && total > 1) return t('summary.allSignedOut');
  return readySummary(groups.length, unit, count);
}

/** For when nothing needs attention: how many are ready, and how many are unused. */
function readySummary(total: number, unit: 'server' | 'account', count: (kind: SignInState['kind']) => number): string {
  const unused = unusedKinds.filter((kind) => count(kind) > 0);
  const ready = total - unused.reduce((sum, kind) => sum + count(kind), 0);
  if (total === 1) return unused[0] ? stateLabel({ kind: unused[0] }) : t('summary.ready');
  if (unused.length === 0) return t(`summary.${unit}.allReady`, { count: total });
  const parts = unused.map((kind) => t(`summary.${kind}`, { count: count(kind) }));
  return (ready > 0 ? [t(`summary.${unit}.ready`, { count: ready }), ...parts] : parts).join(', ');
}
