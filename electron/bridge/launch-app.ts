import path from 'node:path';
import { readJson } from '../../shared/json.ts';
import { appEnvironment, hasDisplay } from './app-environment.ts';
import { codeOf, ensureKey, readPrivateFile } from '../local-socket/data-folder.ts';
import { takeKernelLock } from '../local-socket/process-lock.ts';
import type { Lock } from '../local-socket/lock.ts';

/** Starts the app when nobody listens: of all bridges of a data folder one does, once. */
export interface AppLauncher {
  /**
   * To be called whenever nobody was listening. 'connect_again': it is this bridge's turn now, and another one may have
   * started the app just before; if still nobody listens, the next call starts it.
   */
  attempt(): Promise<'connect_again' | 'wait'>;
  /** No more attempts; another bridge may. */
  release(): void;
  /** What became of it, as a sentence. */
  readonly outcome: string;
  /** Nothing that this bridge knows of will start the app. */
  readonly hopeless: boolean;
}

type Command = readonly [string, ...string[]];

export function createAppLauncher(dataDir: string, env: NodeJS.ProcessEnv): AppLauncher {
  let outcome = 'Keybridge is not running.';
  let lock: Lock | undefined;
  let done = false;
  let hopeless = false;

  const failed = (what: string) => {
    hopeless = true;
    outcome = what;
  };

  const start = async ([command, ...args]: Command) => {
    // Loaded here alone: every other start of a bridge is faster without it.
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
      child.once('error', (error) => failed(`Keybridge could not be started (${codeOf(error)}).`));
      child.once('exit', (code, signal) => {
        // 0: it found another one running.
        if (code !== 0) failed(`Keybridge was started and ended at once (${signal ?? `exit code ${code}`}).`);
      });
      child.unref();
    } catch (error) {
      failed(`Keybridge could not be started (${codeOf(error)}).`);
    }
  };

  const takeTurn = async () =>
    ensureKey(dataDir).kind === 'key' ? takeKernelLock(dataDir, 'starter').catch(() => undefined) : undefined;

  return {
    async attempt() {
      if (done) return 'wait';
      const command = startCommand(dataDir, env);
      if (typeof command === 'string') {
        failed(command);
        return 'wait';
      }
      hopeless = false;
      if (!lock) {
        lock = await takeTurn();
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
 * How the app is started: as the app itself has left it in the data folder. Nothing else is believed: the environment
 * is that of one host's entry. A sentence when it cannot be started.
 */
function startCommand(dataDir: string, env: NodeJS.ProcessEnv): Command | string {
  const command = commandInFolder(dataDir);
  if (typeof command === 'string') return command;
  if (!hasDisplay(env)) return 'Keybridge is not running, and there is no display to start it on.';
  return command ?? 'Keybridge is not running, and was never started on this data folder.';
}

/** Written by the app at each start. Not believed when others can write it. */
function commandInFolder(dataDir: string): Command | string | undefined {
  const file = readPrivateFile(path.join(dataDir, 'app.json'));
  if (file.kind === 'unsafe') return `Keybridge is not running, and how to start it cannot be trusted: ${file.message}`;
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
