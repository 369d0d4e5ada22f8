import type { Clock } from '../../base/clock.ts';

/**
 * Pauses in ms before a new token is sent again to a server that may not know it yet: at 0.5, 1.5, 3 and 5 s of its
 * age.
 */
const pausesMs = [500, 1_000, 1_500, 2_000] as const;

/**
 * An MCP server may learn of a token up to some seconds after the authorization server has issued it (replicas, caches,
 * introspection). Until the token is 5 s old a 401 is no reason to spend a refresh token.
 */
export interface NewToken {
  /** A token was issued just now. */
  issued(): void;
  /** How long to wait before it is sent again, in ms; undefined: it is not new any more. */
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
