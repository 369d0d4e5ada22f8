import type { Clock } from '../../base/clock.ts';

/** Pauses in ms between attempts with a new token: it is sent again at an age of 0.5, 1.5, 3 and 5 s. */
const pausesMs = [500, 1_000, 1_500, 2_000] as const;

/**
 * An MCP server may learn of a token some seconds after the authorization server issued it (replicas, caches,
 * introspection). Until the token is 5 s old, a 401 does not start a refresh.
 */
export interface NewToken {
  /** Call when a token has just been issued. */
  issued(): void;
  /** How long to wait before the token is sent again, in ms; undefined when it is no longer new. */
  readonly pauseMs: number | undefined;
  forget(): void;
}

export function createNewToken(clock: Clock): NewToken {
  let stage: number | undefined;
  let cancel: (() => void) | undefined;
  const forget = () => {
    cancel?.();
    cancel = stage = undefined;
  };
  const enter = (next: number) => {
    const pause = pausesMs[next];
    if (pause === undefined) return forget();
    stage = next;
    cancel = clock.after(pause, () => enter(next + 1));
  };
  return {
    issued() {
      forget();
      enter(0);
    },
    get pauseMs() {
      return stage === undefined ? undefined : pausesMs[stage];
    },
    forget,
  };
}
