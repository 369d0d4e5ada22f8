import { app, powerMonitor } from 'electron';
import { whereThrown } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { within } from '../core/base/async.ts';
import { systemClock } from '../core/base/system-clock.ts';

/** All clean-up together; after this the app ends whatever is still pending. */
const longestCloseMs = 8_000;

/**
 * The app's end: asked for by the tray, the system (SIGTERM, log-off) or a second Electron quit event, it first closes
 * what is open, once, in order. Without windows the app goes on: its work is done in the tray.
 */
export function closeBeforeQuit(close: () => Promise<void>): void {
  let closed: Promise<unknown> | undefined;
  app.on('window-all-closed', () => {});
  app.on('before-quit', (event) => {
    if (closed === undefined) {
      closed = within(
        systemClock(),
        longestCloseMs,
        close().catch(() => {}),
      );
      // Not app.quit() again: a window or a child that hangs must not keep what is closed alive.
      void closed.then(() => app.exit(0));
    }
    event.preventDefault();
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => app.quit());
  // Before the session bus goes, which Electron does not survive.
  powerMonitor.on('shutdown', () => app.quit());
}

/** A second start of the app on the same data folder: it tells the first one and ends. */
export function onSecondStart(show: () => void): void {
  app.on('second-instance', (_event, argv) => {
    if (!argv.includes('--hidden')) show();
  });
  app.on('activate', show);
}

/**
 * What nobody caught. Its words may hold anything, so only its place is written down. After an exception the state is
 * unknown and the app ends: a refresh in flight survives that (docs/refresh.md), and a bridge starts it again.
 */
export function logFaults(log: Log): void {
  process.on('unhandledRejection', (error) => log('fault', { source: 'rejection', ...whereThrown(error) }));
  process.on('uncaughtException', (error) => {
    log('fault', { source: 'exception', ...whereThrown(error) });
    app.exit(1);
  });
}
