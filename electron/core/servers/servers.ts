import type { SecretName } from '../../../shared/model.ts';
import { AppError, foreign } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports.ts';
import { Server, type ServersFile } from './server.ts';
import { loadServersFile, randomId, saveServersFile } from './servers-file.ts';
import { parseServerUrl } from './url.ts';

export { Registration, Server, ServersFile } from './server.ts';

/** What the user says of a new server. */
export type NewServer = Omit<Server, 'id' | 'addedAt' | 'registrations' | 'settings' | 'storedSecrets' | 'learnedScopes'> & Partial<Pick<Server, 'settings'>>;

/** The server list, in `servers.json`. Every change is on disk (temp, fsync, rename, with a backup) before the promise resolves. */
export interface Servers {
  readonly installId: string;
  list(): readonly Server[];
  /** By name or id. */
  find(server: string): Server | undefined;
  /** Throws E_SERVER_EXISTS, E_SERVER_URL, E_INSECURE_URL, E_CONFIG_WRITE. */
  add(server: NewServer): Promise<Server>;
  /** Throws E_SERVER_UNKNOWN, E_CONFIG_WRITE. */
  update(id: string, change: Partial<Omit<Server, 'id'>>): Promise<Server>;
  remove(id: string): Promise<void>;
  /** What was wrong with the file when it was opened: E_CONFIG_DAMAGED, E_CONFIG_NEWER (then read-only). */
  readonly notice: AppError | undefined;
}

/** Where the vault keeps the client secret that the user entered for a server. */
export const configuredSecretKey = (serverId: string): string => serverSecretKey(serverId, 'clientSecret');

/** Where the vault keeps a secret that the user entered for a server. */
export const serverSecretKey = (serverId: string, name: SecretName): string => (name === 'clientSecret' ? `${serverId}:configured` : `${serverId}:${name}`);

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

  const find = (nameOrId: string) =>
    file.servers.find(({ name }) => name === nameOrId) ?? file.servers.find(({ id }) => id === nameOrId);

  /** One change after the other, each on the newest list; in memory only once it is on disk. */
  function change<Value>(edit: (servers: readonly Server[]) => { servers: Server[]; value: Value }): Promise<Value> {
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

  return {
    installId: file.installId,
    notice,
    list: () => file.servers,
    find,
    add: (wanted) =>
      change((servers) => {
        refuseTakenName(servers, wanted.name);
        const server = Server.parse({ ...wanted, url: parseServerUrl(wanted.url).href, id: randomId(), addedAt: clock.now(), registrations: [] });
        return { servers: [...servers, server], value: server };
      }),
    update: (id, changes) =>
      change((servers) => {
        const old = servers.find((server) => server.id === id);
        if (!old) throw unknownServer(id);
        if (changes.name !== undefined && changes.name !== old.name) refuseTakenName(servers, changes.name);
        const server = Server.parse({ ...old, ...changes, id });
        return { servers: servers.map((each) => (each === old ? server : each)), value: server };
      }),
    remove: (id) =>
      change((servers) => {
        if (!servers.some((server) => server.id === id)) throw unknownServer(id);
        return { servers: servers.filter((server) => server.id !== id), value: undefined };
      }),
  };
}

/** A name must lead to one server, so it must not be another one's id either. */
function refuseTakenName(servers: readonly Server[], wanted: string): void {
  if (servers.some(({ id, name }) => name === wanted || id === wanted)) {
    throw new AppError('E_SERVER_EXISTS', `There is already a server named "${foreign(wanted)}".`);
  }
}

const unknownServer = (id: string) => new AppError('E_SERVER_UNKNOWN', `There is no server "${foreign(id)}".`);
