import type { ChildProcess } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { ensureKey, readPrivateFile } from '../broker/data-folder.ts';
import { takeKernelLock, type Lock } from '../broker/kernel-lock.ts';
import { parse } from '../broker/endpoint.ts';

/** A program and its arguments. */
export interface StartCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** How to start the app: `KEYBRIDGE_APP` (a path, or a JSON array of path and arguments), else what the app left in its data folder. */
export function startCommandOf(dataDir: string, env: NodeJS.ProcessEnv): StartCommand | undefined {
  const given = env['KEYBRIDGE_APP'];
  if (given?.startsWith('[')) {
    const [command, ...args] = parse(given) as unknown[];
    return checked({ command, args });
  }
  if (given) return { command: given, args: ['--hidden'] };
  const left = readPrivateFile(path.join(dataDir, 'app.json'));
  return left.kind === 'text' ? checked(parse(left.text) as Partial<StartCommand> | undefined) : undefined;
}

function checked(from: { command?: unknown; args?: unknown } | undefined): StartCommand | undefined {
  const { command, args } = from ?? {};
  const good = typeof command === 'string' && path.isAbsolute(command) && Array.isArray(args) && args.every((one): one is string => typeof one === 'string');
  return good ? { command, args } : undefined;
}

/** Whether a window can be shown. Electron without a display does not get as far as telling so. */
export const hasDisplay = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean =>
  platform !== 'linux' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);

/** The right to start the app, for one bridge at a time. Undefined: another bridge is at it, or the folder is not ours. */
export async function takeStart(dataDir: string): Promise<Lock | undefined> {
  const key = ensureKey(dataDir);
  return key.kind === 'key' ? takeKernelLock(dataDir, key.key, 'starter') : undefined;
}

/** Starts the app in a process group of its own, with nothing of this bridge or its host about it. */
export async function spawnApp({ command, args }: StartCommand, env: NodeJS.ProcessEnv, onError: (error: Error) => void): Promise<ChildProcess> {
  const { spawn } = await import('node:child_process');
  const child = spawn(command, args, { detached: true, stdio: 'ignore', windowsHide: true, cwd: os.homedir(), env: cleanEnvironment(env) });
  child.once('error', onError);
  child.unref();
  return child;
}

/** What a desktop program needs to find its user, screen, session and network. Hosts hand their own secrets to bridges. */
const allowed =
  /^(?:HOME|USER|LOGNAME|USERNAME|SHELL|PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_[A-Z_]+|DBUS_SESSION_BUS_ADDRESS|DESKTOP_SESSION|GNOME_KEYRING_CONTROL|HTTPS?_PROXY|https?_proxy|NO_PROXY|no_proxy|KEYBRIDGE_DATA_DIR|KEYBRIDGE_NODE|APPDATA|LOCALAPPDATA|USERPROFILE|HOMEDRIVE|HOMEPATH|SystemRoot|SystemDrive|windir|ProgramData|ProgramFiles(?:\(x86\))?|ComSpec|PATHEXT|COMPUTERNAME|USERDOMAIN|SESSIONNAME)$/;

export function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => allowed.test(name) || (process.platform === 'win32' && /^(?:systemroot|path|comspec)$/i.test(name))));
}
