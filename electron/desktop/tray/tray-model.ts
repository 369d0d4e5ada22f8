import { desktopMessages } from '../../../shared/messages/en/desktop.ts';
import { translator } from '../../../shared/messages/translator.ts';
import type { ServerStatus, Status } from '../../../shared/model.ts';
import { plainText } from '../../../shared/foreign-text.ts';
import {
  displayName,
  groupByServer,
  endsSoon,
  needsAttention,
  nextStep,
  type NextStep,
  type ServerAccounts,
} from '../../../shared/server-state.ts';
import { accountsText, setAsideText, nextStepLabel, overallText, stateText } from '../../../shared/state-text.ts';

const { t } = translator(desktopMessages);

/** The overall state. Each has an icon that differs in shape and colour. */
export type TrayIcon = 'ok' | 'busy' | 'attention' | 'retrying' | 'signed-out';

/** What a click in the menu does. `server` is an id. */
export type TrayAction =
  | { readonly kind: 'open' }
  | { readonly kind: 'quit' }
  | { readonly kind: 'unlock' }
  | { readonly kind: 'show'; readonly server: string }
  | {
      readonly kind: 'step';
      readonly step: Exclude<NextStep, 'review_access' | 'review_token' | 'unlock'>;
      readonly server: string;
    };

export type TrayItem =
  | { readonly kind: 'separator' }
  | { readonly kind: 'text'; readonly label: string }
  | { readonly kind: 'action'; readonly label: string; readonly action: TrayAction }
  | { readonly kind: 'submenu'; readonly label: string; readonly items: readonly TrayItem[] };

export interface TrayModel {
  readonly icon: TrayIcon;
  readonly tooltip: string;
  readonly items: readonly TrayItem[];
  /** Whether a label shows a time left, so that it is outdated after a minute. */
  readonly countsMinutes: boolean;
}

/** With more items than fit on a screen, those that open the window and quit the app could not be reached. */
const maxServers = 20;

const separator: TrayItem = { kind: 'separator' };

/** The tray as a function of the status. `now` is in Unix ms. Servers that need attention come first. */
export function trayModel(status: Status, now: number): TrayModel {
  const servers = groupByServer(status.servers);
  return {
    icon: trayIcon(status),
    tooltip: t('tray.tooltip', { summary: overallText(status) }),
    items: [
      { kind: 'text', label: overallText(status) },
      ...storeItems(status),
      separator,
      ...servers.slice(0, maxServers).map((accounts) => serverItem(accounts, now)),
      ...(servers.length > maxServers ? [moreItem(servers.length - maxServers)] : []),
      ...asideItems(status),
      ...(servers.length > 0 ? [separator] : []),
      { kind: 'action', label: t('tray.open'), action: { kind: 'open' } },
      { kind: 'action', label: t('tray.quit'), action: { kind: 'quit' } },
    ],
    countsMinutes: status.servers.some(hasTime),
  };
}

function trayIcon({ servers, setAside = [], store, notice }: Status): TrayIcon {
  if (
    store.state !== 'ready' ||
    notice ||
    setAside.length > 0 ||
    servers.some(({ state }) => needsAttention(state) || endsSoon(state))
  )
    return 'attention';
  const kinds = new Set(servers.map(({ state }) => state.kind));
  if (kinds.has('signing_in')) return 'busy';
  if (kinds.has('retrying')) return 'retrying';
  return kinds.has('signed_in') || kinds.has('open') ? 'ok' : 'signed-out';
}

/** Servers that are not used until the user accepts or corrects their entry. */
function asideItems({ setAside = [] }: Status): TrayItem[] {
  const shown = setAside
    .slice(0, maxServers)
    .map(({ name, why }): TrayItem => ({
      kind: 'action',
      label: t('tray.entry', { name, state: setAsideText(why) }),
      action: { kind: 'open' },
    }));
  return shown.length > 0 ? [...shown, separator] : [];
}

function storeItems({ store }: Status): TrayItem[] {
  switch (store.state) {
    case 'ready':
      return store.name === 'memory' ? [{ kind: 'text', label: t('tray.memoryOnly') }] : [];
    case 'locked':
      return [{ kind: 'action', label: t('tray.unlock'), action: { kind: 'unlock' } }];
    case 'denied':
      return [{ kind: 'text', label: t('tray.keychainDenied') }];
    case 'unavailable':
      return [{ kind: 'text', label: t('tray.keychainUnavailable') }];
  }
}

/** A server with one account is a menu. With several accounts each is a menu inside that of the server. */
function serverItem(accounts: ServerAccounts, now: number): TrayItem {
  const [only, ...others] = accounts;
  if (others.length === 0)
    return {
      kind: 'submenu',
      label: entryLabel(accounts, displayName(only), stateText(only, now)),
      items: entryItems(only),
    };
  return {
    kind: 'submenu',
    label: entryLabel(accounts, displayName(only), accountsText(accounts)),
    items: accounts.map((entry) => ({
      kind: 'submenu',
      label: entryLabel([entry], entry.account?.name ?? '', stateText(entry, now)),
      items: entryItems(entry),
    })),
  };
}

const entryLabel = (accounts: ServerAccounts, name: string, state: string): string =>
  accounts.some(({ state: one }) => needsAttention(one))
    ? t('tray.entryAttention', { name, state })
    : t('tray.entry', { name, state });

/** Who is signed in, unless the account's name says so; the next step; the link to the window. */
function entryItems(entry: ServerStatus): TrayItem[] {
  const { account } = entry;
  const identity = entry.identity === undefined ? undefined : plainText(entry.identity).slice(0, 100);
  return [
    ...(identity === undefined || identity === account?.name
      ? []
      : [{ kind: 'text', label: identity } as const, separator]),
    ...stepItems(entry),
    { kind: 'action', label: t('tray.show'), action: { kind: 'show', server: entry.id } },
  ];
}

function stepItems(server: ServerStatus): TrayItem[] {
  const step = nextStep(server.state);
  switch (step) {
    case undefined:
      return [];
    case 'unlock':
      return [{ kind: 'action', label: nextStepLabel('unlock'), action: { kind: 'unlock' } }];
    case 'review_access':
    case 'review_token':
      // The user has to read first what would be granted. Only the window shows that.
      return [{ kind: 'action', label: nextStepLabel(step), action: { kind: 'show', server: server.id } }];
    case 'sign_in':
    case 'check':
    case 'try_now':
    case 'cancel':
      return [{ kind: 'action', label: nextStepLabel(step), action: { kind: 'step', step, server: server.id } }];
  }
}

function moreItem(count: number): TrayItem {
  return { kind: 'action', label: t('tray.more', { count }), action: { kind: 'open' } };
}

function hasTime({ state }: ServerStatus): boolean {
  if (state.kind === 'retrying') return true;
  return (
    state.kind === 'signed_in' && (state.renewable ? (state.endsAt ?? state.refreshAt) : state.expiresAt) !== undefined
  );
}
