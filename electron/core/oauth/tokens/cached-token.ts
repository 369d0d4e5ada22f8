import type { Secret } from '../../base/secret.ts';
import { msSince, type Clock } from '../../base/clock.ts';
import type { TokenResult } from '../model.ts';

/** Shorter lives are nonsense: such a token is used until the server refuses it. */
const shortestLifeMs = 1_000;
const marginMs = 10_000;
/**
 * A younger token is not refreshed ahead, however short its life: its server would else have a refresh a second for as
 * long as an app is connected.
 */
const leastAgeMs = 30_000;

/** An access token in memory, and where its life stands. */
export interface CachedToken {
  readonly token: Secret;
  /** Made once: the answer to every call in the token's life. */
  readonly answer: Promise<TokenResult>;
  /** Unix ms. */
  readonly receivedAt: number;
  /** Unix ms, for display; absent: used until the server refuses it. */
  readonly expiresAt: number | undefined;
  /** Unix ms at which the token becomes due for a refresh. */
  readonly refreshAt: number | undefined;
  /** `due`: usable, a refresh should run. `spent`: expired or refused. */
  readonly stage: 'fresh' | 'due' | 'spent';
  /** The server refused it. */
  spend(): void;
  /** Looks at the wall clock, because timers stand still while the computer sleeps. */
  woke(): void;
  /** Ends the timers. */
  drop(): void;
}

export interface CachedTokenOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly token: Secret;
  /** From now, in ms; absent: unknown. */
  readonly lifeMs: number | undefined;
  /** The token is the whole value of this header; absent: a Bearer token. */
  readonly header?: string | undefined;
  /** The token became due, or spent; at the age of 30 s at the earliest. */
  readonly onDue: () => void;
  /** Its life is over. Not called for `spend`. */
  readonly onExpired: () => void;
}

/**
 * Stages go by timers on a clock that does not jump, so that a wrong or changed system time does no harm (RF16, LC03).
 * Due at 75 to 80 % of the life; spent 10 s, or a tenth of the life, before its end.
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
  const life = lifeMs !== undefined && lifeMs >= shortestLifeMs ? lifeMs : undefined;
  const dueAfter = life === undefined ? undefined : life * (0.8 - 0.05 * random());
  const spentAfter = life === undefined ? undefined : life - Math.min(marginMs, life / 10);
  const receivedAt = clock.now();
  const received = clock.monotonic();
  let stage: CachedToken['stage'] = 'fresh';
  let timers: (() => void)[] = [];
  let early = () => {};

  /** Of two clocks, the one that stood still in a sleep does not count. */
  const ageMs = (): number => Math.max(msSince(clock, received), clock.now() - receivedAt);
  const cancel = (): void => {
    for (const stop of timers) stop();
    timers = [];
  };
  const become = (next: CachedToken['stage']): void => {
    if (stage === 'spent' || stage === next) return;
    stage = next;
    if (next === 'spent') onExpired();
    early();
    const waitMs = leastAgeMs - ageMs();
    if (waitMs > 0) early = clock.after(waitMs, onDue);
    else onDue();
  };
  /** `age`: how much of the life is over, in ms. */
  const arm = (age: number): void => {
    cancel();
    if (dueAfter === undefined || spentAfter === undefined) return;
    if (age >= spentAfter) return become('spent');
    if (age >= dueAfter) become('due');
    else timers.push(clock.after(dueAfter - age, () => become('due')));
    timers.push(clock.after(spentAfter - age, () => become('spent')));
  };
  arm(0);

  return {
    token,
    answer: Promise.resolve(header === undefined ? { kind: 'token', token } : { kind: 'token', token, header }),
    receivedAt,
    expiresAt: life === undefined ? undefined : receivedAt + life,
    refreshAt: dueAfter === undefined ? undefined : receivedAt + dueAfter,
    get stage() {
      return stage;
    },
    spend() {
      cancel();
      early();
      stage = 'spent';
    },
    woke() {
      // The one clock may have stood still, and the other one have been set: a token that is renewed too early costs a
      // request, and one that is over before we know is refused by the server.
      if (stage !== 'spent') arm(ageMs());
    },
    drop() {
      cancel();
      early();
    },
  };
}
