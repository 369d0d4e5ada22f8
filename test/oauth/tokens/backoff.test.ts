import { expect, it } from 'vitest';
import { retryDelay } from '../../../electron/core/oauth/tokens/backoff.ts';

it('retries after 0.5, 2, 5 and 15 s, then with delays that double up to 5 min, 20 % up or down', () => {
  expect([1, 2, 3, 4].map((n) => retryDelay(n, () => 0))).toEqual([500, 2_000, 5_000, 15_000]);
  expect([5, 6, 9, 50].map((n) => retryDelay(n, () => 0))).toEqual([24_000, 48_000, 240_000, 240_000]);
  expect([5, 6, 9, 50].map((n) => retryDelay(n, () => 1))).toEqual([36_000, 72_000, 300_000, 300_000]);
});
