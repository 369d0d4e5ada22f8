import { AccountName } from '../../../shared/model.ts';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import type { Account, Server, StoredServer } from './server.ts';

/** Returns the entries of all accounts of the same server, including this one. */
export const accountsOf = (servers: { list(): readonly Server[] }, { serverId }: Pick<Server, 'serverId'>): Server[] =>
  servers.list().filter((one) => one.serverId === serverId);

/** Finds an account of one server by name or id, or the default account if none is named. */
export function namedAccount(entries: readonly Server[], nameOrId: string | undefined): Server | undefined {
  if (nameOrId === undefined) return entries.find(({ account }) => account.isDefault);
  return (
    entries.find(({ account }) => account.name === nameOrId) ?? entries.find(({ account }) => account.id === nameOrId)
  );
}

/** Returns the server with one of its accounts changed. Throws E_ACCOUNT_EXISTS. */
export function withAccount(
  server: StoredServer,
  accountId: string,
  change: Partial<Omit<Account, 'id'>>,
): StoredServer {
  const others = server.accounts.filter(({ id }) => id !== accountId);
  if (change.name !== undefined) refuseTaken(server.name, others, change.name);
  return {
    ...server,
    accounts: server.accounts.map((account) => (account.id === accountId ? { ...account, ...change } : account)),
  };
}

/**
 * Returns the name for a new account: the requested one, else the first free of account-2, account-3 ... Throws
 * E_ACCOUNT_EXISTS.
 */
export function freeName({ name: server, accounts }: StoredServer, requested: string | undefined): string {
  if (requested !== undefined) {
    refuseTaken(server, accounts, requested);
    return requested;
  }
  const numbered = Array.from({ length: accounts.length + 1 }, (_, at) => `account-${at + 2}`);
  return numbered.find((name) => accounts.every((account) => account.name !== name)) ?? 'account';
}

/**
 * Derives the name of an auto-named account from who signed in. Returns undefined if the account keeps its name: the
 * user chose it, or the new one is not a valid name or taken by one of `siblings` (all accounts of the server).
 */
export function nameFrom(
  identity: string | undefined,
  { account }: Server,
  siblings: readonly Server[],
): string | undefined {
  const name = identity?.trim().toLowerCase().replaceAll(/\s+/g, '-');
  if (!account.autoNamed || !AccountName.safeParse(name).success || name === account.name) return undefined;
  const taken = siblings.some((other) => other.account.name === name || other.account.id === name);
  return taken ? undefined : name;
}

function refuseTaken(server: string, accounts: readonly Pick<Account, 'id' | 'name'>[], requested: string): void {
  if (accounts.some(({ id, name }) => name === requested || id === requested)) {
    throw new AppError(
      'E_ACCOUNT_EXISTS',
      `${server} already has an account named "${sanitizeExternalText(requested)}".`,
      { server },
    );
  }
}
