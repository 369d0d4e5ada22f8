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
  /**
   * The network is looked at only while this is true: while something waits for it. Call after each change of state.
   */
  watchNetwork(wanted: boolean): void;
  close(): void;
}

const lookEveryMs = 5_000;
/** Largest drift of the system's time that does not count as a change of the clock. */
const slackMs = 10_000;

/**
 * Electron tells the main process of sleep but not of the network nor of a system time that was set, so the addresses
 * of this computer and the clocks are compared, and only while a server is out of reach: otherwise nothing ticks.
 */
export function createWake(clock: Clock): Wake {
  const listeners = new Set<() => void>();
  const wake = () => {
    for (const listener of listeners) listener();
  };
  let addresses: string | undefined;
  let cancelLook = () => {};
  let timeWasSet = () => false;

  function look(): void {
    const now = addressesNow();
    if (timeWasSet() || (addresses !== undefined && now !== addresses && now !== '')) wake();
    addresses = now;
    cancelLook = clock.after(lookEveryMs, look);
  }

  function watchNetwork(wanted: boolean): void {
    if (wanted === (addresses !== undefined)) return;
    cancelLook();
    addresses = undefined;
    if (!wanted) return;
    timeWasSet = createTimeWatch(clock, slackMs);
    look();
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

/** Addresses that lead out of this computer, as one text. */
function addressesNow(): string {
  const all = Object.values(os.networkInterfaces()).flatMap((one) => one ?? []);
  return all
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
    .toSorted()
    .join(' ');
}
