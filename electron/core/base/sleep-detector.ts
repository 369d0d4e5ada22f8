import { msSince, type Clock } from './clock.ts';

/**
 * Watches for a system time that does not go with the time that passes: of a sleep, in which timers stand still, or set
 * by somebody.
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
 * Notices a wake from sleep where the system does not tell (headless): the wall clock went on while timers stood still.
 * Costs one look every 30 s, as long as somebody listens. A clock that is set looks the same, and then what is shown of
 * times to come is put right.
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
      // On Windows the monotonic clock goes on in a sleep.
      const late = now - lookedAt > everyMs + slackMs;
      lookedAt = now;
      cancel = clock.after(everyMs, look);
      if (jumped() || late) listener();
    };
    let cancel = clock.after(everyMs, look);
    return () => cancel();
  };
}
