import { beforeEach, describe, expect, it } from 'vitest';
import {
  createAccessTokensRig,
  credentialId as id,
  outcomeOf,
  storedRefreshToken,
  type AccessTokensRig,
} from '../../fixtures/access-tokens-rig.ts';
import { busy, delayed, rejecting, sentRefreshTokens, startCall } from '../../fixtures/token-calls.ts';
import { broken, rotating } from '../../fixtures/scripted-http.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

describe('a refresh after a temporary fault', () => {
  it('RF02 sends the same token again after 0.5, 2, 5 and 15 s, then with pauses of up to 5 min', async () => {
    await rig.signIn({}, 10_000_000);
    rig.tokens.keepFresh(id);
    rig.http.answer = broken();
    await rig.clock.advance(7_750_000);
    const start = rig.clock.now();
    await rig.clock.advance(1_800_000);
    const gaps = rig.http.refreshes.map(({ at }, index, all) => at - (all[index - 1]?.at ?? start));
    expect(gaps.slice(0, 10)).toEqual([0, 500, 2_000, 5_000, 15_000, 30_000, 60_000, 120_000, 240_000, 300_000]);
    expect(new Set(sentRefreshTokens(rig))).toEqual(new Set(['refresh-1']));
    rig.http.answer = rotating({ expires_in: 10_000 });
    await rig.clock.advance(300_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('RF06 RF15 leaves the current token in use until it expires', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    rig.http.answer = busy();
    await rig.clock.advance(80_000);
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'retrying', error: { code: 'E_REFRESH_FAILED' } });
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
  });

  it('RF15 is tried every 2 s while a call waits, which fails after 20 s with the cause', async () => {
    await rig.signIn();
    rig.http.answer = broken(false);
    const next = await rig.restart();
    const waiting = startCall(next);
    await next.clock.advance(19_999);
    expect(waiting.outcome).toBeUndefined();
    await next.clock.advance(1);
    expect(waiting.outcome).toBe('unavailable E_REFRESH_FAILED');
    const gaps = next.http.refreshes.map(({ at }, index, all) => at - (all[index - 1]?.at ?? at));
    expect(gaps.slice(1).every((gap) => gap <= 2_000)).toBe(true);
    expect(gaps.slice(2).every((gap) => gap === 2_000)).toBe(true);
  });

  it('RF15 gives a waiting call its token within 2 s after the server is back', async () => {
    await rig.signIn();
    rig.http.answer = broken(false);
    const next = await rig.restart();
    const waiting = startCall(next);
    await next.clock.advance(9_000);
    next.http.answer = rotating();
    await next.clock.advance(2_000);
    expect(waiting.outcome).toBe('access-2');
  });

  it('is tried at once for a call that arrives during a long pause', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    rig.http.answer = broken();
    await rig.clock.advance(600_000);
    rig.http.answer = rotating();
    const waiting = startCall(rig);
    await rig.clock.advance(0);
    expect(waiting.outcome).toBe('access-2');
  });

  it.each([
    ['seconds', { 'retry-after': '60' }],
    ['a date', { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' }],
  ])(
    'RF07 does not run before the Retry-After given as %s, despite waiting calls and wake-ups',
    async (_form, headers) => {
      await rig.signIn();
      rig.http.answer = busy(429, headers);
      const waiting = startCall(rig, rejecting('access-1'));
      await rig.clock.advance(0);
      const start = rig.clock.now();
      rig.wake();
      startCall(rig);
      await rig.clock.advance(59_999);
      rig.wake();
      await rig.clock.advance(0);
      expect(rig.http.refreshes).toHaveLength(1);
      expect(waiting.outcome).toBe('unavailable E_REFRESH_FAILED');
      rig.http.answer = rotating();
      await rig.clock.advance(1);
      expect(rig.http.refreshes.map(({ at }) => at - start)).toEqual([0, 60_000]);
      expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
    },
  );

  it('RF07 fails with an error that states the pause', async () => {
    await rig.signIn();
    rig.http.answer = busy(429, { 'retry-after': '60' });
    const result = rig.tokens.accessToken(id, rejecting('access-1'));
    await rig.clock.advance(20_000);
    expect(await result).toMatchObject({ kind: 'unavailable', error: { retryAfterMs: 60_000 } });
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'retrying', nextTryAt: rig.clock.now() + 40_000 });
  });

  it('is tried at once by refreshNow during a pause', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    rig.http.answer = broken();
    await rig.clock.advance(600_000);
    const before = rig.http.refreshes.length;
    expect(outcomeOf(await rig.tokens.refreshNow(id))).toBe('unavailable E_REFRESH_FAILED');
    expect(rig.http.refreshes).toHaveLength(before + 1);
    rig.http.answer = rotating();
    expect(outcomeOf(await rig.tokens.refreshNow(id))).toBe('access-2');
    expect(outcomeOf(await rig.tokens.refreshNow(id))).toBe('access-3');
  });

  it('RF20 continues and is stored when the call that started it is cancelled', async () => {
    await rig.signIn();
    const gate = delayed(rotating());
    rig.http.answer = gate.answer;
    const abort = new AbortController();
    const waiting = startCall(rig, { ...rejecting('access-1'), signal: abort.signal });
    await rig.clock.advance(100);
    abort.abort();
    await rig.clock.advance(0);
    expect(waiting.outcome).toBe('unavailable E_CANCELLED');
    gate.release();
    await rig.clock.advance(0);
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-2');
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });
});
