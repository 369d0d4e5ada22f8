// Puts the broker together under plain Node, for SSH, containers and CI. Like main.ts, but without a window.
import path from 'node:path';
import { isSea } from 'node:sea';
import type { ErrorInfo } from '../shared/reply.ts';
import { dataFolder } from './local-socket/data-folder.ts';
import { acquireLock } from './broker/data-folder-lock.ts';
import { startBroker } from './broker/server.ts';
import type { StoreName } from './platform/store-name.ts';
import type { Terminal } from './platform/terminal.ts';
import { createApp, type App } from './core/app/app.ts';
import { systemClock } from './core/base/system-clock.ts';
import { AppError } from './core/base/errors.ts';
import { createHttp } from './core/http/client.ts';
import { proxyFromEnvironment } from './core/http/proxy.ts';
import { openLogFile } from './platform/log-file.ts';
import { createLog, withoutFloods } from './core/base/log.ts';
import type { LogLevel } from './core/base/log-events.ts';
import { storeFault } from './core/vault/store-fault.ts';
import { wakeBySlowTimer } from './core/base/sleep-detector.ts';
import { logFaults, stopRequest } from './platform/process-faults.ts';
import { openStore } from './platform/keychain-store.ts';
import { openSystemBrowser } from './platform/system-browser.ts';
import { version } from './platform/version.ts';
import { within } from './core/base/async.ts';

export interface ServeOptions {
  /** Absolute. */
  readonly dataDir: string;
  readonly store: StoreName;
  /** Whether a call that needs a sign-in opens the browser. */
  readonly autoSignIn: boolean;
  /** Whether the log is written to stderr too. */
  readonly verbose: boolean;
  /** The least severe level that is logged. */
  readonly logLevel: LogLevel;
  /** Whether the ready line is JSON. */
  readonly json: boolean;
  /** Whether the end of stdin ends the process even if stdin is not a pipe. */
  readonly untilStdinCloses: boolean;
  readonly terminal: Terminal;
}

/** Time for closing the sessions, and for storing a token that has just arrived. */
const closeWithinMs = 8_000;

/**
 * Runs until a signal, the end of stdin, or a request of the desktop app. Throws E_BROKER_RUNNING, E_SOCKET_UNSAFE,
 * E_PATH_TOO_LONG, E_CONFIG_UNSAFE, E_CONFIG_WRITE, E_DATA_FOLDER_LOST.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { dataDir, terminal } = options;
  let stop = (_reason: string) => {};
  const stopped = new Promise<string>((resolve) => {
    stop = resolve;
  });
  let lost: AppError | undefined;
  const end = Promise.race([stopRequest(terminal, options.untilStdinCloses), stopped]);
  const lock = await acquireLock(dataDir);
  if (!lock) throw new AppError('E_BROKER_RUNNING', 'Another Keybridge is running on this data folder.');
  const clock = systemClock();
  const logFile = openLogFile(path.join(dataDir, 'keybridge.log'));
  const write = (line: string) => {
    logFile.write(line);
    if (options.verbose) terminal.tell(line.trimEnd());
  };
  const log = withoutFloods(
    createLog(write, () => clock.now(), options.logLevel),
    clock,
  );
  logFaults(log, terminal);
  try {
    const store = openStore(options.store, { clock, log });
    const app = await createApp(
      {
        dataDir,
        store,
        http: createHttp({ proxyFor: proxyFromEnvironment(process.env) }),
        openBrowser: (url) => openSystemBrowser(url),
        clock,
        log,
        onWake: wakeBySlowTimer(clock),
        about: {
          version,
          front: 'headless',
          runtime: 'release',
          bridgeCommand: bridgeCommand(),
          bridgeEnv: bridgeEnv(dataDir),
        },
      },
      { autoSignIn: options.autoSignIn },
    );
    try {
      const onLost = (error: AppError) => {
        lost = error;
        stop('data folder lost');
      };
      const broker = await startBroker({
        app,
        dataDir,
        log,
        clock,
        // Released last: until the app is closed, it may still store a token.
        lock: { ...lock, release: async () => {} },
        onEndRequest: () => stop('take-over'),
        onLost,
      });
      log('serve_started', { version, store: store.name, auto_sign_in: options.autoSignIn });
      const ready = { ready: true, dataDir, socket: broker.address, store: store.name, pid: process.pid };
      terminal.print(
        options.json ? JSON.stringify(ready) : `Keybridge is ready (store: ${store.name}, socket: ${broker.address})`,
      );
      if (options.autoSignIn) terminal.tell('Calls may open the browser to sign in (--sign-in auto).');
      const unsubscribe = reportProblems(app, terminal);
      const reason = await end;
      log('serve_ends', { reason });
      unsubscribe();
      await within(clock, closeWithinMs, broker.close());
    } finally {
      await within(clock, closeWithinMs, app.close());
    }
  } finally {
    await lock.release();
    log('serve_ended');
    logFile.close();
  }
  if (lost) throw lost;
}

/** Writes each problem that needs a user to stderr, once. Returns an unsubscribe function. */
function reportProblems(app: App, terminal: Terminal): () => void {
  const reported = new Set<string>();
  const report = ({ message, remedy, code }: ErrorInfo) => {
    const line = `${message} ${remedy} (${code})`;
    if (!reported.has(line)) terminal.tell(line);
    reported.add(line);
  };
  return app.status.subscribe(({ notice, store }) => {
    if (notice) report(notice);
    if (store.state !== 'ready') report(storeFault({ kind: store.state, detail: '' }, store.label).toInfo());
  });
}

/** The command for the configuration of a host: this program. */
function bridgeCommand(): readonly [string, ...string[]] {
  return isSea()
    ? [process.execPath, 'connect']
    : [process.execPath, path.join(import.meta.dirname, 'keybridge.cjs'), 'connect'];
}

/** The environment for the configuration of a host. Empty if a bridge finds this data folder without it. */
function bridgeEnv(dataDir: string): Record<string, string> {
  const { KEYBRIDGE_DATA_DIR: _, ...others } = process.env;
  return dataFolder(others) === dataDir ? {} : { KEYBRIDGE_DATA_DIR: dataDir };
}
