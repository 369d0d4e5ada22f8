import type { Secret } from '../../base/secret.ts';
import { msSince, type Clock } from '../../base/clock.ts';
import type { TokenResult } from '../model.ts';

/** A shorter lifetime is an error of the server: the token is used until it is rejected. */
const minLifeMs = 1_000;
/** How long before its expiry a token is no longer used. */
const marginMs = 10_000;
/** A younger token is not refreshed ahead, or a server with very short lifetimes would get one refresh per second. */
const minAgeForRefreshMs = 30_000;

/** An access token in memory, and how much of its lifetime is left. */
export interface CachedToken {
  readonly token: Secret;
  /** Created once, and returned to every call while the token is usable. */
  readonly result: Promise<TokenResult>;
  /** Unix ms. */
  readonly receivedAt: number;
  /** Unix ms, for display; undefined: the token is used until the server rejects it. */
  readonly expiresAt: number | undefined;
  /** Unix ms at which the token becomes due for a refresh. */
  readonly refreshAt: number | undefined;
  /** `due`: usable, and a refresh should run. `spent`: expired or rejected. */
  readonly stage: 'fresh' | 'due' | 'spent';
  /** Call when the server has rejected the token. */
  markSpent(): void;
  /** Call after a sleep: timers do not run while the computer sleeps. */
  wake(): void;
  /** Stops the timers. */
  drop(): void;
}

export interface CachedTokenOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly token: Secret;
  /** From now, in ms; undefined when unknown. */
  readonly lifeMs: number | undefined;
  /** Lower-case name of the header whose whole value is the token. Defaults to a Bearer token. */
  readonly header?: string | undefined;
  /** The token became due or spent; not called before it is 30 s old. */
  readonly onDue: () => void;
  /** The token expired. Not called for `markSpent`. */
  readonly onExpired: () => void;
}

/**
 * Due at 75 to 80 % of the lifetime; spent 10 s before its end, or a tenth of the lifetime if that is less. Timers run
 * on the monotonic clock, so that a wrong or changed system time does no harm (RF16, LC03).
 */
export function createCachedToken({
  clock,
  random,
  token,
  lifeMs,
  header,
  onDue,
  onExpired,
}: CachedTokenOptions): CachedToken {
  const life = lifeMs !== undefined && lifeMs >= minLifeMs ? lifeMs : undefined;
  const dueAfter = life === undefined ? undefined : life * (0.8 - 0.05 * random());
  const spentAfter = life === undefined ? undefined : life - Math.min(marginMs, life / 10);
  const receivedAt = clock.now();
  const receivedMonotonic = clock.monotonic();
  let stage: CachedToken['stage'] = 'fresh';
  let timers: (() => void)[] = [];
  let cancelOnDue = () => {};

  // The larger one: a clock that stood still during a sleep is too low.
  const ageMs = (): number => Math.max(msSince(clock, receivedMonotonic), clock.now() - receivedAt);
  const cancelTimers = (): void => {
    for (const cancel of timers) cancel();
    timers = [];
  };
  const enter = (next: CachedToken['stage']): void => {
    if (stage === 'spent' || stage === next) return;
    stage = next;
    if (next === 'spent') onExpired();
    cancelOnDue();
    const waitMs = minAgeForRefreshMs - ageMs();
    if (waitMs > 0) cancelOnDue = clock.after(waitMs, onDue);
    else onDue();
  };
  const schedule = (age: number): void => {
    cancelTimers();
    if (dueAfter === undefined || spentAfter === undefined) return;
    if (age >= spentAfter) return enter('spent');
    if (age >= dueAfter) enter('due');
    else timers.push(clock.after(dueAfter - age, () => enter('due')));
    timers.push(clock.after(spentAfter - age, () => enter('spent')));
  };
  schedule(0);

  return {
    token,
    result: Promise.resolve(header === undefined ? { kind: 'token', token } : { kind: 'token', token, header }),
    receivedAt,
    expiresAt: life === undefined ? undefined : receivedAt + life,
    refreshAt: dueAfter === undefined ? undefined : receivedAt + dueAfter,
    get stage() {
      return stage;
    },
    markSpent() {
      cancelTimers();
      cancelOnDue();
      stage = 'spent';
    },
    wake() {
      // A wrong age does little harm: refreshing too early costs one request, and the server rejects a token that is
      // sent too late.
      if (stage !== 'spent') schedule(ageMs());
    },
    drop() {
      cancelTimers();
      cancelOnDue();
    },
  };
}
