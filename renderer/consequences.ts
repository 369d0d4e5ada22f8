import type { ServerDetail, ServerStatus, Status, StoreStatus } from '../shared/model.ts';
import { isTokenWithheld, nameWithAccount } from '../shared/server-state.ts';
import { namesOf, t } from './text.ts';

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
