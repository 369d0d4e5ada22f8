import { type Clock, type Deadline, deadlineIn } from '../base/clock.ts';
import type { AccessRequest } from '../status/runtime-notes.ts';

/** Keeps a server that always asks for more access from sending its user to the browser again and again. */
export interface AttemptLimits {
  /** Whether there were too many sign-ins recently for this operation, or for exactly these scopes. */
  reached(accountKey: string, request: AccessRequest): boolean;
  /** Counts a sign-in that has ended for these requests. */
  tried(accountKey: string, requests: readonly AccessRequest[]): void;
  /** The user declined these requests: they count as if all attempts were used up. */
  dismissed(accountKey: string, requests: readonly AccessRequest[]): void;
  forget(accountKey: string): void;
}

/** The most sign-ins for one operation within `periodMs`. */
const maxAttempts = 2;
const periodMs = 10 * 60_000;

export function createAttemptLimits(clock: Clock): AttemptLimits {
  /** By account, then by operation or set of scopes: until when each attempt counts. */
  const attempts = new Map<string, Map<string, readonly Deadline[]>>();

  const recent = (accountKey: string, key: string) =>
    (attempts.get(accountKey)?.get(key) ?? []).filter((deadline) => deadline.leftMs() > 0);

  function count(accountKey: string, requests: readonly AccessRequest[], times: number): void {
    const ofAccount = attempts.get(accountKey) ?? new Map<string, readonly Deadline[]>();
    attempts.set(accountKey, ofAccount);
    const added = Array.from({ length: times }, () => deadlineIn(clock, periodMs));
    for (const key of new Set(requests.flatMap(keysOf))) ofAccount.set(key, [...recent(accountKey, key), ...added]);
  }

  return {
    reached: (accountKey, request) => keysOf(request).some((key) => recent(accountKey, key).length >= maxAttempts),
    tried: (accountKey, requests) => count(accountKey, requests, 1),
    // Not by scopes: another tool may need the same scope, and the user may allow that one.
    dismissed: (accountKey, requests) =>
      count(
        accountKey,
        requests.map((request) => ({ ...request, scopes: [] })),
        maxAttempts,
      ),
    forget: (accountKey) => void attempts.delete(accountKey),
  };
}

/** Attempts count by operation and by scopes, because a server may ask for the same scopes on every operation. */
function keysOf({ operation, scopes }: AccessRequest): string[] {
  return [`operation ${operation}`, ...(scopes.length > 0 ? [`scopes ${[...scopes].sort().join(' ')}`] : [])];
}
