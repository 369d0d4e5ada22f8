import { momentAt, type Clock } from './clock.ts';

/** Node's timers overflow above this and would fire immediately. */
const longestTimerMs = 2_147_483_647;

/** The real clock. Timers run on the system's monotonic clock and never keep the process alive. */
export function systemClock(): Clock {
  return { now: () => Date.now(), monotonic: () => momentAt(performance.now()), after };
}

function after(ms: number, task: () => void): () => void {
  let rest = ms;
  let timer: NodeJS.Timeout;
  const arm = () => {
    const step = Math.min(Math.max(rest, 0), longestTimerMs);
    rest -= step;
    timer = setTimeout(() => (rest > 0 ? arm() : task()), step).unref();
  };
  arm();
  return () => clearTimeout(timer);
}
