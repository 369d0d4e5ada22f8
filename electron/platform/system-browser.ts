import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { AppError } from '../core/base/errors.ts';

export interface BrowserEnvironment {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
}

const here = (): BrowserEnvironment => ({ env: process.env, platform: process.platform });

/** How long a program may take to say that it failed. A browser that still runs then has opened. */
const failsWithinMs = 1_500;

/** Whether this process can be expected to show a person a page: `$BROWSER`, or a display that is not far away. */
export function hasBrowser({ env, platform }: BrowserEnvironment = here()): boolean {
  if (env['BROWSER']) return true;
  if (platform === 'win32' || platform === 'darwin') return !env['SSH_CONNECTION'];
  return Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
}

/**
 * Opens a page in the user's browser: each program of `$BROWSER` in turn (separated by `:`, `%s` stands for the
 * address), else the system's opener. No shell: the address is one argument. Takes https, and http for loopback; the
 * caller has checked that. Rejects with E_BROWSER when there is no browser or none started.
 */
export async function openSystemBrowser(url: URL, where: BrowserEnvironment = here()): Promise<void> {
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new AppError('E_BROWSER', 'Only web addresses are opened in the browser.');
  if (!hasBrowser(where))
    throw new AppError('E_BROWSER', 'There is no browser here: no display, and no program in $BROWSER.');
  for (const command of commandsFor(url.href, where)) if (await starts(command, where.env)) return;
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
 * Like xdg-open reads it: programs separated by `:`, arguments by blanks. A path with blanks in it is taken whole if it
 * is a program.
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
 * False when the program is not there or fails at once. It outlives this process, and gets none of Keybridge's own
 * variables.
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

/** KEYBRIDGE_CLIENT_SECRET is nothing for a browser. */
const withoutOwn = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('KEYBRIDGE_')));
