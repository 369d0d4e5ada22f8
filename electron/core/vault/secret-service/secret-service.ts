import { busSockets, ownBusSocket } from './bus-address.ts';
import { bus, connectToBus, type DbusConnection } from './dbus-connection.ts';

/** The state of the default collection, in which secrets are stored (freedesktop.org Secret Service API). */
type CollectionState =
  /** `owner`: the unique bus name of the service. It changes when the service is restarted. */
  | { readonly kind: 'unlocked' | 'locked' | 'no_collection'; readonly owner: string }
  /** This bus has no Secret Service, and none that it could start. */
  | { readonly kind: 'no_service' }
  | { readonly kind: 'no_bus'; readonly detail: string };

export interface SecretService {
  state(): Promise<CollectionState>;
  close(): void;
}

const service = 'org.freedesktop.secrets';
const servicePath = '/org/freedesktop/secrets';

/**
 * Asks the Secret Service what libsecret does not tell: whether the default collection is locked. Never prompts, and
 * never starts a bus. `address`: of the session bus, as in DBUS_SESSION_BUS_ADDRESS; undefined if there is none. Only a
 * bus of this user is used: the owner of a bus could read the secrets and impersonate the keychain.
 */
export function createSecretService(address: string | undefined): SecretService {
  let connection: DbusConnection | undefined;
  /** True once the service has replied on this connection, so that its existence need not be checked again. */
  let serviceExists = false;

  async function collectionState(to: DbusConnection): Promise<CollectionState> {
    if (!serviceExists) {
      const missing = await missingService(to);
      if (missing) return missing;
    }
    const alias = await to.call({
      destination: service,
      path: servicePath,
      interface: 'org.freedesktop.Secret.Service',
      member: 'ReadAlias',
      args: ['default'],
    });
    if (alias.kind === 'closed') return { kind: 'no_bus', detail: alias.detail };
    serviceExists = alias.kind === 'reply';
    if (alias.kind === 'error') return { kind: 'no_service' };
    const [path] = alias.body;
    if (typeof path !== 'string' || path === '/') return { kind: 'no_collection', owner: alias.sender };
    const properties = {
      destination: service,
      path,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
    } as const;
    const locked = await to.call({ ...properties, args: ['org.freedesktop.Secret.Collection', 'Locked'] });
    if (locked.kind === 'closed') return { kind: 'no_bus', detail: locked.detail };
    if (locked.kind === 'error') return { kind: 'no_collection', owner: alias.sender };
    return { kind: locked.body[0] === false ? 'unlocked' : 'locked', owner: locked.sender };
  }

  return {
    async state() {
      if (!connection?.open) {
        const socket = address === undefined ? undefined : ownBusSocket(address);
        if (socket === undefined) return { kind: 'no_bus', detail: whyNoBus(address) };
        serviceExists = false;
        connection = connectToBus(socket);
      }
      return collectionState(connection);
    },
    close: () => connection?.close(),
  };
}

function whyNoBus(address: string | undefined): string {
  if (address === undefined) return 'there is no session bus';
  return busSockets(address).length === 0
    ? 'the session bus is not a Unix socket'
    : 'the session bus does not exist, or belongs to another user';
}

/** Returns undefined if the service is running, or the bus can start it. These calls to the bus start nothing. */
async function missingService(to: DbusConnection): Promise<CollectionState | undefined> {
  const owned = await to.call({ ...bus, member: 'NameHasOwner', args: [service] });
  if (owned.kind === 'closed') return { kind: 'no_bus', detail: owned.detail };
  if (owned.kind === 'reply' && owned.body[0] === true) return undefined;
  const startable = await to.call({ ...bus, member: 'ListActivatableNames', args: [] });
  if (startable.kind === 'closed') return { kind: 'no_bus', detail: startable.detail };
  const names: unknown = startable.kind === 'reply' ? startable.body[0] : [];
  return Array.isArray(names) && names.includes(service) ? undefined : { kind: 'no_service' };
}
