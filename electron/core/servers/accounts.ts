import { AccountName } from '../../../shared/model.ts';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import type { Account, Server, StoredServer } from './server.ts';

/** The entries of all accounts of the same server, this one's too. */
export const accountsOf = (servers: { list(): readonly Server[] }, { serverId }: Pick<Server, 'serverId'>): Server[] =>
  servers.list().filter((one) => one.serverId === serverId);

/** Of the entries of one server: the account with this name or id; without one, the default account. */
export function namedAccount(entries: readonly Server[], wanted: string | undefined): Server | undefined {
  if (wanted === undefined) return entries.find(({ account }) => account.isDefault);
  return entries.find(({ account }) => account.name === wanted) ?? entries.find(({ account }) => account.id === wanted);
}

/** The server with one of its accounts changed. Throws E_ACCOUNT_EXISTS. */
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
 * The name for a new account: the one that is wanted, else the first of account-2, account-3 ... Throws
 * E_ACCOUNT_EXISTS.
 */
export function freeName({ name: server, accounts }: StoredServer, wanted: string | undefined): string {
  if (wanted !== undefined) {
    refuseTaken(server, accounts, wanted);
    return wanted;
  }
  const numbered = Array.from({ length: accounts.length + 1 }, (_, at) => `account-${at + 2}`);
  return numbered.find((name) => accounts.every((account) => account.name !== name)) ?? 'account';
}

/**
 * The name for an account that has none of the user's: who signed in, as far as it can be typed and no other account of
 * the server (`siblings`, this one's too) has it. Undefined: the account keeps its name.
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

function refuseTaken(server: string, accounts: readonly Pick<Account, 'id' | 'name'>[], wanted: string): void {
  if (accounts.some(({ id, name }) => name === wanted || id === wanted)) {
    throw new AppError(
      'E_ACCOUNT_EXISTS',
      `${server} already has an account named "${sanitizeExternalText(wanted)}".`,
      { server },
    );
  }
}
