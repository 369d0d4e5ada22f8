import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { AppError } from '../core/base/errors.ts';

export interface BrowserEnvironment {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
}

const ownEnvironment = (): BrowserEnvironment => ({ env: process.env, platform: process.platform });

/** A program that still runs after this time counts as started. */
const failsWithinMs = 1_500;

/** Whether this process can open a page for a user: with `$BROWSER`, or on a local display. */
export function hasBrowser({ env, platform }: BrowserEnvironment = ownEnvironment()): boolean {
  if (env['BROWSER']) return true;
  if (platform === 'win32' || platform === 'darwin') return !env['SSH_CONNECTION'];
  return Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
}

/**
 * Opens a page in the user's browser: with each program of `$BROWSER` in turn (separated by `:`; `%s` stands for the
 * address), else with the system's opener. Uses no shell: the address is one argument. The caller must have checked
 * that the address is https, or http on loopback. Rejects with E_BROWSER if there is no browser or none starts.
 */
export async function openSystemBrowser(url: URL, environment: BrowserEnvironment = ownEnvironment()): Promise<void> {
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new AppError('E_BROWSER', 'Only web addresses are opened in the browser.');
  if (!hasBrowser(environment))
    throw new AppError('E_BROWSER', 'There is no browser: no display, and no program in $BROWSER.');
  for (const command of commandsFor(url.href, environment)) if (await starts(command, environment.env)) return;
  throw new AppError('E_BROWSER', 'No browser could be started.');
}

type Command = readonly [string, ...string[]];

function commandsFor(address: string, { env, platform }: BrowserEnvironment): Command[] {
  const chosen = env['BROWSER'];
  if (chosen) return browserVariable(chosen, address, platform === 'win32' ? ';' : ':');
  if (platform === 'darwin') return [['open', address]];
  // Not `cmd /c start`: that is a shell, and `&` in an address would end the command.
  if (platform === 'win32') return [['rundll32', 'url.dll,FileProtocolHandler', address]];
  return [['xdg-open', address]];
}

/**
 * Reads `$BROWSER` as xdg-open does: programs separated by `:`, arguments by blanks. A path with blanks is one program
 * if it is executable.
 */
function browserVariable(value: string, address: string, separator: string): Command[] {
  if (isProgram(value)) return [[value, address]];
  return value.split(separator).flatMap((entry) => {
    const [program, ...args] = entry.split(/\s+/).filter(Boolean);
    if (program === undefined) return [];
    const filled = args.map((arg) => arg.replaceAll('%s', () => address));
    return [args.some((arg) => arg.includes('%s')) ? [program, ...filled] : [program, ...filled, address]];
  });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return path.isAbsolute(file);
  } catch {
    return false;
  }
}

/**
 * Returns false if the program does not exist or fails at once. The program outlives this process, and gets no variable
 * of Keybridge.
 */
function starts([program, ...args]: Command, env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: withoutOwn(env), shell: false, detached: true, stdio: 'ignore' });
    const timer = setTimeout(() => resolve(true), failsWithinMs);
    const end = (opened: boolean) => {
      clearTimeout(timer);
      resolve(opened);
    };
    child.once('error', () => end(false));
    child.once('exit', (code) => end(code === 0));
    child.unref();
  });
}

/** KEYBRIDGE_CLIENT_SECRET must not reach a browser. */
const withoutOwn = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('KEYBRIDGE_')));
