import type { ServerStatus, Status } from '../shared/model.ts';
import { groupByServer, needsAttention, nameWithAccount, type ServerAccounts } from '../shared/server-state.ts';
import { stateText } from '../shared/state-text.ts';
import type { SignInState } from '../shared/sign-in-state.ts';

/** The servers in two groups: what waits for a user, and the rest. The accounts of a server stay together. */
export function grouped(entries: readonly ServerStatus[]): {
  readonly needYou: ServerAccounts[];
  readonly others: ServerAccounts[];
} {
  const servers = groupByServer(entries);
  const waits = (accounts: ServerAccounts) => accounts.some(({ state }) => needsAttention(state));
  return { needYou: servers.filter(waits), others: servers.filter((accounts) => !waits(accounts)) };
}

/** What a screen reader announces after a change: one sentence per server whose kind of state changed. */
export function changesText(before: Status, after: Status, now: number): string {
  const old = new Map(before.servers.map((server) => [server.id, server.state]));
  return after.servers
    .filter((server) => old.has(server.id) && stepOf(old.get(server.id)) !== stepOf(server.state))
    .map((server) => `${nameWithAccount(server)}: ${stateText(server, now)}.`)
    .join(' ');
}

const stepOf = (state: SignInState | undefined): string | undefined =>
  state?.kind === 'signing_in' ? `${state.kind} ${state.step}` : state?.kind;

/** The host of a server for a list, with the port if it is not the default. */
export function hostOf(url: string): string {
  return (URL.canParse(url) && new URL(url).host) || url;
}

/** The time that a state's text counts down to; undefined if it names none. */
export function countsDownTo(state: SignInState): number | undefined {
  switch (state.kind) {
    case 'signed_in':
      return state.renewable ? (state.endsAt ?? state.refreshAt) : state.expiresAt;
    case 'retrying':
      return state.nextTryAt;
    case 'signing_in':
      return state.endsAt;
    case 'open':
    case 'not_checked':
    case 'not_signed_in':
    case 'signed_out':
    case 'needs_sign_in':
    case 'needs_access':
    case 'store_blocked':
      return undefined;
  }
}

/**
 * Milliseconds until the words of one of these moments change (`durationText` rounds), and at least one second;
 * undefined when nothing counts down any more, so that no timer runs.
 */
export function untilWordsChange(moments: readonly (number | undefined)[], now: number): number | undefined {
  const waits = moments.flatMap((at) => (at === undefined || at <= now ? [] : [nextRounding(at - now)]));
  return waits.length === 0 ? undefined : Math.max(1_000, Math.min(...waits));
}

const minute = 60_000;
const hour = 60 * minute;

function nextRounding(left: number): number {
  if (left <= minute) return left;
  if (left >= 36 * hour) return hour;
  const unit = left < 90 * minute ? minute : hour;
  const next = (Math.round(left / unit) - 0.5) * unit;
  return left - Math.max(next, minute) + 1;
}

/** How much of an access token's lifetime is left, from 0 to 1; undefined when its lifetime is unknown. */
export function lifeLeft(issuedAt: number | undefined, expiresAt: number | undefined, now: number): number | undefined {
  if (issuedAt === undefined || expiresAt === undefined || expiresAt <= issuedAt) return undefined;
  return Math.min(1, Math.max(0, (expiresAt - now) / (expiresAt - issuedAt)));
}
