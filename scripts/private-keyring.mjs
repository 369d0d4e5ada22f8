// A session bus and a real gnome-keyring of our own, apart from the user's: for the demo without a keyring, and for
// tests.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { startBackground, until } from './background.mjs';

const exec = promisify(execFile);
const secretsName = 'org.freedesktop.secrets';
const secretsPath = '/org/freedesktop/secrets';

/**
 * @typedef {Awaited<ReturnType<typeof startPrivateBus>>} PrivateBus
 * address: for DBUS_SESSION_BUS_ADDRESS; `env`: what a program needs to be on this bus and on no other.
 */

/**
 * A D-Bus session bus that nothing else uses.
 * @param {{ services?: boolean }} options services: the bus may start the services that are installed (a panel needs
 *   that)
 */
export async function startPrivateBus({ services = false } = {}) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'keybridge-bus-'));
  for (const name of ['run', 'data', 'config', 'cache']) await mkdir(path.join(folder, name), { mode: 0o700 });
  const address = `unix:path=${path.join(folder, 'bus')}`;
  const config = path.join(folder, 'bus.conf');
  await writeFile(config, busConfig(address, services));
  const env = {
    ...withoutSession(process.env),
    DBUS_SESSION_BUS_ADDRESS: address,
    XDG_RUNTIME_DIR: path.join(folder, 'run'),
    XDG_DATA_HOME: path.join(folder, 'data'),
    XDG_CONFIG_HOME: path.join(folder, 'config'),
    XDG_CACHE_HOME: path.join(folder, 'cache'),
  };
  const daemon = startBackground('dbus-daemon', [`--config-file=${config}`, '--nofork', '--nopidfile'], { env });
  const bus = { address, folder, env };
  try {
    await until('the private session bus', () => answers(bus, 'org.freedesktop.DBus'), 10_000, daemon);
  } catch (error) {
    await daemon.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    ...bus,
    async stop() {
      await daemon.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * A gnome-keyring that answers as the Secret Service on `bus` (its own when none is given).
 * `env` is what one child needs to reach it: KEYBRIDGE_KEYCHAIN_DBUS hands it to the keychain child alone.
 * @param {{ bus?: { address: string, env: NodeJS.ProcessEnv }, locked?: boolean }} options
 */
export async function startPrivateKeyring({ bus: given, locked = false } = {}) {
  const bus = given ?? (await startPrivateBus());
  const daemon = startBackground('gnome-keyring-daemon', ['--unlock', '--components=secrets', '--foreground'], {
    env: bus.env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  daemon.child.stdin?.on('error', () => {}); // it ended before it read
  // Makes the keyring "login" with this password, or unlocks it. No newline may follow.
  daemon.child.stdin?.end('private');
  const keyring = {
    address: bus.address,
    env: { DBUS_SESSION_BUS_ADDRESS: bus.address },
    lock: () => call(bus, 'org.freedesktop.Secret.Service.Lock', `[objectpath "${secretsPath}/collection/login"]`),
    async stop() {
      await daemon.stop();
      if (!given && 'stop' in bus) await bus.stop();
    },
  };
  try {
    await until('the private keyring', () => answers(bus, secretsName), 10_000, daemon);
    if (locked) await keyring.lock();
    return keyring;
  } catch (error) {
    await keyring.stop();
    throw error;
  }
}

/** Whether a Secret Service is on the session bus of this process. */
export async function secretServiceRuns() {
  const address = process.env.DBUS_SESSION_BUS_ADDRESS;
  return address !== undefined && address !== '' && answers({ address, env: process.env }, secretsName);
}

/**
 * Asks the bus who owns a name; unlike a call to the name, that starts nothing.
 * @param {{ address: string, env: NodeJS.ProcessEnv }} bus
 * @param {string} name
 */
async function answers({ address, env }, name) {
  const { stdout } = await exec(
    'gdbus',
    ['call', '--address', address, ...dbusObject, '--method', 'org.freedesktop.DBus.NameHasOwner', name],
    { env },
  ).catch(() => ({ stdout: '' }));
  return stdout.includes('true');
}

/**
 * @param {{ address: string, env: NodeJS.ProcessEnv }} bus
 * @param {string} method
 * @param {string[]} args
 */
async function call({ address, env }, method, ...args) {
  await exec(
    'gdbus',
    ['call', '--address', address, '--dest', secretsName, '--object-path', secretsPath, '--method', method, ...args],
    { env },
  );
}

const dbusObject = ['--dest', 'org.freedesktop.DBus', '--object-path', '/org/freedesktop/DBus'];

/**
 * @param {string} address
 * @param {boolean} services
 */
function busConfig(address, services) {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  ${services ? '<standard_session_servicedirs/>' : ''}
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
`;
}

/**
 * The environment without what ties a program to the user's own session.
 * @param {NodeJS.ProcessEnv} env
 */
function withoutSession(env) {
  const tied = [
    'DBUS_SESSION_BUS_ADDRESS',
    'DBUS_SESSION_BUS_PID',
    'GNOME_KEYRING_CONTROL',
    'SSH_AUTH_SOCK',
    'WAYLAND_DISPLAY',
  ];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !tied.includes(name)));
}
