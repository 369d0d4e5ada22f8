// The broker under plain Node, for SSH boxes, containers and CI: from top to bottom like main.ts, without a window.
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
  /** A call that needs a sign-in opens the browser by itself. */
  readonly autoSignIn: boolean;
  /** The log goes to stderr too. */
  readonly verbose: boolean;
  /** The least severe events that are logged. */
  readonly logLevel: LogLevel;
  /** The ready line as JSON. */
  readonly json: boolean;
  /** End with stdin even where it is not a pipe. */
  readonly untilStdinCloses: boolean;
  readonly terminal: Terminal;
}

/** How long the end may take: the farewell of the broker and the store of what is in flight. */
const closeWithinMs = 8_000;

/**
 * Runs until it is told to end. Throws E_BROKER_RUNNING, E_SOCKET_UNSAFE, E_PATH_TOO_LONG, E_CONFIG_UNSAFE,
 * E_CONFIG_WRITE, E_DATA_FOLDER_LOST.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { dataDir, terminal } = options;
  let endBecause = (_reason: string) => {};
  const asked = new Promise<string>((resolve) => {
    endBecause = resolve;
  });
  let lost: AppError | undefined;
  const stop = Promise.race([stopRequest(terminal, options.untilStdinCloses), asked]);
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
      // The lock goes last: until the app has closed, a token may be on its way into the store.
      const onLost = (error: AppError) => {
        lost = error;
        endBecause('data folder lost');
      };
      const broker = await startBroker({
        app,
        dataDir,
        log,
        clock,
        lock: { ...lock, release: async () => {} },
        onEndRequest: () => endBecause('take-over'),
        onLost,
      });
      log('serve_started', { version, store: store.name, auto_sign_in: options.autoSignIn });
      const ready = { ready: true, dataDir, socket: broker.address, store: store.name, pid: process.pid };
      terminal.print(
        options.json ? JSON.stringify(ready) : `Keybridge is ready (store: ${store.name}, socket: ${broker.address})`,
      );
      if (options.autoSignIn) terminal.tell('Calls may open the browser to sign in by themselves (--sign-in auto).');
      const endTelling = tellTroubles(app, terminal);
      const reason = await stop;
      log('serve_ends', { reason });
      endTelling();
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

/** On stderr, once each: what a person must look at. */
function tellTroubles(app: App, terminal: Terminal): () => void {
  const told = new Set<string>();
  const tell = (text: string) => {
    if (!told.has(text)) terminal.tell(text);
    told.add(text);
  };
  return app.status.subscribe(({ notice, store }) => {
    if (notice) tell(inOneLine(notice));
    if (store.state !== 'ready') tell(inOneLine(storeFault({ kind: store.state, detail: '' }, store.label).toInfo()));
  });
}

const inOneLine = ({ message, remedy, code }: ErrorInfo): string => `${message} ${remedy} (${code})`;

/** What a host's configuration starts: this program. */
function bridgeCommand(): readonly [string, ...string[]] {
  return isSea()
    ? [process.execPath, 'connect']
    : [process.execPath, path.join(import.meta.dirname, 'keybridge.cjs'), 'connect'];
}

/** Empty where a bridge looks by itself. */
function bridgeEnv(dataDir: string): Record<string, string> {
  const { KEYBRIDGE_DATA_DIR: _, ...others } = process.env;
  return dataFolder(others) === dataDir ? {} : { KEYBRIDGE_DATA_DIR: dataDir };
}
