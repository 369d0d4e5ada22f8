import { constants } from 'node:os';

/** What was under way has been ended, because a signal asked for it. */
export class Interrupted extends Error {
  /** @param {string} what @param {number} exitCode */
  constructor(what, exitCode) {
    super(`${what} was interrupted`);
    this.exitCode = exitCode;
  }
}

/**
 * A signal that asks this process to end, or the end of the npm that started it: npm does not pass SIGTERM on.
 * While one waits, the signals do nothing else.
 * @returns {{ came: Promise<number>, stopWaiting: () => void }} came: with the exit code to give, 128 + the signal's
 *   number
 */
export function waitForInterruption() {
  const listeners = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  let watch;
  const came = new Promise((resolve) => {
    for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
      listeners.set(name, () => resolve(128 + constants.signals[name]));
    const parent = process.ppid;
    watch = setInterval(() => {
      if (process.env.npm_lifecycle_event && process.ppid !== parent) resolve(128 + constants.signals.SIGTERM);
    }, 500);
  });
  for (const [name, listener] of listeners) process.on(name, listener);
  return {
    came,
    stopWaiting() {
      clearInterval(watch);
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
