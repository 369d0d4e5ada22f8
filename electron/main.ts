// The desktop app: puts the core, the broker, the window and the tray together, from top to bottom.
import './no-debugger.ts';
import path from 'node:path';
import { app, dialog } from 'electron';
import { desktopMessages } from '../shared/messages/en/desktop.ts';
import { translator } from '../shared/messages/translator.ts';
import { dataFolder } from './local-socket/data-folder.ts';
import { startBroker } from './broker/server.ts';
import { createApp, type App } from './core/app/app.ts';
import type { Clock } from './core/base/clock.ts';
import { systemClock } from './core/base/system-clock.ts';
import { asAppError, type AppError } from './core/base/errors.ts';
import { createHttp } from './core/http/client.ts';
import { proxyFromEnvironment } from './core/http/proxy.ts';
import { openLogFile } from './platform/log-file.ts';
import { createLog, withoutFloods, type Log } from './core/base/log.ts';
import { defaultLogLevel, isLogLevel } from './core/base/log-events.ts';
import { openBrowser } from './desktop/browser.ts';
import { packaged, runtime, testBuild } from './desktop/build-flags.ts';
import { refusedSwitch } from './desktop/window/forbidden-switches.ts';
import { createClosing } from './desktop/closing.ts';
import { connectWindow } from './desktop/window/ipc.ts';
import { closeBeforeQuit, logFaults, onSecondStart } from './desktop/lifecycle.ts';
import { ownDataFolder } from './desktop/take-over.ts';
import { registerPageScheme } from './desktop/window/app-protocol.ts';
import { bridgeCommand, bridgeEnv, paths, writeStartCommand } from './desktop/paths.ts';
import { chosenStore } from './desktop/store.ts';
import { trayActions } from './desktop/tray/tray-actions.ts';
import { createTray } from './desktop/tray/tray.ts';
import { createWake, type Wake } from './desktop/wake.ts';
import { createMainWindow, type MainWindow } from './desktop/window/window.ts';

const { t } = translator(desktopMessages);
const debuggable = testBuild || !packaged;
const hidden = process.argv.includes('--hidden');
const levelSwitch = app.commandLine.getSwitchValue('log-level');
const logLevel = isLogLevel(levelSwitch) ? levelSwitch : defaultLogLevel;
const dataDir = dataFolder();

/** Starts the app. Throws AppError. */
async function start(): Promise<void> {
  const window = createMainWindow({
    ...paths,
    boundsFile: path.join(dataDir, 'electron', 'window.json'),
    onClose: createClosing(path.join(dataDir, 'electron', 'closing.json')),
    icon: path.join(paths.icons, 'icons', '256x256.png'),
    devTools: debuggable,
  });
  onSecondStart(() => void window.show());

  const lock = await ownDataFolder(dataDir, hidden);
  if (!lock) return leave(0);
  const clock = systemClock();
  const { log, closeLog } = openLog(clock);
  logFaults(log);
  const wake = createWake(clock);
  const store = chosenStore({ clock, log, keychain: paths.keychain });

  const core = await createApp({
    dataDir,
    store,
    http: createHttp({ proxyFor: proxyFromEnvironment(process.env) }),
    openBrowser,
    clock,
    log,
    onWake: (listener) => wake.onWake(listener),
    about: {
      version: app.getVersion(),
      front: 'desktop',
      runtime,
      bridgeCommand: bridgeCommand(),
      bridgeEnv: bridgeEnv(dataDir),
    },
  });
  // The lock is released last: until the core has closed, a token may still be on its way to the store.
  let lost: AppError | undefined;
  const onLost = (error: AppError) => {
    lost = error;
    app.quit();
  };
  const broker = await startBroker({
    app: core,
    dataDir,
    log,
    clock,
    lock: { ...lock, release: async () => {} },
    onLost,
  });
  const disconnect = connectFronts({ core, window, wake, clock, log });
  log('app_started', {
    version: app.getVersion(),
    electron: process.versions['electron'],
    runtime,
    store: store.name,
    hidden,
  });

  closeBeforeQuit(async () => {
    disconnect();
    wake.close();
    await broker.close();
    await core.close();
    await lock.release();
    log('app_ended');
    closeLog();
    // Even if the app was hidden, because nobody asked it to quit.
    if (lost) showError(lost, t('dialog.ended'));
  });
  writeStartCommand(dataDir);
  if (!hidden) await window.show();
}

function openLog(clock: Clock): { readonly log: Log; readonly closeLog: () => void } {
  const file = openLogFile(path.join(dataDir, 'keybridge.log'));
  const log = createLog(
    (line) => file.write(line),
    () => clock.now(),
    logLevel,
  );
  return { log: withoutFloods(log, clock), closeLog: () => file.close() };
}

interface FrontsDeps {
  readonly core: App;
  readonly window: MainWindow;
  readonly wake: Wake;
  readonly clock: Clock;
  readonly log: Log;
}

/** Connects window and tray to the core, and watches the network while a server retries. Returns the clean-up. */
function connectFronts({ core, window, wake, clock, log }: FrontsDeps): () => void {
  const disconnectWindow = connectWindow({ app: core, window, log });
  const removeTray = createTray({
    app: core,
    clock,
    icons: path.join(paths.icons, 'tray'),
    onAction: trayActions({ core, window, log }),
  });
  const unsubscribe = core.status.subscribe(({ servers }) =>
    wake.watchNetwork(servers.some(({ state }) => state.kind === 'retrying')),
  );
  return () => {
    disconnectWindow();
    removeTray();
    unsubscribe();
  };
}

function fail(error: unknown): void {
  const { code, message } = asAppError(error);
  process.stderr.write(`keybridge: ${code}: ${message}\n`);
  if (!hidden) showError(asAppError(error), t('dialog.cannotStart'));
  leave(1);
}

/** Returns when the user has closed the dialog. */
function showError(error: AppError, title: string): void {
  const { code, message, remedy } = error.toInfo();
  dialog.showErrorBox(title, [message, remedy, code].join('\n\n'));
}

/** Exits before the app has started. Electron does not release its own lock in that case. */
function leave(code: number): void {
  app.releaseSingleInstanceLock();
  app.exit(code);
}

const refused = debuggable ? undefined : refusedSwitch(process.argv, process.env);
if (refused !== undefined) {
  process.stderr.write(`keybridge: ${refused} is not accepted, because it could give other programs access.\n`);
  app.exit(2);
} else {
  // Inside the data folder, so that Electron's single-instance lock is one per data folder.
  app.setPath('userData', path.join(dataDir, 'electron'));
  registerPageScheme();
  if (!app.requestSingleInstanceLock()) app.exit(0);
  else void app.whenReady().then(start).catch(fail);
}
