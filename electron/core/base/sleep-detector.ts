import { msSince, type Clock } from './clock.ts';

/**
 * Watches for jumps of the system time against the monotonic clock: after a sleep, in which timers stand still, or when
 * the time is set.
 */
export function createTimeWatch(clock: Clock, slackMs: number): () => boolean {
  let at = clock.now();
  let moment = clock.monotonic();
  return () => {
    const passed = clock.now() - at;
    const drift = passed - msSince(clock, moment);
    at = clock.now();
    moment = clock.monotonic();
    return Math.abs(drift) > slackMs;
  };
}

/**
 * Detects a wake from sleep without help of the system (headless): the system time went on while timers stood still.
 * Checks every 30 s while there are listeners. A change of the system time has the same effect, which is harmless: the
 * times that are shown are then corrected.
 */
export function wakeBySlowTimer(
  clock: Clock,
  everyMs = 30_000,
  slackMs = 10_000,
): (listener: () => void) => () => void {
  return (listener) => {
    const jumped = createTimeWatch(clock, slackMs);
    let lookedAt = clock.now();
    const look = () => {
      const now = clock.now();
      // On Windows the monotonic clock goes on during sleep.
      const late = now - lookedAt > everyMs + slackMs;
      lookedAt = now;
      cancel = clock.after(everyMs, look);
      if (jumped() || late) listener();
    };
    let cancel = clock.after(everyMs, look);
    return () => cancel();
  };
}
