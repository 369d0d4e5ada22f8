import path from 'node:path';
import { readJson } from '../../shared/json.ts';
import { appEnvironment, hasDisplay } from './app-environment.ts';
import { codeOf, ensureKey, readPrivateFile } from '../local-socket/data-folder.ts';
import { takeKernelLock } from '../local-socket/process-lock.ts';
import type { Lock } from '../local-socket/lock.ts';

/** Starts the app when nobody listens. Of all bridges on a data folder, one does so, once. */
export interface AppLauncher {
  /**
   * To be called whenever nobody listens. 'connect_again': this bridge has just taken the lock, and another one may
   * have started the app before that. If still nobody listens, the next call starts it.
   */
  attempt(): Promise<'connect_again' | 'wait'>;
  /** Ends the attempts of this bridge. Another one may start the app. */
  release(): void;
  /** The result of the attempts so far, as a sentence. */
  readonly outcome: string;
  /** As far as this bridge knows, the app cannot be started. */
  readonly hopeless: boolean;
}

type Command = readonly [string, ...string[]];

export function createAppLauncher(dataDir: string, env: NodeJS.ProcessEnv): AppLauncher {
  let outcome = 'Keybridge is not running.';
  let lock: Lock | undefined;
  let done = false;
  let hopeless = false;

  const fail = (reason: string) => {
    hopeless = true;
    outcome = reason;
  };

  const start = async ([command, ...args]: Command) => {
    // Loaded only when needed: most bridges start faster without it.
    const { spawn } = await import('node:child_process');
    try {
      const child = spawn(command, args, {
        cwd: dataDir,
        env: appEnvironment(env, dataDir),
        detached: true,
        stdio: 'ignore',
        windowsHide: true,
      });
      outcome = 'Keybridge was started but does not answer yet.';
      child.once('error', (error) => fail(`Keybridge could not be started (${codeOf(error)}).`));
      child.once('exit', (code, signal) => {
        // The app ends with 0 when another one is running.
        if (code !== 0) fail(`Keybridge was started and ended at once (${signal ?? `exit code ${code}`}).`);
      });
      child.unref();
    } catch (error) {
      fail(`Keybridge could not be started (${codeOf(error)}).`);
    }
  };

  const takeLock = async () =>
    ensureKey(dataDir).kind === 'key' ? takeKernelLock(dataDir, 'starter').catch(() => undefined) : undefined;

  return {
    async attempt() {
      if (done) return 'wait';
      const command = startCommand(dataDir, env);
      if (typeof command === 'string') {
        fail(command);
        return 'wait';
      }
      hopeless = false;
      if (!lock) {
        lock = await takeLock();
        outcome = 'Keybridge is being started but does not answer yet.';
        return lock ? 'connect_again' : 'wait';
      }
      done = true;
      await start(command);
      return 'wait';
    },
    release() {
      void lock?.release();
      lock = undefined;
      done = true;
    },
    get outcome() {
      return outcome;
    },
    get hopeless() {
      return hopeless;
    },
  };
}

/**
 * The command that the app has left in the data folder. No other source is trusted: the environment comes from the
 * configuration of one host. Returns a sentence if the app cannot be started.
 */
function startCommand(dataDir: string, env: NodeJS.ProcessEnv): Command | string {
  const command = commandInFolder(dataDir);
  if (typeof command === 'string') return command;
  if (!hasDisplay(env)) return 'Keybridge is not running, and there is no display to start it on.';
  return command ?? 'Keybridge is not running, and has never been started on this data folder.';
}

/** The app writes `app.json` at each start. The file is not trusted if other users can write it. */
function commandInFolder(dataDir: string): Command | string | undefined {
  const file = readPrivateFile(path.join(dataDir, 'app.json'));
  if (file.kind === 'unsafe')
    return `Keybridge is not running, and the file that says how to start it cannot be trusted: ${file.message}`;
  if (file.kind === 'absent') return undefined;
  const { command, args } = (readJson(file.text) ?? {}) as { command?: unknown; args?: unknown };
  return asCommand([command, ...(Array.isArray(args) ? (args as unknown[]) : [])]);
}

function asCommand(value: unknown): Command | undefined {
  if (!Array.isArray(value) || !value.every((part) => typeof part === 'string' && !part.includes('\0')))
    return undefined;
  const [command, ...args] = value as string[];
  return command ? [command, ...args] : undefined;
}
