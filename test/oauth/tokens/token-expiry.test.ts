import { beforeEach, describe, expect, it } from 'vitest';
import {
  createAccessTokensRig,
  credentialId as id,
  firstCredential,
  outcomeOf,
  type AccessTokensRig,
} from '../../fixtures/access-tokens-rig.ts';
import { delayed, rejecting, sentRefreshTokens, startCall } from '../../fixtures/token-calls.ts';
import { broken, rotating } from '../../fixtures/scripted-http.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

describe('a refresh ahead of expiry', () => {
  it.each([1, 2, 20, 36])(
    'runs at most every 30 s for tokens that live %i s, while an app is connected and calls nothing',
    async (life) => {
      rig.http.answer = rotating({ expires_in: life });
      await rig.signIn({}, life * 1_000);
      rig.tokens.keepFresh(id);
      await rig.clock.advance(600_000);
      expect(rig.http.refreshes.length).toBeGreaterThan(10);
      expect(rig.http.refreshes.length).toBeLessThanOrEqual(20);
      expect(rig.tokens.state(id).kind).toBe('usable');
    },
  );

  it('runs at 75 to 80 % of the lifetime while a bridge is connected, and no call waits for it', async () => {
    await rig.signIn();
    const stop = rig.tokens.keepFresh(id);
    const start = rig.clock.now();
    expect(rig.tokens.state(id)).toEqual({
      kind: 'usable',
      renewable: true,
      expiresAt: start + 100_000,
      refreshAt: start + 77_500,
    });
    await rig.clock.advance(77_499);
    expect(rig.http.refreshes).toEqual([]);
    await rig.clock.advance(1);
    expect(rig.http.refreshes).toHaveLength(1);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
    await rig.clock.advance(100_000);
    expect(sentRefreshTokens(rig)).toEqual(['refresh-1', 'refresh-2']);
    stop();
    expect(rig.tokens.state(id)).not.toHaveProperty('refreshAt');
  });

  it('does not run without a bridge; the next call refreshes', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id)();
    await rig.clock.advance(86_400_000);
    expect(rig.http.refreshes).toEqual([]);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('is started by a call after 80 % of the lifetime, which gets the current token at once', async () => {
    await rig.signIn();
    await rig.clock.advance(80_000);
    const gate = delayed(rotating());
    rig.http.answer = gate.answer;
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    gate.release();
    await rig.clock.advance(0);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('still runs for the second bridge when the first one disconnects twice', async () => {
    await rig.signIn();
    const first = rig.tokens.keepFresh(id);
    rig.tokens.keepFresh(id);
    first();
    first();
    await rig.clock.advance(80_000);
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it('TR08 does not run for a token without a known lifetime, which is used until the server rejects it', async () => {
    await rig.signIn({}, null);
    rig.tokens.keepFresh(id);
    await rig.clock.advance(86_400_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    expect(rig.http.refreshes).toEqual([]);
    const again = startCall(rig, rejecting('access-1'));
    await rig.clock.advance(0);
    expect(again.outcome).toBe('access-2');
  });

  it.each([-1, 0, null, 1e308, 'soon', 0.001])(
    'TR08 does not run within an hour without a 401 when every response has expires_in %j',
    async (expiresIn) => {
      rig.http.answer = rotating({ expires_in: expiresIn });
      await rig.signIn();
      rig.tokens.keepFresh(id);
      await rig.clock.advance(3_600_000);
      expect(rig.http.refreshes).toHaveLength(1);
    },
  );

  it('LC08 runs for 8 of 200 expired credentials at a time, and every call gets a token', async () => {
    const ids = Array.from({ length: 200 }, (_, index) => `srv${String(index).padStart(5, '0')}:main`);
    for (const one of ids) await rig.vault.write({ ...firstCredential(), id: one });
    let running = 0;
    let maxRunning = 0;
    rig.http.answer = async () => {
      running += 1;
      maxRunning = Math.max(maxRunning, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return rotating()({ path: '/token', form: new URLSearchParams(), at: 0 });
    };
    const results = await Promise.all(ids.map((one) => rig.tokens.accessToken(one)));
    expect(results.every((result) => result.kind === 'token')).toBe(true);
    expect(maxRunning).toBe(8);
    expect(rig.http.refreshes).toHaveLength(200);
  });
});

describe('a refresh after a sleep or a change of the system time', () => {
  it('RF21 retries at once on wake, with the same token', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    rig.http.answer = broken(false);
    await rig.clock.advance(600_000);
    rig.http.answer = rotating();
    rig.wake();
    await rig.clock.advance(0);
    expect(rig.tokens.state(id).kind).toBe('usable');
    expect(new Set(sentRefreshTokens(rig))).toEqual(new Set(['refresh-1']));
  });

  it('RF21 runs on wake for a token that expired during the sleep, while a bridge is connected', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    rig.clock.jump(8 * 3_600_000);
    rig.wake();
    await rig.clock.advance(0);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it('RF21 is scheduled again on wake for a token that is still valid', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    rig.clock.jump(70_000);
    rig.wake();
    await rig.clock.advance(7_499);
    expect(rig.http.refreshes).toHaveLength(0);
    await rig.clock.advance(1);
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it.each([-31_536_000_000, -300_000, 300_000, 31_536_000_000])(
    'RF16 LC03 runs on schedule when the system time jumps by %i ms',
    async (ms) => {
      await rig.signIn();
      rig.tokens.keepFresh(id);
      rig.clock.jump(ms);
      expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
      await rig.clock.advance(77_499);
      expect(rig.http.refreshes).toHaveLength(0);
      await rig.clock.advance(1);
      expect(rig.http.refreshes).toHaveLength(1);
    },
  );

  it('LC03 does not run after a wake with a clock set back by a year, until the server answers 401', async () => {
    await rig.signIn();
    rig.clock.jump(-31_536_000_000);
    rig.wake();
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    expect(outcomeOf(await rig.tokens.accessToken(id, rejecting('access-1')))).toBe('access-2');
  });
});
