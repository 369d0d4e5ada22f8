import { ownBusSocket } from '../../core/vault/secret-service/bus-address.ts';
import { bus, connectToBus, type DbusConnection } from '../../core/vault/secret-service/dbus-connection.ts';
import { withLimit } from '../../core/base/async.ts';
import { systemClock } from '../../core/base/system-clock.ts';

const watcher = { destination: 'org.kde.StatusNotifierWatcher', path: '/StatusNotifierWatcher' } as const;
/** A panel that does not answer shows nothing either. */
const longestAnswerMs = 2_000;

/**
 * Whether a panel shows this process's tray icon, as far as can be told: on Linux by what the StatusNotifierWatcher
 * says (freedesktop.org StatusNotifierItem), since many desktops have no tray at all; elsewhere there always is one.
 * `address`: of the session bus; undefined: there is none.
 */
export async function trayIconIsShown(
  address = process.env['DBUS_SESSION_BUS_ADDRESS'],
  pid = process.pid,
): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const socket = address === undefined ? undefined : ownBusSocket(address);
  if (socket === undefined) return false;
  const connection = connectToBus(socket);
  try {
    return await withLimit(isShown(connection, pid), { clock: systemClock(), ms: longestAnswerMs, late: () => false });
  } finally {
    connection.close();
  }
}

/** A panel is there, and an icon of ours stands on its list. */
async function isShown(connection: DbusConnection, pid: number): Promise<boolean> {
  // Asked first: a call to a name that nobody has could start a program.
  if ((await answer(connection, 'NameHasOwner', watcher.destination)) !== true) return false;
  if ((await property(connection, 'IsStatusNotifierHostRegistered')) !== true) return false;
  const items = await property(connection, 'RegisteredStatusNotifierItems');
  if (!Array.isArray(items)) return false;
  // Each is a bus name, and behind it a path where that is not the usual one.
  const owners = items.map((item) => String(item).split('/', 1)[0] ?? '').filter((owner) => owner !== '');
  const pids = await Promise.all(owners.map((owner) => answer(connection, 'GetConnectionUnixProcessID', owner)));
  return pids.includes(pid);
}

/** What the bus itself says; undefined: an error. */
async function answer(connection: DbusConnection, member: string, arg: string): Promise<unknown> {
  const reply = await connection.call({ ...bus, member, args: [arg] });
  return reply.kind === 'reply' ? reply.body[0] : undefined;
}

async function property(connection: DbusConnection, name: string): Promise<unknown> {
  const reply = await connection.call({
    ...watcher,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    args: [watcher.destination, name],
  });
  return reply.kind === 'reply' ? reply.body[0] : undefined;
}
