import { AppError, foreign } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports.ts';
import { freeName, namedAccount, withAccount } from './accounts.ts';
import { Account, StoredServer, viewsOf, type Server, type ServersFile } from './server.ts';
import { loadServersFile, randomId, saveServersFile } from './servers-file.ts';
import { parseServerUrl } from './url.ts';

export { Registration, secretKeyOf, ServersFile, type Server } from './server.ts';

/** What the user says of a new server. */
export type NewServer = Pick<StoredServer, 'name' | 'url' | 'signInRequired' | 'hasClientSecret' | 'allowMissingPkce'> & Partial<Pick<StoredServer, 'clientId' | 'settings' | 'openSeenAt'>>;

/** What can change of a server, for all of its accounts. */
export type ServerChange = Partial<Omit<StoredServer, 'id' | 'accounts' | 'defaultAccount'>>;
/** What can change of one account. */
export type AccountChange = Partial<Omit<Account, 'id'>>;

/** The server list, in `servers.json`. Every change is on disk (temp, fsync, rename, with a backup) before the promise resolves. */
export interface Servers {
  readonly installId: string;
  /** One entry for each account. */
  list(): readonly Server[];
  /**
   * By name or id of the server, and by name or id of the account; without one, the server's default account. An entry's
   * own id names both.
   */
  find(server: string, account?: string): Server | undefined;
  /** With one account. Throws E_SERVER_EXISTS, E_SERVER_URL, E_INSECURE_URL, E_CONFIG_WRITE. */
  add(server: NewServer): Promise<Server>;
  /** `id`: of an entry. Throws E_SERVER_UNKNOWN, E_CONFIG_WRITE. */
  update(id: string, change: ServerChange): Promise<Server>;
  /** Throws E_SERVER_UNKNOWN, E_ACCOUNT_EXISTS, E_CONFIG_WRITE. */
  updateAccount(id: string, change: AccountChange): Promise<Server>;
  /** One more account; without a name, one is made up until it is known who signs in. Throws as `updateAccount`. */
  addAccount(id: string, name?: string): Promise<Server>;
  /** For who names no account. */
  makeDefault(id: string): Promise<Server>;
  /** The next account becomes the default one where needed. Throws E_BAD_INPUT for the only one. */
  removeAccount(id: string): Promise<void>;
  /** The whole server, with all accounts. */
  remove(id: string): Promise<void>;
  /** What was wrong with the file when it was opened: E_CONFIG_DAMAGED, E_CONFIG_NEWER (then read-only). */
  readonly notice: AppError | undefined;
}

export interface ServersDeps {
  /** Where `servers.json` lies. The caller holds the lock on this folder. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Opens the server list. A damaged file is put aside and the last good copy used; a newer one is shown but not written.
 * Throws E_CONFIG_UNSAFE when others could have written the file, E_CONFIG_WRITE when it cannot be read at all.
 */
export async function openServers({ dataDir, clock, log }: ServersDeps): Promise<Servers> {
  const { notice, readOnly, ...loaded } = await loadServersFile(dataDir, clock.now(), log);
  let file: ServersFile = loaded.file;
  let lastChange: Promise<unknown> = Promise.resolve();
  /** The same entry as long as its server is unchanged. */
  const views = new WeakMap<StoredServer, readonly Server[]>();

  const entriesOf = (server: StoredServer): readonly Server[] => {
    const known = views.get(server) ?? viewsOf(server);
    views.set(server, known);
    return known;
  };
  const entry = (server: StoredServer, accountId: string): Server => {
    const found = entriesOf(server).find(({ account }) => account.id === accountId);
    if (!found) throw unknownServer(`${server.id}:${accountId}`);
    return found;
  };

  /** One change after the other, each on the newest list; in memory only once it is on disk. */
  function change<Value>(edit: (servers: readonly StoredServer[]) => { servers: StoredServer[]; value: Value }): Promise<Value> {
    const run = async () => {
      if (readOnly && notice) throw notice;
      const { servers, value } = edit(file.servers);
      const next = { ...file, servers };
      await saveServersFile(dataDir, next, log);
      file = next;
      return value;
    };
    const done = lastChange.then(run, run);
    lastChange = done;
    // Whoever asked for the change sees its error; the next change must not.
    done.catch(() => {});
    return done;
  }

  /** Changes one server; gives the entry of the account that `id` names, or that `edit` says. */
  const changeOne = (id: string, edit: (server: StoredServer, accountId: string, all: readonly StoredServer[]) => { server: StoredServer; accountId: string }) =>
    change((servers) => {
      const old = servers.find((server) => entriesOf(server).some((one) => one.id === id));
      if (!old) throw unknownServer(id);
      const { server, accountId } = edit(old, id.slice(old.id.length + 1), servers);
      const checked = StoredServer.parse(server);
      return { servers: servers.map((each) => (each === old ? checked : each)), value: entry(checked, accountId) };
    });

  return {
    installId: file.installId,
    notice,
    list: () => file.servers.flatMap(entriesOf),
    find(wanted, account) {
      // By an entry's own id, which is asked for with every request: no name has a colon.
      const [serverId = wanted, ownAccount] = wanted.split(':');
      const server = file.servers.find(({ name }) => name === wanted) ?? file.servers.find(({ id }) => id === serverId);
      if (!server || ownAccount === undefined) return server && namedAccount(entriesOf(server), account);
      const own = entriesOf(server).find(({ id }) => id === wanted);
      return own && account !== undefined ? namedAccount(entriesOf(server), account) : own;
    },
    add: (wanted) =>
      change((servers) => {
        refuseTakenName(servers, wanted.name);
        const server = StoredServer.parse({ ...wanted, url: parseServerUrl(wanted.url).href, id: randomId(), addedAt: clock.now() });
        return { servers: [...servers, server], value: entry(server, server.defaultAccount) };
      }),
    update: (id, changes) =>
      changeOne(id, (old, accountId, all) => {
        if (changes.name !== undefined && changes.name !== old.name) refuseTakenName(all, changes.name);
        return { server: { ...old, ...changes, id: old.id }, accountId };
      }),
    updateAccount: (id, changes) => changeOne(id, (old, accountId) => ({ server: withAccount(old, accountId, changes), accountId })),
    addAccount: (id, name) =>
      changeOne(id, (old) => {
        const account = Account.parse({ id: randomId(), name: freeName(old, name), autoNamed: name === undefined });
        return { server: { ...old, accounts: [...old.accounts, account] }, accountId: account.id };
      }),
    makeDefault: (id) => changeOne(id, (old, accountId) => ({ server: { ...old, defaultAccount: accountId }, accountId })),
    async removeAccount(id) {
      await changeOne(id, (old, accountId) => {
        const accounts = old.accounts.filter((account) => account.id !== accountId);
        const [next] = accounts;
        if (!next) throw new AppError('E_BAD_INPUT', 'A server keeps its last account. Remove the server instead.', { server: old.name });
        const defaultAccount = old.defaultAccount === accountId ? next.id : old.defaultAccount;
        return { server: { ...old, accounts, defaultAccount }, accountId: defaultAccount };
      });
    },
    remove: (id) =>
      change((servers) => {
        const gone = servers.find((server) => entriesOf(server).some((one) => one.id === id));
        if (!gone) throw unknownServer(id);
        return { servers: servers.filter((server) => server !== gone), value: undefined };
      }),
  };
}

/** A name must lead to one server, so it must not be another one's id either. */
function refuseTakenName(servers: readonly StoredServer[], wanted: string): void {
  if (servers.some(({ id, name }) => name === wanted || id === wanted)) {
    throw new AppError('E_SERVER_EXISTS', `There is already a server named "${foreign(wanted)}".`);
  }
}

const unknownServer = (id: string) => new AppError('E_SERVER_UNKNOWN', `There is no server "${foreign(id)}".`);
