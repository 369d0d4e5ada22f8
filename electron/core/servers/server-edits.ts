import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { freeName, withAccount } from './accounts.ts';
import type { SetAside } from './items.ts';
import { Account, StoredServer } from './server.ts';
import { randomId } from './servers-file.ts';
import { parseServerUrl } from './url.ts';

/** What the user enters for a new server. */
export type NewServer = Pick<StoredServer, 'name' | 'url' | 'signInRequired' | 'hasClientSecret' | 'allowMissingPkce'> &
  Partial<Pick<StoredServer, 'title' | 'clientId' | 'settings' | 'openSeenAt' | 'reservedRedirect'>>;

/** A change of a server that applies to all of its accounts. */
export type ServerChange = Partial<Omit<StoredServer, 'id' | 'accounts' | 'defaultAccount'>>;
export type AccountChange = Partial<Omit<Account, 'id'>>;

/** Returns the changed server, and the id of the account whose entry the caller gets. */
export type ServerEdit = (
  server: StoredServer,
  accountId: string,
) => { readonly server: StoredServer; readonly accountId: string };

/** Throws E_SERVER_URL, E_INSECURE_URL. `now`: Unix ms. */
export const newServer = (input: NewServer, now: number): StoredServer =>
  StoredServer.parse({ ...input, url: parseServerUrl(input.url).href, id: randomId(), addedAt: now });

export const updateServer =
  (change: ServerChange): ServerEdit =>
  (server, accountId) => ({ server: { ...server, ...change, id: server.id }, accountId });

/** Throws E_ACCOUNT_EXISTS. */
export const updateAccount =
  (change: AccountChange): ServerEdit =>
  (server, accountId) => ({ server: withAccount(server, accountId, change), accountId });

/** Throws E_ACCOUNT_EXISTS. */
export const addAccount =
  (name: string | undefined): ServerEdit =>
  (server) => {
    const account = Account.parse({ id: randomId(), name: freeName(server, name), autoNamed: name === undefined });
    return { server: { ...server, accounts: [...server.accounts, account] }, accountId: account.id };
  };

export const makeDefault: ServerEdit = (server, accountId) => ({
  server: { ...server, defaultAccount: accountId },
  accountId,
});

/** Throws E_BAD_INPUT for the only account. */
export const removeAccount: ServerEdit = (server, accountId) => {
  const accounts = server.accounts.filter((account) => account.id !== accountId);
  const [next] = accounts;
  if (!next)
    throw new AppError('E_BAD_INPUT', 'A server must have at least one account. Remove the server instead.', {
      server: server.name,
    });
  const defaultAccount = server.defaultAccount === accountId ? next.id : server.defaultAccount;
  return { server: { ...server, accounts, defaultAccount }, accountId: defaultAccount };
};

/** A name must identify one server, so it must not be the id of another one either. Throws E_SERVER_EXISTS. */
export function refuseTakenName(
  servers: readonly StoredServer[],
  setAside: readonly SetAside[],
  requested: string,
): void {
  const taken =
    servers.some(({ id, name }) => name === requested || id === requested) ||
    setAside.some(({ name, key }) => name === requested || key === requested);
  if (taken)
    throw new AppError('E_SERVER_EXISTS', `There is already a server named "${sanitizeExternalText(requested)}".`);
}
