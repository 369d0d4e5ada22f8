// A private session bus and a real gnome-keyring, separate from the user's: for tests, and for the demo on a machine
// without a keyring.
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
 * address: for DBUS_SESSION_BUS_ADDRESS; `env`: the environment of a program that is to use only this bus.
 */

/**
 * Starts a private D-Bus session bus.
 * @param {{ services?: boolean }} options services: lets the bus start installed services, which a panel needs
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
    await until('the private session bus', () => hasOwner(bus, 'org.freedesktop.DBus'), 10_000, daemon);
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
 * Starts a gnome-keyring as the Secret Service on `bus`, or on a private bus if none is given. `env` is for a program
 * that is to use it; KEYBRIDGE_KEYCHAIN_DBUS passes the address to the keychain child only.
 * @param {{ bus?: { address: string, env: NodeJS.ProcessEnv }, locked?: boolean }} options
 */
export async function startPrivateKeyring({ bus: given, locked = false } = {}) {
  const bus = given ?? (await startPrivateBus());
  const daemon = startBackground('gnome-keyring-daemon', ['--unlock', '--components=secrets', '--foreground'], {
    env: bus.env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // The daemon may end before it reads.
  daemon.child.stdin?.on('error', () => {});
  // The password with which the keyring "login" is created or unlocked. No newline may follow.
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
    await until('the private keyring', () => hasOwner(bus, secretsName), 10_000, daemon);
    if (locked) await keyring.lock();
    return keyring;
  } catch (error) {
    await keyring.stop();
    throw error;
  }
}

/** Whether there is a Secret Service on the session bus of this process. */
export async function secretServiceRuns() {
  const address = process.env.DBUS_SESSION_BUS_ADDRESS;
  return address !== undefined && address !== '' && hasOwner({ address, env: process.env }, secretsName);
}

/**
 * Asks the bus whether a name has an owner. Unlike a call to that name, this starts no service.
 * @param {{ address: string, env: NodeJS.ProcessEnv }} bus
 * @param {string} name
 */
async function hasOwner({ address, env }, name) {
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
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  ${services ? '<standard_session_servicedirs/>' : ''}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
}

/**
 * The environment without the variables that connect a program to the user's session.
 * @param {NodeJS.ProcessEnv} env
 */
function withoutSession(env) {
  const ofSession = [
    'DBUS_SESSION_BUS_ADDRESS',
    'DBUS_SESSION_BUS_PID',
    'GNOME_KEYRING_CONTROL',
    'SSH_AUTH_SOCK',
    'WAYLAND_DISPLAY',
  ];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ofSession.includes(name)));
}
