import { busSockets, ownBusSocket } from './bus-address.ts';
import { bus, connectToBus, type DbusConnection } from './dbus-connection.ts';

/**
 * What the Secret Service says about the collection in which secrets are stored (freedesktop.org Secret Service API).
 */
type CollectionState =
  /** `owner`: the service's unique name on the bus; another one means that it was restarted. */
  | { readonly kind: 'unlocked' | 'locked' | 'no_collection'; readonly owner: string }
  /** Nothing on this bus is a Secret Service, or could become one. */
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
 * never starts a bus. `address`: of the session bus, as in DBUS_SESSION_BUS_ADDRESS; undefined: there is none. A bus
 * that another user of the computer or another machine holds is none either: whoever holds it reads and answers in the
 * keychain's name.
 */
export function createSecretService(address: string | undefined): SecretService {
  let connection: DbusConnection | undefined;
  /** The service answered on this connection before: then it is asked straight away. */
  let met = false;

  /** The default collection's state, or the first answer that makes the question moot. */
  async function ask(to: DbusConnection): Promise<CollectionState> {
    if (!met) {
      const nobody = await nobodyThere(to);
      if (nobody) return nobody;
    }
    const alias = await to.call({
      destination: service,
      path: servicePath,
      interface: 'org.freedesktop.Secret.Service',
      member: 'ReadAlias',
      args: ['default'],
    });
    if (alias.kind === 'closed') return { kind: 'no_bus', detail: alias.detail };
    met = alias.kind === 'reply';
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
        met = false;
        connection = connectToBus(socket);
      }
      return ask(connection);
    },
    close: () => connection?.close(),
  };
}

function whyNoBus(address: string | undefined): string {
  if (address === undefined) return 'there is no session bus';
  return busSockets(address).length === 0
    ? 'the session bus is not a Unix socket'
    : 'the session bus is not there, or belongs to another user';
}

/** Whether there is a service, or one that the bus would start at the next call. Asking the bus starts nothing. */
async function nobodyThere(to: DbusConnection): Promise<CollectionState | undefined> {
  const owned = await to.call({ ...bus, member: 'NameHasOwner', args: [service] });
  if (owned.kind === 'closed') return { kind: 'no_bus', detail: owned.detail };
  if (owned.kind === 'reply' && owned.body[0] === true) return undefined;
  const startable = await to.call({ ...bus, member: 'ListActivatableNames', args: [] });
  if (startable.kind === 'closed') return { kind: 'no_bus', detail: startable.detail };
  const names: unknown = startable.kind === 'reply' ? startable.body[0] : [];
  return Array.isArray(names) && names.includes(service) ? undefined : { kind: 'no_service' };
}
