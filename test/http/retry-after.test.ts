import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../electron/core/http/retry-after.ts';

describe('the Retry-After header', () => {
  const date = 'Thu, 01 Jan 2026 00:00:10 GMT';
  it.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '999999999' }, 3_600_000],
    [{ 'retry-after': date, date: 'Thu, 01 Jan 2026 00:00:00 GMT' }, 10_000],
    [{ 'retry-after': date }, 10_000],
    [{ 'retry-after': date, date: 'Thu, 01 Jan 2026 01:00:00 GMT' }, 0],
    [{}, undefined],
  ])('%j means %s ms', (headers: Record<string, string>, ms) =>
    expect(retryAfterMs(headers, Date.parse('2026-01-01T00:00:00Z'))).toBe(ms),
  );
});
