import { describe, expect, it } from 'vitest';
import { countsDownTo, lifeLeft, untilWordsChange } from '../../renderer/status.ts';
import { durationText } from '../../shared/state-text.ts';
import { minute, now, states } from '../fixtures/renderer-markup.tsx';

describe('the clock of the window', () => {
  it('wakes up when a text changes, and not at all while nothing counts down', () => {
    expect(untilWordsChange([undefined, now - 5], now)).toBeUndefined();
    for (const left of [1_500, 61_000, 4 * minute, 89.7 * minute, 5 * 60 * minute]) {
      const wait = untilWordsChange([now + left], now);
      expect(wait).toBeDefined();
      const after = left - (wait ?? 0);
      expect(after <= 0 || durationText(after) !== durationText(left)).toBe(true);
      expect(wait === 1_000 || durationText(after + 2) === durationText(left)).toBe(true);
    }
  });

  it('takes the earliest moment and waits at least a second', () => {
    expect(untilWordsChange([now + 3 * 60 * minute, now + 20_000], now)).toBe(20_000);
    expect(untilWordsChange([now + 3], now)).toBe(1_000);
  });

  it('counts down to the moment that the text names', () => {
    expect(countsDownTo(states.signed_in)).toBe(states.signed_in.refreshAt);
    expect(countsDownTo({ kind: 'signed_in', renewable: false, expiresAt: 7 })).toBe(7);
    expect(countsDownTo(states.retrying)).toBe(states.retrying.nextTryAt);
    expect(countsDownTo(states.signed_out)).toBeUndefined();
  });

  it('shows the remaining lifetime of an access token only if its start and end are known', () => {
    expect(lifeLeft(now - minute, now + 3 * minute, now)).toBe(0.75);
    expect(lifeLeft(now - 2 * minute, now - minute, now)).toBe(0);
    expect(lifeLeft(undefined, now, now)).toBeUndefined();
    expect(lifeLeft(now, undefined, now)).toBeUndefined();
    expect(lifeLeft(now, now, now)).toBeUndefined();
  });
});
