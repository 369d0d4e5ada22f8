import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { namedAccount } from './accounts.ts';
import { viewsOf, type Server, type StoredServer } from './server.ts';

/** The entries (one per account) of the servers in the list. An unchanged server always has the same entry objects. */
export interface ServerViews {
  readonly entriesOf: (server: StoredServer) => readonly Server[];
  /** Throws E_SERVER_UNKNOWN. */
  entryOf(server: StoredServer, accountId: string): Server;
  /** Finds the server that an entry id belongs to. Throws E_SERVER_UNKNOWN. */
  serverOf(servers: readonly StoredServer[], id: string): StoredServer;
  /** See `Servers.find`. */
  find(servers: readonly StoredServer[], nameOrId: string, account: string | undefined): Server | undefined;
}

export function createServerViews(): ServerViews {
  const cache = new WeakMap<StoredServer, readonly Server[]>();
  const entriesOf = (server: StoredServer): readonly Server[] => {
    const entries = cache.get(server) ?? viewsOf(server);
    cache.set(server, entries);
    return entries;
  };
  return {
    entriesOf,
    entryOf(server, accountId) {
      const entry = entriesOf(server).find(({ account }) => account.id === accountId);
      if (!entry) throw unknownServer(`${server.id}:${accountId}`);
      return entry;
    },
    serverOf(servers, id) {
      const server = servers.find((one) => entriesOf(one).some((entry) => entry.id === id));
      if (!server) throw unknownServer(id);
      return server;
    },
    find(servers, nameOrId, account) {
      // `<server id>:<account id>` is an entry's id; names contain no colon.
      const [serverId = nameOrId, entryAccount] = nameOrId.split(':');
      const server =
        servers.find(({ name }) => name === nameOrId) ??
        servers.find(({ id }) => id === serverId) ??
        servers.find(({ title }) => title === nameOrId);
      if (!server || entryAccount === undefined) return server && namedAccount(entriesOf(server), account);
      const entry = entriesOf(server).find(({ id }) => id === nameOrId);
      return entry && account !== undefined ? namedAccount(entriesOf(server), account) : entry;
    },
  };
}

const unknownServer = (id: string) =>
  new AppError('E_SERVER_UNKNOWN', `There is no server "${sanitizeExternalText(id)}".`);
