import type { Clock } from '../../ports.ts';

/** Ages of a new token, in ms, at which it is shown again to a server that does not know it yet. */
const ages = [500, 1_500, 3_000, 5_000] as const;
const newForMs = 5_000;

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
  let issuedAt = 0;
  let cancel: (() => void) | undefined;
  const forget = () => {
    cancel?.();
    cancel = undefined;
  };
  return {
    issued() {
      forget();
      issuedAt = clock.now();
      cancel = clock.after(newForMs, forget);
    },
    get pauseMs() {
      if (!cancel) return undefined;
      // A clock that was set back must not make it newer than it is.
      const age = Math.max(0, clock.now() - issuedAt);
      const next = ages.find((one) => one > age);
      return next === undefined ? undefined : next - age;
    },
    forget,
  };
}
