import { app, powerMonitor } from 'electron';
import { whereThrown } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { within } from '../core/base/async.ts';
import { systemClock } from '../core/base/system-clock.ts';

/** Limit of the whole clean-up. After it the app exits, whatever is still pending. */
const closeLimitMs = 8_000;

/**
 * Runs `close` once before the app quits, whether the tray, a signal or the end of the user's session asks for it. Also
 * keeps the app running without a window, in the tray.
 */
export function closeBeforeQuit(close: () => Promise<void>): void {
  let closed: Promise<unknown> | undefined;
  app.on('window-all-closed', () => {});
  app.on('before-quit', (event) => {
    if (closed === undefined) {
      closed = within(
        systemClock(),
        closeLimitMs,
        close().catch(() => {}),
      );
      // Not app.quit() again, which a hanging window or child process could block.
      void closed.then(() => app.exit(0));
    }
    event.preventDefault();
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => app.quit());
  // Electron does not survive the end of the session bus.
  powerMonitor.on('shutdown', () => app.quit());
}

/** Calls `show` when the app is started again on the same data folder; that second process exits by itself. */
export function onSecondStart(show: () => void): void {
  app.on('second-instance', (_event, argv) => {
    if (!argv.includes('--hidden')) show();
  });
  app.on('activate', show);
}

/**
 * Logs uncaught errors, only with the place where they were thrown, because their messages may contain secrets. After
 * an uncaught exception the state is unknown, so the app exits. A refresh in flight survives that (docs/refresh.md),
 * and a bridge starts the app again.
 */
export function logFaults(log: Log): void {
  process.on('unhandledRejection', (error) => log('fault', { source: 'rejection', ...whereThrown(error) }));
  process.on('uncaughtException', (error) => {
    log('fault', { source: 'exception', ...whereThrown(error) });
    app.exit(1);
  });
}
