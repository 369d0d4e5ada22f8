import { spawn } from 'node:child_process';
import type { KeychainChild } from './keychain-client.ts';

export interface NodeKeychainSpawnerOptions {
  /** The executable, usually process.execPath. */
  readonly command: string;
  /** What makes it the keychain child. */
  readonly args: readonly string[];
  /** The environment to choose from. */
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
    // A message to a process that has just ended is lost; its exit is what the other side hears of.
    child.on('error', () => {});
    return {
      post: (message) => void child.send(message, () => {}),
      onMessage: (listener) => void child.on('message', listener),
      onExit: (listener) => {
        child.once('exit', listener);
        // Could not be started at all.
        child.once('error', () => child.pid === undefined && listener());
      },
      kill: () => void child.kill('SIGKILL'),
    };
  };
}

/**
 * The environment of the keychain child: what it takes to reach the user's keychain and no more. No DISPLAY, so that
 * libsecret cannot start a bus of its own. KEYBRIDGE_KEYCHAIN_DBUS gives this child another session bus than the app's.
 */
export function keychainEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) =>
    /^(PATH|HOME|USER|LOGNAME|TMPDIR|DBUS_SESSION_BUS_ADDRESS|XDG_\w+|SystemRoot|windir|USERPROFILE|APPDATA|LOCALAPPDATA|TEMP|TMP)$/i.test(
      name,
    ),
  );
  const clean: Record<string, string> = {};
  for (const [name, value] of kept) if (value !== undefined) clean[name] = value;
  const ownBus = env['KEYBRIDGE_KEYCHAIN_DBUS'];
  if (ownBus !== undefined && ownBus !== '') clean['DBUS_SESSION_BUS_ADDRESS'] = ownBus;
  return clean;
}
