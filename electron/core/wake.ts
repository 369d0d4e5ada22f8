import type { Clock } from './ports.ts';

/**
 * Notices a wake from sleep where the system does not tell (headless): the wall clock went on while timers stood still.
 * Costs one look every 30 s, as long as somebody listens. A clock that is set forward looks the same, and does no harm.
 */
export function wakeBySlowTimer(clock: Clock, everyMs = 30_000, slackMs = 10_000): (listener: () => void) => () => void {
  return (listener) => {
    let lookedAt = clock.now();
    const look = () => {
      const now = clock.now();
      const slept = now - lookedAt > everyMs + slackMs;
      lookedAt = now;
      cancel = clock.after(everyMs, look);
      if (slept) listener();
    };
    let cancel = clock.after(everyMs, look);
    return () => cancel();
  };
}
