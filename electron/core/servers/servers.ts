import type { AppError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { createSemaphore } from '../base/semaphore.ts';
import type { ListMacs } from '../vault/list-macs.ts';
import type { StoreFault } from '../vault/secret-store.ts';
import type { SetAside } from './items.ts';
import { createServerList } from './list.ts';
import {
  addAccount,
  makeDefault,
  newServer,
  refuseTakenName,
  removeAccount,
  updateAccount,
  updateServer,
  type AccountChange,
  type NewServer,
  type ServerChange,
  type ServerEdit,
} from './server-edits.ts';
import { createServerViews } from './server-views.ts';
import { StoredServer, type Server } from './server.ts';
import { loadServersFile } from './servers-file.ts';

/**
 * The server list, in `servers.json`. Every change is on disk (temp, fsync, rename, with a backup) before the promise
 * resolves.
 */
export interface Servers {
  readonly installId: string;
  /** One entry per account. */
  list(): readonly Server[];
  /**
   * Finds an entry by the name or id of the server, and by the name or id of the account, which defaults to the
   * server's default account. An entry's own id identifies both.
   */
  find(server: string, account?: string): Server | undefined;
  /** Adds a server with one account. Throws E_SERVER_EXISTS, E_SERVER_URL, E_INSECURE_URL, E_CONFIG_WRITE. */
  add(server: NewServer): Promise<Server>;
  /** `id`: of an entry. Throws E_SERVER_UNKNOWN, E_SERVER_EXISTS, E_CONFIG_WRITE. */
  update(id: string, change: ServerChange): Promise<Server>;
  /** Throws E_SERVER_UNKNOWN, E_ACCOUNT_EXISTS, E_CONFIG_WRITE. */
  updateAccount(id: string, change: AccountChange): Promise<Server>;
  /** Adds an account. Without a name, it has a temporary one until someone signs in. Throws as `updateAccount`. */
  addAccount(id: string, name?: string): Promise<Server>;
  /** Makes this the account that is used if none is named. */
  makeDefault(id: string): Promise<Server>;
  /** Removes an account. If it was the default, the next one becomes it. Throws E_BAD_INPUT for the only account. */
  removeAccount(id: string): Promise<void>;
  /** Removes the server with all accounts. */
  remove(id: string): Promise<void>;
  /** Entries that are not used: damaged, or changed by another program. They are kept in the file unchanged. */
  readonly setAside: readonly SetAside[];
  /** True: the entries are not verified yet, because the secret store could not be read. */
  readonly unchecked: boolean;
  /**
   * Verifies who wrote each entry, with a key from the secret store. If the data folder has no key yet, calls `first`,
   * then creates one. `gone`: ids of entries that are not used any longer. Throws what `first` throws.
   */
  check(first: () => Promise<void>): Promise<{ readonly kind: 'done'; readonly gone?: readonly string[] } | StoreFault>;
  /** Starts using an entry that another program changed. Throws E_SERVER_UNKNOWN, E_CONFIG_ENTRY, E_CONFIG_WRITE. */
  accept(key: string): Promise<Server>;
  /** Removes an entry that is not used from the file. */
  drop(key: string): Promise<void>;
  /** Resolves when all writes that have started are done. */
  idle(): Promise<void>;
  /** A problem with the file when it was opened: E_CONFIG_DAMAGED, E_CONFIG_NEWER (then read-only). */
  readonly notice: AppError | undefined;
}

export interface ServersDeps {
  /** The folder of `servers.json`. The caller holds its lock. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Signs the entries. Undefined for the memory store: the entries are then not signed. */
  readonly macs: ((installId: string) => ListMacs) | undefined;
}

/**
 * Opens the server list. A damaged file is set aside and the last good copy used; a newer one is shown but not written.
 * Throws E_CONFIG_UNSAFE if others could have written the file, E_CONFIG_WRITE if it cannot be read at all.
 */
export async function openServers({ dataDir, clock, log, macs }: ServersDeps): Promise<Servers> {
  const loaded = await loadServersFile(dataDir, clock.now(), log);
  const { notice, installId } = loaded;
  const list = createServerList({ dataDir, log, loaded, macs: macs?.(installId) });
  const views = createServerViews();
  const lock = createSemaphore(1);
  let beforeFirst = async (): Promise<void> => {};
  /** True once a change has tried to read the key. After that, only `check` tries again. */
  let keyRequested = false;

  /** Runs one change at a time, each on the current list. */
  function change<Value>(
    edit: (servers: readonly StoredServer[]) => { servers: StoredServer[]; value: Value },
  ): Promise<Value> {
    return lock.run(async () => {
      // Reads the key, so that the changed entry can be signed.
      if (!keyRequested) await list.check(beforeFirst).catch(() => {});
      keyRequested = true;
      const { servers, value } = edit(list.used);
      await list.replace(servers);
      return value;
    });
  }

  const changeOne = (id: string, edit: ServerEdit): Promise<Server> =>
    change((servers) => {
      const before = views.serverOf(servers, id);
      const { server, accountId } = edit(before, id.slice(before.id.length + 1));
      if (server.name !== before.name) refuseTakenName(servers, list.setAside, server.name);
      const after = StoredServer.parse(server);
      return { servers: servers.map((one) => (one === before ? after : one)), value: views.entryOf(after, accountId) };
    });

  async function check(first: () => Promise<void>): ReturnType<Servers['check']> {
    if (!list.unchecked) return { kind: 'done' };
    const before = list.used;
    keyRequested = true;
    const checked = await list.check(first);
    if (checked.kind !== 'done') return checked;
    const gone = before.filter((server) => !list.used.includes(server)).flatMap(views.entriesOf);
    return { kind: 'done', gone: gone.map(({ id }) => id) };
  }

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
      return lock.run(() => check(first));
    },
    accept: (key) =>
      lock.run(async () => {
        const server = await list.accept(key);
        return views.entryOf(server, server.defaultAccount);
      }),
    drop: (key) => lock.run(() => list.drop(key)),
    idle: () => lock.run(async () => {}),
    list: () => list.used.flatMap(views.entriesOf),
    find: (nameOrId, account) => views.find(list.used, nameOrId, account),
    add: (input) =>
      change((servers) => {
        refuseTakenName(servers, list.setAside, input.name);
        const server = newServer(input, clock.now());
        return { servers: [...servers, server], value: views.entryOf(server, server.defaultAccount) };
      }),
    update: (id, changes) => changeOne(id, updateServer(changes)),
    updateAccount: (id, changes) => changeOne(id, updateAccount(changes)),
    addAccount: (id, name) => changeOne(id, addAccount(name)),
    makeDefault: (id) => changeOne(id, makeDefault),
    async removeAccount(id) {
      await changeOne(id, removeAccount);
    },
    remove: (id) =>
      change((servers) => {
        const removed = views.serverOf(servers, id);
        return { servers: servers.filter((server) => server !== removed), value: undefined };
      }),
  };
}
