import { AppError, sanitizeExternalText } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { freeName, namedAccount, withAccount } from './accounts.ts';
import type { ListMacs } from '../vault/list-macs.ts';
import { createSemaphore } from '../base/semaphore.ts';
import type { SetAside } from './items.ts';
import { createServerList } from './list.ts';
import { Account, StoredServer, viewsOf, type Server } from './server.ts';
import { loadServersFile, randomId } from './servers-file.ts';
import { parseServerUrl } from './url.ts';
import type { Clock } from '../base/clock.ts';
import type { StoreFault } from '../vault/secret-store.ts';

/** What the user says of a new server. */
type NewServer = Pick<StoredServer, 'name' | 'url' | 'signInRequired' | 'hasClientSecret' | 'allowMissingPkce'> &
  Partial<Pick<StoredServer, 'title' | 'clientId' | 'settings' | 'openSeenAt' | 'reservedRedirect'>>;

/** What can change of a server, for all of its accounts. */
type ServerChange = Partial<Omit<StoredServer, 'id' | 'accounts' | 'defaultAccount'>>;
/** What can change of one account. */
type AccountChange = Partial<Omit<Account, 'id'>>;

/**
 * The server list, in `servers.json`. Every change is on disk (temp, fsync, rename, with a backup) before the promise
 * resolves.
 */
export interface Servers {
  readonly installId: string;
  /** One entry for each account. */
  list(): readonly Server[];
  /**
   * By name or id of the server, and by name or id of the account; without one, the server's default account. An
   * entry's own id names both.
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
  /** Entries that are not used: damaged, or changed by somebody else. They are kept in the file as they are. */
  readonly setAside: readonly SetAside[];
  /** True: it is not known yet who wrote the entries, because the store of secrets could not be read. */
  readonly unchecked: boolean;
  /**
   * Looks who wrote each entry, with a key from the store of secrets. Where the data folder has none yet, one is made
   * after `first`. `gone`: entries that are not used any more. Throws what `first` throws.
   */
  check(first: () => Promise<void>): Promise<{ readonly kind: 'done'; readonly gone?: readonly string[] } | StoreFault>;
  /** Uses an entry that somebody else changed. Throws E_SERVER_UNKNOWN, E_CONFIG_ENTRY, E_CONFIG_WRITE. */
  accept(key: string): Promise<Server>;
  /** Takes an entry that is not used out of the file. */
  drop(key: string): Promise<void>;
  /** Resolves when the writes that were begun before are done. */
  idle(): Promise<void>;
  /** What was wrong with the file when it was opened: E_CONFIG_DAMAGED, E_CONFIG_NEWER (then read-only). */
  readonly notice: AppError | undefined;
}

export interface ServersDeps {
  /** Where `servers.json` lies. The caller holds the lock on this folder. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What the entries of a data folder are signed with; undefined: they are not (the store in memory). */
  readonly macs: ((installId: string) => ListMacs) | undefined;
}

/**
 * Opens the server list. A damaged file is put aside and the last good copy used; a newer one is shown but not written.
 * Throws E_CONFIG_UNSAFE when others could have written the file, E_CONFIG_WRITE when it cannot be read at all.
 */
export async function openServers({ dataDir, clock, log, macs }: ServersDeps): Promise<Servers> {
  const loaded = await loadServersFile(dataDir, clock.now(), log);
  const { notice, installId } = loaded;
  const list = createServerList({ dataDir, log, loaded, macs: macs?.(installId) });
  const turn = createSemaphore(1);
  let beforeFirst = async (): Promise<void> => {};
  /** The key of the list was asked for by a change; it is asked for again only by `check`. */
  let asked = false;
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
  function change<Value>(
    edit: (servers: readonly StoredServer[]) => { servers: StoredServer[]; value: Value },
  ): Promise<Value> {
    return turn.run(async () => {
      // What is added or changed now is to be signed.
      if (!asked) await list.check(beforeFirst).catch(() => {});
      asked = true;
      const { servers, value } = edit(list.used);
      await list.replace(servers);
      return value;
    });
  }

  /** Changes one server; gives the entry of the account that `id` names, or that `edit` says. */
  const changeOne = (
    id: string,
    edit: (
      server: StoredServer,
      accountId: string,
      all: readonly StoredServer[],
    ) => { server: StoredServer; accountId: string },
  ) =>
    change((servers) => {
      const old = servers.find((server) => entriesOf(server).some((one) => one.id === id));
      if (!old) throw unknownServer(id);
      const { server, accountId } = edit(old, id.slice(old.id.length + 1), servers);
      const checked = StoredServer.parse(server);
      return { servers: servers.map((each) => (each === old ? checked : each)), value: entry(checked, accountId) };
    });

  /** A name must lead to one server, so it must not be another one's id either. */
  const refuseTakenName = (servers: readonly StoredServer[], wanted: string): void => {
    const taken =
      servers.some(({ id, name }) => name === wanted || id === wanted) ||
      list.setAside.some(({ name, key }) => name === wanted || key === wanted);
    if (taken)
      throw new AppError('E_SERVER_EXISTS', `There is already a server named "${sanitizeExternalText(wanted)}".`);
  };

  return {
    installId,
    notice,
    get setAside() {
      return list.setAside;
    },
    get unchecked() {
      return list.unchecked;
    },
    check(first) {
      beforeFirst = first;
      return turn.run(async () => {
        if (!list.unchecked) return { kind: 'done' };
        const before = list.used;
        asked = true;
        const checked = await list.check(first);
        return checked.kind === 'done'
          ? {
              kind: 'done',
              gone: before
                .filter((server) => !list.used.includes(server))
                .flatMap((server) => entriesOf(server).map(({ id }) => id)),
            }
          : checked;
      });
    },
    accept: (key) =>
      turn.run(async () => {
        const server = await list.accept(key);
        return entry(server, server.defaultAccount);
      }),
    drop: (key) => turn.run(() => list.drop(key)),
    idle: () => turn.run(async () => {}),
    list: () => list.used.flatMap(entriesOf),
    find(wanted, account) {
      // By an entry's own id, which is asked for with every request: no name has a colon.
      const [serverId = wanted, ownAccount] = wanted.split(':');
      const { used } = list;
      const server =
        used.find(({ name }) => name === wanted) ??
        used.find(({ id }) => id === serverId) ??
        used.find(({ title }) => title === wanted);
      if (!server || ownAccount === undefined) return server && namedAccount(entriesOf(server), account);
      const own = entriesOf(server).find(({ id }) => id === wanted);
      return own && account !== undefined ? namedAccount(entriesOf(server), account) : own;
    },
    add: (wanted) =>
      change((servers) => {
        refuseTakenName(servers, wanted.name);
        const server = StoredServer.parse({
          ...wanted,
          url: parseServerUrl(wanted.url).href,
          id: randomId(),
          addedAt: clock.now(),
        });
        return { servers: [...servers, server], value: entry(server, server.defaultAccount) };
      }),
    update: (id, changes) =>
      changeOne(id, (old, accountId, all) => {
        if (changes.name !== undefined && changes.name !== old.name) refuseTakenName(all, changes.name);
        return { server: { ...old, ...changes, id: old.id }, accountId };
      }),
    updateAccount: (id, changes) =>
      changeOne(id, (old, accountId) => ({ server: withAccount(old, accountId, changes), accountId })),
    addAccount: (id, name) =>
      changeOne(id, (old) => {
        const account = Account.parse({ id: randomId(), name: freeName(old, name), autoNamed: name === undefined });
        return { server: { ...old, accounts: [...old.accounts, account] }, accountId: account.id };
      }),
    makeDefault: (id) =>
      changeOne(id, (old, accountId) => ({ server: { ...old, defaultAccount: accountId }, accountId })),
    async removeAccount(id) {
      await changeOne(id, (old, accountId) => {
        const accounts = old.accounts.filter((account) => account.id !== accountId);
        const [next] = accounts;
        if (!next)
          throw new AppError('E_BAD_INPUT', 'A server keeps its last account. Remove the server instead.', {
            server: old.name,
          });
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

const unknownServer = (id: string) =>
  new AppError('E_SERVER_UNKNOWN', `There is no server "${sanitizeExternalText(id)}".`);
