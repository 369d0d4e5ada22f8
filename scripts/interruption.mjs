import { constants } from 'node:os';

/** Thrown by work that was ended because of a signal. */
export class Interrupted extends Error {
  /** @param {string} what @param {number} exitCode */
  constructor(what, exitCode) {
    super(`${what} was interrupted`);
    this.exitCode = exitCode;
  }
}

/**
 * Waits for a signal that asks this process to end, or for the end of the npm that started it, because npm does not
 * forward SIGTERM. Until `stopWaiting` the signals have no other effect.
 * @returns {{ signalled: Promise<number>, stopWaiting: () => void }} signalled: resolves with the exit code, which is
 *   128 + the number of the signal
 */
export function waitForInterruption() {
  const listeners = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  let watch;
  const signalled = new Promise((resolve) => {
    for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
      listeners.set(name, () => resolve(128 + constants.signals[name]));
    const parent = process.ppid;
    watch = setInterval(() => {
      if (process.env.npm_lifecycle_event && process.ppid !== parent) resolve(128 + constants.signals.SIGTERM);
    }, 500);
  });
  for (const [name, listener] of listeners) process.on(name, listener);
  return {
    signalled,
    stopWaiting() {
      clearInterval(watch);
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
