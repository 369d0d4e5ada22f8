import { ownBusSocket } from '../../core/vault/secret-service/bus-address.ts';
import { bus, connectToBus, type DbusConnection } from '../../core/vault/secret-service/dbus-connection.ts';
import { withLimit } from '../../core/base/async.ts';
import { systemClock } from '../../core/base/system-clock.ts';

const watcher = { destination: 'org.kde.StatusNotifierWatcher', path: '/StatusNotifierWatcher' } as const;
/** A panel that does not respond within this time does not show the icon either. */
const responseLimitMs = 2_000;

/**
 * Whether a panel shows this process's tray icon. Many Linux desktops have no tray, so there the StatusNotifierWatcher
 * is asked (freedesktop.org StatusNotifierItem). Other systems always have a tray. `address` is that of the session
 * bus; undefined if there is none.
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
    return await withLimit(isShown(connection, pid), { clock: systemClock(), ms: responseLimitMs, late: () => false });
  } finally {
    connection.close();
  }
}

/** Whether there is a panel and this process is on its list of icons. */
async function isShown(connection: DbusConnection, pid: number): Promise<boolean> {
  // First, because a call to a name without an owner could start a program.
  if ((await callBus(connection, 'NameHasOwner', watcher.destination)) !== true) return false;
  if ((await property(connection, 'IsStatusNotifierHostRegistered')) !== true) return false;
  const items = await property(connection, 'RegisteredStatusNotifierItems');
  if (!Array.isArray(items)) return false;
  // Each item is a bus name, followed by a path unless that is the default one.
  const owners = items.map((item) => String(item).split('/', 1)[0] ?? '').filter((owner) => owner !== '');
  const pids = await Promise.all(owners.map((owner) => callBus(connection, 'GetConnectionUnixProcessID', owner)));
  return pids.includes(pid);
}

/** Calls a method of the bus itself. Returns undefined on an error. */
async function callBus(connection: DbusConnection, member: string, arg: string): Promise<unknown> {
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
