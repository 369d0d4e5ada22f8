import type { AccessAsk } from '../status/runtime-notes.ts';
import { type Deadline, deadlineIn, type Clock } from '../base/clock.ts';

/** Keeps a server that is never content from sending its user to the browser again and again. */
export interface AttemptLimits {
  /** True: no further sign-in for this operation, or for just these scopes, for now. */
  reached(accountKey: string, ask: AccessAsk): boolean;
  /** A sign-in for these has ended. */
  tried(accountKey: string, asks: readonly AccessAsk[]): void;
  /** The user does not want these now. */
  dismissed(accountKey: string, asks: readonly AccessAsk[]): void;
  forget(accountKey: string): void;
}

/** Sign-ins for one operation within `whileMs`. */
const mostTries = 2;
const whileMs = 10 * 60_000;

export function createAttemptLimits(clock: Clock): AttemptLimits {
  /** By server, then by operation or by set of scopes: until when each try counts. */
  const tries = new Map<string, Map<string, readonly Deadline[]>>();

  const recent = (accountKey: string, key: string) =>
    (tries.get(accountKey)?.get(key) ?? []).filter((one) => one.leftMs() > 0);

  function count(accountKey: string, asks: readonly AccessAsk[], times: number): void {
    const ofServer = tries.get(accountKey) ?? new Map<string, readonly Deadline[]>();
    tries.set(accountKey, ofServer);
    const now = Array.from({ length: times }, () => deadlineIn(clock, whileMs));
    for (const key of new Set(asks.flatMap(keysOf))) ofServer.set(key, [...recent(accountKey, key), ...now]);
  }

  return {
    reached: (accountKey, ask) => keysOf(ask).some((key) => recent(accountKey, key).length >= mostTries),
    tried: (accountKey, asks) => count(accountKey, asks, 1),
    // Only the operation: another tool may need the same scope, and is worth a question of its own.
    dismissed: (accountKey, asks) =>
      count(
        accountKey,
        asks.map((ask) => ({ ...ask, scopes: [] })),
        mostTries,
      ),
    forget: (accountKey) => void tries.delete(accountKey),
  };
}

/** Ten minutes of both: the operation, and the scopes, which a server may ask for on every operation. */
function keysOf({ operation, scopes }: AccessAsk): string[] {
  return [`operation ${operation}`, ...(scopes.length > 0 ? [`scopes ${[...scopes].sort().join(' ')}`] : [])];
}
