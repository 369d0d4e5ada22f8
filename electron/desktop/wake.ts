import os from 'node:os';
import { powerMonitor } from 'electron';
import { createTimeWatch } from '../core/base/sleep-detector.ts';
import type { Clock } from '../core/base/clock.ts';

export interface Wake {
  /**
   * Calls the listener after a wake from sleep, an unlock of the screen or a change of network. Returns an unsubscribe
   * function.
   */
  onWake(listener: () => void): () => void;
  /** Turns the polling of the network on or off. It is to be on only while a server cannot be reached. */
  watchNetwork(on: boolean): void;
  close(): void;
}

const pollEveryMs = 5_000;
/** Largest drift between the clocks that does not count as a change of the system time. */
const clockToleranceMs = 10_000;

/**
 * Electron reports sleep to the main process, but neither a change of network nor one of the system time. Those are
 * found by polling the addresses of this computer and its clocks, only while a server cannot be reached.
 */
export function createWake(clock: Clock): Wake {
  const listeners = new Set<() => void>();
  const wake = () => {
    for (const listener of listeners) listener();
  };
  let addresses: string | undefined;
  let cancelPoll = () => {};
  let timeWasSet = () => false;

  function poll(): void {
    const current = externalAddresses();
    if (timeWasSet() || (addresses !== undefined && current !== addresses && current !== '')) wake();
    addresses = current;
    cancelPoll = clock.after(pollEveryMs, poll);
  }

  function watchNetwork(on: boolean): void {
    if (on === (addresses !== undefined)) return;
    cancelPoll();
    addresses = undefined;
    if (!on) return;
    timeWasSet = createTimeWatch(clock, clockToleranceMs);
    poll();
  }

  powerMonitor.on('resume', wake);
  powerMonitor.on('unlock-screen', wake);
  return {
    onWake(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    watchNetwork,
    close() {
      watchNetwork(false);
      powerMonitor.off('resume', wake);
      powerMonitor.off('unlock-screen', wake);
    },
  };
}

/** All addresses of this computer except loopback, sorted, as one string. */
function externalAddresses(): string {
  return Object.values(os.networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
    .toSorted()
    .join(' ');
}
