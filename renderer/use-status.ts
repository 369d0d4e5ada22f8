import { useEffect, useState } from 'react';
import type { Status } from '../shared/model.ts';
import { keybridge } from './api.ts';
import { countsDownTo, untilWordsChange } from './status.ts';

/** The state of everything, as the main process last told it; undefined until it has. */
export function useStatus(): Status | undefined {
  const [status, setStatus] = useState<Status>();
  useEffect(() => keybridge().onStatus(setStatus), []);
  return status;
}

/**
 * The time, kept fresh enough for the words that are shown: one timer for the window, none while nothing counts down
 * and none while the window is hidden.
 */
export function useNow(status: Status | undefined): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const moments = status?.servers.map(({ state }) => countsDownTo(state)) ?? [];
    const tick = () => {
      clearTimeout(timer);
      if (document.hidden) return;
      const at = Date.now();
      setNow(at);
      const wait = untilWordsChange(moments, at);
      if (wait !== undefined) timer = setTimeout(tick, Math.min(wait, 0x7fff_ffff));
    };
    tick();
    document.addEventListener('visibilitychange', tick);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, [status]);
  return now;
}
