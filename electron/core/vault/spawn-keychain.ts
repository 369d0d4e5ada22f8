import { spawn } from 'node:child_process';
import type { KeychainChild } from './keychain-child.ts';

export interface NodeKeychainSpawnerOptions {
  /** The executable, usually process.execPath. */
  readonly command: string;
  /** The arguments that start it as the keychain child. */
  readonly args: readonly string[];
  /** Filtered by `keychainEnv` before it is passed on. */
  readonly env: NodeJS.ProcessEnv;
}

/** Starts keychain children as plain Node processes with an ipc channel. */
export function createNodeKeychainSpawner({ command, args, env }: NodeKeychainSpawnerOptions): () => KeychainChild {
  return () => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: keychainEnv(env),
      windowsHide: true,
    });
    // Sending to a process that has just ended fails. The exit event reports that, so the error is ignored.
    child.on('error', () => {});
    return {
      post: (message) => void child.send(message, () => {}),
      onMessage: (listener) => void child.on('message', listener),
      onExit: (listener) => {
        child.once('exit', listener);
        // If the process could not be started, there is no exit event.
        child.once('error', () => child.pid === undefined && listener());
      },
      kill: () => void child.kill('SIGKILL'),
    };
  };
}

const neededVariables: ReadonlySet<string> = new Set([
  'APPDATA',
  'DBUS_SESSION_BUS_ADDRESS',
  'HOME',
  'LOCALAPPDATA',
  'LOGNAME',
  'PATH',
  'SYSTEMROOT',
  'TEMP',
  'TMP',
  'TMPDIR',
  'USER',
  'USERPROFILE',
  'WINDIR',
]);
const isNeeded = (name: string): boolean => neededVariables.has(name.toUpperCase()) || /^XDG_\w+$/i.test(name);

/**
 * Returns the environment of the keychain child: only what it needs to reach the user's keychain. Without DISPLAY,
 * libsecret cannot start a bus of its own. KEYBRIDGE_KEYCHAIN_DBUS overrides the session bus for the child alone.
 */
export function keychainEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const needed: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && isNeeded(name)) needed[name] = value;
  const busOverride = env['KEYBRIDGE_KEYCHAIN_DBUS'];
  if (busOverride !== undefined && busOverride !== '') needed['DBUS_SESSION_BUS_ADDRESS'] = busOverride;
  return needed;
}
