import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Terminal } from './terminal.ts';
import { whereThrown } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';

/** Resolves with the reason to end: a signal, or the end of stdin when that is a pipe (a parent that went away). */
export function stopRequest(terminal: Terminal, untilStdinCloses: boolean): Promise<string> {
  return new Promise((resolve) => {
    terminal.onInterrupt(() => resolve('signal'));
    // Only on a terminal: a handler would undo `nohup`, which takes stdin off it.
    if (isatty(0)) process.once('SIGHUP', () => resolve('hangup'));
    if (!untilStdinCloses && !isPipe(0)) return;
    for (const event of ['end', 'close', 'error']) terminal.stdin.once(event, () => resolve('stdin'));
    terminal.stdin.resume();
  });
}

/** Node gives its children socket pairs, a shell gives pipes; a terminal, a file and /dev/null are neither. */
function isPipe(fd: number): boolean {
  try {
    const found = fstatSync(fd);
    return found.isFIFO() || found.isSocket();
  } catch {
    return false;
  }
}

/** What nobody caught. The words of such an error may hold anything, so they are not written down; the place is. */
export function logFaults(log: Log, terminal: Terminal): void {
  process.on('unhandledRejection', (error) => log('fault', { source: 'rejection', ...whereThrown(error) }));
  process.on('uncaughtException', (error) => {
    log('fault', { source: 'exception', ...whereThrown(error) });
    terminal.tell('Keybridge ended because of a fault in itself; keybridge.log says where. (E_UNEXPECTED)');
    process.exit(1);
  });
}
