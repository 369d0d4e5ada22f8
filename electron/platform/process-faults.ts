import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Terminal } from './terminal.ts';
import { whereThrown } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';

/** Resolves with the reason to end: a signal, or the end of stdin if it is a pipe (the parent has ended). */
export function stopRequest(terminal: Terminal, untilStdinCloses: boolean): Promise<string> {
  return new Promise((resolve) => {
    terminal.onInterrupt(() => resolve('signal'));
    // Only on a terminal: elsewhere a handler would undo `nohup`, which ignores SIGHUP and detaches stdin.
    if (isatty(0)) process.once('SIGHUP', () => resolve('hangup'));
    if (!untilStdinCloses && !isPipe(0)) return;
    for (const event of ['end', 'close', 'error']) terminal.stdin.once(event, () => resolve('stdin'));
    terminal.stdin.resume();
  });
}

/** A shell starts its children with pipes, Node with socket pairs. Terminals, files and /dev/null are neither. */
function isPipe(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false;
  }
}

/** Logs where uncaught errors were thrown, but not their messages: those may contain secrets. */
export function logFaults(log: Log, terminal: Terminal): void {
  process.on('unhandledRejection', (error) => log('fault', { source: 'rejection', ...whereThrown(error) }));
  process.on('uncaughtException', (error) => {
    log('fault', { source: 'exception', ...whereThrown(error) });
    terminal.tell('Keybridge ended because of a bug. keybridge.log says where. (E_UNEXPECTED)');
    process.exit(1);
  });
}
