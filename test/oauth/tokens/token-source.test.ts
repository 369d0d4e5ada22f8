import { beforeEach, describe, expect, it } from 'vitest';
import { retryDelay } from '../../../electron/core/oauth/tokens/backoff.ts';
import { decodedClaims, displayClaims } from '../../../electron/core/oauth/identity/jwt-claims.ts';
import { createSemaphore } from '../../../electron/core/base/semaphore.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { locked, unavailable } from '../../fixtures/fake-store.ts';
import {
  createAccessTokensRig,
  credentialId as id,
  firstCredential,
  outcomeOf,
  storedRefreshToken,
  type AccessTokensRig,
} from '../../fixtures/access-tokens-rig.ts';
import { broken, rotating, type ScriptedHttp } from '../../fixtures/scripted-http.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

/** A call for a token, and what it got, once it got something. */
function call(options?: Parameters<typeof rig.tokens.accessToken>[1], on = rig): { got: string | undefined } {
  const waiting: { got: string | undefined } = { got: undefined };
  const wait = async (): Promise<void> => {
    waiting.got = outcomeOf(await on.tokens.accessToken(id, options));
  };
  void wait();
  return waiting;
}

const token = (name: string): { rejected: Secret } => ({ rejected: new Secret(name) });
const spent = (from = rig): (string | null)[] => from.http.refreshes.map(({ form }) => form.get('refresh_token'));
const refusing =
  (error: string, status = 400): ScriptedHttp['answer'] =>
  () => ({ status, body: { error } });
const busy =
  (status = 503, headers = {}): ScriptedHttp['answer'] =>
  () => ({ status, headers, body: 'busy' });

/** An authorization server that takes its time: answers when told. */
function held(answer: ScriptedHttp['answer']): { readonly answer: ScriptedHttp['answer']; release(): void } {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { answer: async (request) => gate.then(() => answer(request)), release: () => release() };
}

describe('the token of a call', () => {
  it('is the one in memory, without any work', async () => {
    await rig.signIn();
    rig.store.calls.length = 0;
    const timers = rig.clock.pending;
    const first = rig.tokens.accessToken(id);
    expect(rig.tokens.accessToken(id)).toBe(first);
    expect(outcomeOf(await first)).toBe('access-1');
    expect([rig.store.calls, rig.http.requests, rig.clock.pending]).toEqual([[], [], timers]);
  });

  it('without a sign-in there is none, and nobody is asked', async () => {
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('anonymous');
    expect(rig.store.calls).toEqual([]);
    expect(rig.tokens.state(id)).toEqual({ kind: 'none' });
  });

  it('after a restart it is fetched on the first call, and the sign-in shows as usable before', async () => {
    await rig.signIn();
    const next = await rig.restart();
    expect(next.tokens.state(id)).toEqual({ kind: 'usable', renewable: true });
    expect(next.http.requests).toEqual([]);
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('access-2');
    expect(spent(next)).toEqual(['refresh-1']);
  });

  it('RF05 200 calls at once share one refresh', async () => {
    await rig.signIn();
    const next = await rig.restart();
    const gate = held(rotating());
    next.http.answer = gate.answer;
    const calls = Array.from({ length: 200 }, () => call(undefined, next));
    await next.clock.advance(100);
    gate.release();
    await next.clock.advance(0);
    expect(new Set(calls.map(({ got }) => got))).toEqual(new Set(['access-2']));
    expect(next.http.refreshes).toHaveLength(1);
  });

  it('is never handed out before its refresh token is stored and read back', async () => {
    await rig.signIn();
    const next = await rig.restart();
    let seen: string | undefined;
    const waiting = call(undefined, next);
    next.store.fault = (operation, item) => {
      if (operation === 'set' && item.endsWith('/head')) seen = String(waiting.got);
      return undefined;
    };
    await next.clock.advance(0);
    expect(seen).toBe('undefined');
    expect(waiting.got).toBe('access-2');
    expect(await storedRefreshToken(next.vault)).toBe('refresh-2');
  });
});

describe('ahead of expiry', () => {
  it.each([1, 2, 20, 36])(
    'a server whose tokens live %i s is asked for one each 30 s at most, while an app is connected and calls nothing',
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

  it('while a bridge is connected the refresh runs at 75 to 80 % of the life, and no call waits', async () => {
    await rig.signIn();
    const letGo = rig.tokens.keepFresh(id);
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
    expect(spent()).toEqual(['refresh-1', 'refresh-2']);
    letGo();
    expect(rig.tokens.state(id)).not.toHaveProperty('refreshAt');
  });

  it('without a bridge nothing runs; the next call refreshes', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id)();
    await rig.clock.advance(86_400_000);
    expect(rig.http.refreshes).toEqual([]);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('a call after 80 % of the life gets the live token at once, and starts the refresh', async () => {
    await rig.signIn();
    await rig.clock.advance(80_000);
    const gate = held(rotating());
    rig.http.answer = gate.answer;
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    gate.release();
    await rig.clock.advance(0);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('letting go twice counts once', async () => {
    await rig.signIn();
    const first = rig.tokens.keepFresh(id);
    rig.tokens.keepFresh(id);
    first();
    first();
    await rig.clock.advance(80_000);
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it('TR08 without a sensible life the token is used until the server refuses it', async () => {
    await rig.signIn({}, null);
    rig.tokens.keepFresh(id);
    await rig.clock.advance(86_400_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    expect(rig.http.refreshes).toEqual([]);
    const again = call(token('access-1'));
    await rig.clock.advance(0);
    expect(again.got).toBe('access-2');
  });

  it.each([-1, 0, null, 1e308, 'soon', 0.001])(
    'TR08 expires_in %j at each refresh: no refresh in an hour without a 401',
    async (expiresIn) => {
      rig.http.answer = rotating({ expires_in: expiresIn });
      await rig.signIn();
      rig.tokens.keepFresh(id);
      await rig.clock.advance(3_600_000);
      expect(rig.http.refreshes).toHaveLength(1);
    },
  );

  it('LC08 200 credentials that expire together: 8 refreshes at once, every call served', async () => {
    const ids = Array.from({ length: 200 }, (_, index) => `srv${String(index).padStart(5, '0')}:main`);
    for (const one of ids) await rig.vault.write({ ...firstCredential(), id: one });
    let now = 0;
    let most = 0;
    rig.http.answer = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return rotating()({ path: '/token', form: new URLSearchParams(), at: 0 });
    };
    const answers = await Promise.all(ids.map((one) => rig.tokens.accessToken(one)));
    expect(answers.every((answer) => answer.kind === 'token')).toBe(true);
    expect(most).toBe(8);
    expect(rig.http.refreshes).toHaveLength(200);
  });
});

describe('a 401', () => {
  it('to the newest token refreshes once, whoever else reports it', async () => {
    await rig.signIn();
    const calls = Array.from({ length: 30 }, () => call(token('access-1')));
    await rig.clock.advance(0);
    expect(new Set(calls.map(({ got }) => got))).toEqual(new Set(['access-2']));
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it('to an older token gives the current one, without a refresh', async () => {
    await rig.signIn();
    call(token('access-1'));
    await rig.clock.advance(0);
    expect(outcomeOf(await rig.tokens.accessToken(id, token('access-1')))).toBe('access-2');
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it('HT01 for ever: at most one refresh in 30 s, then in 60 s and so on, and an error that names the server as the cause', async () => {
    await rig.signIn();
    let newest = 'access-1';
    const outcomes: string[] = [];
    for (let second = 0; second < 100; second += 1) {
      const waiting = call(token(newest));
      await rig.clock.advance(1_000);
      outcomes.push(waiting.got ?? 'waits');
      if (waiting.got?.startsWith('access')) newest = waiting.got;
    }
    expect(rig.http.refreshes.length).toBe(3);
    expect(outcomes.filter((one) => one === 'refused E_SERVER_REFUSED')).toHaveLength(97);
    expect(rig.tokens.state(id).kind).toBe('usable');
  });

  it('to a token near its own end, soon after another refusal, is no fault of the server: it is renewed', async () => {
    rig.http.answer = rotating({ expires_in: 20 });
    await rig.signIn({}, 20_000);
    call(token('access-1'));
    await rig.clock.advance(17_000);
    const second = call(token('access-2'));
    await rig.clock.advance(0);
    expect(second.got).toBe('access-3');
  });

  it('RF13 the same worthless token once more: at most one refresh in 10 s', async () => {
    rig.http.answer = rotating({ access_token: 'access-1', expires_in: 1 });
    await rig.signIn();
    rig.tokens.keepFresh(id);
    for (let second = 0; second < 60; second += 1) {
      call(token('access-1'));
      await rig.clock.advance(1_000);
    }
    const times = rig.http.refreshes.map(({ at }) => at);
    expect(times.length).toBeGreaterThan(0);
    for (const [index, at] of times.entries()) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(10_000);
  });

  it('RF13 answers without an access token: the rotated token is kept, at most one refresh in 10 s', async () => {
    rig.http.answer = rotating({ access_token: undefined });
    await rig.signIn();
    for (let second = 0; second < 60; second += 1) {
      call(token('access-1'));
      await rig.clock.advance(1_000);
    }
    const times = rig.http.refreshes.map(({ at }) => at);
    for (const [index, at] of times.entries()) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(10_000);
    expect(spent().slice(0, 3)).toEqual(['refresh-1', 'refresh-2', 'refresh-3']);
    rig.http.answer = rotating();
    await rig.clock.advance(600_000);
    expect(rig.tokens.state(id).kind).toBe('usable');
  });

  it('without a refresh token ends the sign-in; the token is kept, and no refresh is tried', async () => {
    const { refreshToken: _none, ...credential } = firstCredential();
    await rig.tokens.adopt(credential, new Secret('access-1'), 1_000);
    await rig.clock.advance(60_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    expect(outcomeOf(await rig.tokens.accessToken(id, token('access-1')))).toBe('refused E_SIGN_IN_AGAIN');
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('refused E_SIGN_IN_AGAIN');
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'ended' });
    expect(rig.http.requests).toEqual([]);
    const read = await rig.vault.read(id);
    expect(read.kind === 'found' && read.credential.accessToken?.reveal()).toBe('access-1');
    expect(outcomeOf(await rig.tokens.refreshNow(id))).toBe('access-1');
  });

  it('without a refresh token the access token survives a restart; with one it is not kept', async () => {
    const { refreshToken: _none, ...credential } = firstCredential();
    await rig.tokens.adopt(credential, new Secret('access-1'), undefined);
    const next = await rig.restart();
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('access-1');
    await next.signIn();
    await next.tokens.refreshNow(id);
    expect([...next.store.items.values()].join('')).not.toContain('access-1');
  });
});

describe('what ends a sign-in', () => {
  it('RF01 invalid_grant: refused once and for all, kept aside, asked once', async () => {
    await rig.signIn();
    rig.http.answer = refusing('invalid_grant');
    expect(outcomeOf(await rig.tokens.accessToken(id, token('access-1')))).toBe('refused E_SIGN_IN_AGAIN');
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('refused E_SIGN_IN_AGAIN');
    await rig.clock.advance(3_600_000);
    expect(rig.http.refreshes).toHaveLength(1);
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'ended', error: { code: 'E_SIGN_IN_AGAIN' } });
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-1');
    const next = await rig.restart();
    await next.tokens.start();
    expect(next.tokens.state(id)).toMatchObject({ kind: 'ended' });
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('refused E_SIGN_IN_AGAIN');
    expect(outcomeOf(await next.tokens.refreshNow(id))).toBe('refused E_SIGN_IN_AGAIN');
    expect(next.http.refreshes).toHaveLength(1);
  });

  it('a new sign-in ends the quarantine', async () => {
    await rig.signIn();
    rig.http.answer = refusing('invalid_grant');
    await rig.tokens.accessToken(id, token('access-1'));
    rig.http.answer = rotating();
    await rig.tokens.adopt(
      { ...firstCredential(), refreshToken: new Secret('refresh-9') },
      new Secret('access-9'),
      100_000,
    );
    expect(rig.tokens.state(id).kind).toBe('usable');
    expect(outcomeOf(await rig.tokens.accessToken(id, token('access-9')))).toBe('access-2');
    expect(spent().at(-1)).toBe('refresh-9');
  });

  it('invalid_grant for a token that is no longer the stored one ends nothing', async () => {
    await rig.signIn();
    const gate = held(refusing('invalid_grant'));
    rig.http.answer = gate.answer;
    const waiting = call(token('access-1'));
    await rig.clock.advance(0);
    await rig.vault.write({ ...firstCredential(), refreshToken: new Secret('refresh-5') });
    gate.release();
    rig.http.answer = rotating();
    await rig.clock.advance(2_000);
    expect(waiting.got).toBe('access-2');
    expect(spent()).toEqual(['refresh-1', 'refresh-5']);
  });

  it('RF14 invalid_client: tried once more; then a new sign-in is needed, and nothing is lost', async () => {
    await rig.signIn();
    rig.http.answer = refusing('invalid_client', 401);
    const waiting = call(token('access-1'));
    await rig.clock.advance(5_000);
    expect(waiting.got).toBe('refused E_CLIENT_REFUSED');
    expect(rig.http.refreshes).toHaveLength(2);
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-1');
    rig.http.answer = rotating();
    await rig.clock.advance(300_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('RF14 a single invalid_client is forgiven', async () => {
    await rig.signIn();
    const good = rotating();
    let first = true;
    rig.http.answer = (request) => {
      const answer = first ? refusing('invalid_client')(request) : good(request);
      first = false;
      return answer;
    };
    const waiting = call(token('access-1'));
    await rig.clock.advance(5_000);
    expect(waiting.got).toBe('access-2');
  });

  it.each(['server_error', 'temporarily_unavailable', 'slow_down'])('%s is a passing fault', async (error) => {
    await rig.signIn();
    rig.http.answer = refusing(error);
    const waiting = call(token('access-1'));
    await rig.clock.advance(21_000);
    expect(waiting.got).toBe('unavailable E_REFRESH_FAILED');
    expect(rig.tokens.state(id).kind).toBe('retrying');
    rig.http.answer = rotating();
    await rig.clock.advance(300_000);
    expect(rig.tokens.state(id).kind).toBe('usable');
  });
});

describe('passing faults', () => {
  it('RF02 an unclear outcome: the same token again after 0.5, 2, 5 and 15 s, then up to 5 min', async () => {
    await rig.signIn({}, 10_000_000);
    rig.tokens.keepFresh(id);
    rig.http.answer = broken();
    await rig.clock.advance(7_750_000);
    const start = rig.clock.now();
    await rig.clock.advance(1_800_000);
    const gaps = rig.http.refreshes.map(({ at }, index, all) => at - (all[index - 1]?.at ?? start));
    expect(gaps.slice(0, 10)).toEqual([0, 500, 2_000, 5_000, 15_000, 30_000, 60_000, 120_000, 240_000, 300_000]);
    expect(new Set(spent())).toEqual(new Set(['refresh-1']));
    rig.http.answer = rotating({ expires_in: 10_000 });
    await rig.clock.advance(300_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('RF06 RF15 a live token stays in use meanwhile', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    rig.http.answer = busy();
    await rig.clock.advance(80_000);
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'retrying', error: { code: 'E_REFRESH_FAILED' } });
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
  });

  it('RF15 a call without a live token waits 20 s, forcing a try every 2 s, then hears why', async () => {
    await rig.signIn();
    rig.http.answer = broken(false);
    const next = await rig.restart();
    const waiting = call(undefined, next);
    await next.clock.advance(19_999);
    expect(waiting.got).toBeUndefined();
    await next.clock.advance(1);
    expect(waiting.got).toBe('unavailable E_REFRESH_FAILED');
    const gaps = next.http.refreshes.map(({ at }, index, all) => at - (all[index - 1]?.at ?? at));
    expect(gaps.slice(1).every((gap) => gap <= 2_000)).toBe(true);
    expect(gaps.slice(2).every((gap) => gap === 2_000)).toBe(true);
  });

  it('RF15 when the server is back, a waiting call has its token within 2 s', async () => {
    await rig.signIn();
    rig.http.answer = broken(false);
    const next = await rig.restart();
    const waiting = call(undefined, next);
    await next.clock.advance(9_000);
    next.http.answer = rotating();
    await next.clock.advance(2_000);
    expect(waiting.got).toBe('access-2');
  });

  it('a call that comes during a long pause forces a try at once', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    rig.http.answer = broken();
    await rig.clock.advance(600_000);
    rig.http.answer = rotating();
    const waiting = call();
    await rig.clock.advance(0);
    expect(waiting.got).toBe('access-2');
  });

  it.each([
    ['seconds', { 'retry-after': '60' }],
    ['a date', { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' }],
  ])('RF07 Retry-After as %s: no try before, whoever waits or wakes', async (_form, headers) => {
    await rig.signIn();
    rig.http.answer = busy(429, headers);
    const waiting = call(token('access-1'));
    await rig.clock.advance(0);
    const start = rig.clock.now();
    rig.wake();
    call();
    await rig.clock.advance(59_999);
    rig.wake();
    await rig.clock.advance(0);
    expect(rig.http.refreshes).toHaveLength(1);
    expect(waiting.got).toBe('unavailable E_REFRESH_FAILED');
    rig.http.answer = rotating();
    await rig.clock.advance(1);
    expect(rig.http.refreshes.map(({ at }) => at - start)).toEqual([0, 60_000]);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('RF07 the error says how long', async () => {
    await rig.signIn();
    rig.http.answer = busy(429, { 'retry-after': '60' });
    const answer = rig.tokens.accessToken(id, token('access-1'));
    await rig.clock.advance(20_000);
    expect(await answer).toMatchObject({ kind: 'unavailable', error: { retryAfterMs: 60_000 } });
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'retrying', nextTryAt: rig.clock.now() + 40_000 });
  });

  it('refreshNow tries whatever the back-off says', async () => {
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

  it('RF20 a cancelled call hears so at once; the refresh goes on and is stored', async () => {
    await rig.signIn();
    const gate = held(rotating());
    rig.http.answer = gate.answer;
    const abort = new AbortController();
    const waiting = call({ ...token('access-1'), signal: abort.signal });
    await rig.clock.advance(100);
    abort.abort();
    await rig.clock.advance(0);
    expect(waiting.got).toBe('unavailable E_CANCELLED');
    gate.release();
    await rig.clock.advance(0);
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-2');
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });
});

describe('sleep and clocks', () => {
  it('RF21 on wake a pending retry runs at once, with the same token', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    rig.http.answer = broken(false);
    await rig.clock.advance(600_000);
    rig.http.answer = rotating();
    rig.wake();
    await rig.clock.advance(0);
    expect(rig.tokens.state(id).kind).toBe('usable');
    expect(new Set(spent())).toEqual(new Set(['refresh-1']));
  });

  it('RF21 a token that expired during the sleep is renewed on wake while a bridge is connected', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    rig.clock.jump(8 * 3_600_000);
    rig.wake();
    await rig.clock.advance(0);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it('RF21 the timer of a token that still lives is set anew on wake', async () => {
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
    'RF16 LC03 the system time jumps by %i ms: no refresh out of turn',
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

  it('LC03 a clock set back by a year, then a wake: the token is used, and a 401 decides', async () => {
    await rig.signIn();
    rig.clock.jump(-31_536_000_000);
    rig.wake();
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    expect(outcomeOf(await rig.tokens.accessToken(id, token('access-1')))).toBe('access-2');
  });
});

describe('the store', () => {
  it('RF18 that takes no write: the refresh token is not spent', async () => {
    await rig.signIn();
    rig.store.fault = (operation) => (operation === 'set' ? locked : undefined);
    expect(outcomeOf(await rig.tokens.accessToken(id, token('access-1')))).toBe('unavailable E_STORE_LOCKED');
    expect(rig.http.requests).toEqual([]);
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'blocked', error: { code: 'E_STORE_LOCKED' } });
    rig.store.fault = undefined;
    await rig.clock.advance(10_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('KC01 locked at start: no sign-in is lost, calls hear it at once, and it goes on by itself', async () => {
    await rig.signIn();
    const next = await rig.restart();
    next.store.fault = () => locked;
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('unavailable E_STORE_LOCKED');
    await next.clock.advance(600_000);
    next.store.fault = undefined;
    await next.clock.advance(10_000);
    expect(next.tokens.state(id)).toMatchObject({ kind: 'usable', renewable: true });
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('access-2');
  });

  it('that is away for a moment: the call waits and gets its token', async () => {
    await rig.signIn();
    const next = await rig.restart();
    next.store.fault = () => unavailable;
    const waiting = call(undefined, next);
    await next.clock.advance(5_000);
    expect(waiting.got).toBeUndefined();
    next.store.fault = undefined;
    await next.clock.advance(2_000);
    expect(waiting.got).toBe('access-2');
  });

  it('RF18 KC04 that fails after the answer: held in memory, tried each second, loud, and calls wait 20 s', async () => {
    await rig.signIn();
    let full = false;
    rig.store.fault = (operation, item) =>
      full && operation === 'set' && !item.endsWith('/journal') ? unavailable : undefined;
    const answer = rotating();
    rig.http.answer = (request) => {
      full = true;
      return answer(request);
    };
    const waiting = call(token('access-1'));
    await rig.clock.advance(19_999);
    expect(waiting.got).toBeUndefined();
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'blocked', error: { code: 'E_STORE_WRITE' } });
    await rig.clock.advance(1);
    expect(waiting.got).toBe('unavailable E_STORE_WRITE');
    const writes = rig.store.calls.filter((one) => one.startsWith('set') && one.endsWith('.1')).length;
    expect(writes).toBeGreaterThanOrEqual(20);
    full = false;
    rig.store.fault = undefined;
    await rig.clock.advance(1_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-2');
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it('KC06 a damaged entry: a clear error, and the other credentials go on', async () => {
    await rig.signIn();
    await rig.vault.write({ ...firstCredential(), id: 'srv00002:main' });
    const next = await rig.restart();
    for (const name of next.store.items.keys()) if (name.includes('srv00001')) next.store.items.set(name, 'garbage');
    const before = new Map(next.store.items);
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('refused E_STORE_DAMAGED');
    expect(outcomeOf(await next.tokens.accessToken('srv00002:main'))).toBe('access-2');
    for (const [name, value] of before) if (name.includes('srv00001')) expect(next.store.items.get(name)).toBe(value);
  });

  it('KC02 an item that vanished: a new sign-in is asked for, nothing is deleted, and it heals when the item is back', async () => {
    await rig.signIn();
    const next = await rig.restart();
    const items = new Map(next.store.items);
    next.store.items.clear();
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('refused E_SIGN_IN_AGAIN');
    expect(next.vault.facts(id)).toBeDefined();
    for (const [name, value] of items) next.store.items.set(name, value);
    await next.clock.advance(2_000);
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('access-2');
  });

  it('a sign-in that cannot be stored is an error, and the sign-in before stays', async () => {
    await rig.signIn();
    rig.store.fault = (operation) => (operation === 'set' ? locked : undefined);
    await expect(
      rig.tokens.adopt({ ...firstCredential(), refreshToken: new Secret('refresh-9') }, new Secret('access-9'), 1_000),
    ).rejects.toMatchObject({ code: 'E_STORE_LOCKED' });
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-1');
  });

  it('RF11 an answer without a refresh token keeps the old one', async () => {
    rig.http.answer = rotating({ refresh_token: undefined });
    await rig.signIn();
    await rig.tokens.refreshNow(id);
    await rig.tokens.refreshNow(id);
    expect(spent()).toEqual(['refresh-1', 'refresh-1']);
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-1');
  });

  it('RF25 TR11 the scopes of the newest answer are recorded', async () => {
    rig.http.answer = rotating({ scope: 'mcp:read mcp:write' });
    await rig.signIn();
    await rig.tokens.refreshNow(id);
    expect(rig.vault.facts(id)).toMatchObject({
      grantedScopes: ['mcp:read', 'mcp:write'],
      lastRefreshAt: rig.clock.now(),
    });
  });
});

describe('sign-out', () => {
  it('revokes at the server and deletes from the store', async () => {
    await rig.signIn();
    expect(await rig.tokens.signOut(id)).toEqual({ revoked: 'confirmed', deleted: true });
    expect(rig.http.requests.map(({ path, form }) => [path, form.get('token'), form.get('token_type_hint')])).toEqual([
      ['/revoke', 'refresh-1', 'refresh_token'],
      ['/revoke', 'access-1', 'access_token'],
    ]);
    expect(rig.store.items.size).toBe(0);
    expect(rig.tokens.state(id)).toEqual({ kind: 'none' });
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('anonymous');
  });

  it('says when the server offers no revocation, is away, or nothing was there', async () => {
    const { revocationEndpoint: _none, ...without } = firstCredential();
    await rig.tokens.adopt(without, new Secret('access-1'), 1_000);
    expect(await rig.tokens.signOut(id)).toEqual({ revoked: 'not_offered', deleted: true });
    await rig.signIn();
    rig.http.answer = broken(false);
    expect(await rig.tokens.signOut(id)).toMatchObject({
      revoked: 'failed',
      deleted: true,
      detail: expect.stringContaining('authorization server'),
    });
    expect(await rig.tokens.signOut(id)).toEqual({ revoked: 'nothing_to_revoke', deleted: true });
  });

  it('with a locked store counts at once and for good; the items go when the store can be used', async () => {
    await rig.signIn();
    rig.store.fault = () => locked;
    expect(await rig.tokens.signOut(id)).toMatchObject({ revoked: 'failed', deleted: false });
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('anonymous');
    rig.store.fault = undefined;
    const next = await rig.restart();
    expect(next.tokens.state(id)).toEqual({ kind: 'none' });
    await next.tokens.start();
    await next.clock.advance(0);
    expect(next.store.items.size).toBe(0);
  });

  it('during a refresh wins: the late token is revoked and not stored', async () => {
    await rig.signIn();
    const gate = held(rotating());
    rig.http.answer = (request) => (request.path === '/revoke' ? {} : gate.answer(request));
    const waiting = call(token('access-1'));
    await rig.clock.advance(0);
    expect(await rig.tokens.signOut(id)).toMatchObject({ deleted: true });
    expect(waiting.got).toBe('anonymous');
    expect(rig.http.requests.some(({ form }) => form.get('token') === 'refresh-2')).toBe(false);
    gate.release();
    await rig.clock.advance(0);
    expect(rig.http.requests.some(({ form }) => form.get('token') === 'refresh-2')).toBe(true);
    expect(rig.store.items.size).toBe(0);
    expect(rig.tokens.state(id)).toEqual({ kind: 'none' });
  });

  it('a sign-in during a refresh wins: the late token changes nothing', async () => {
    await rig.signIn();
    const gate = held(rotating());
    rig.http.answer = gate.answer;
    const waiting = call(token('access-1'));
    await rig.clock.advance(0);
    await rig.tokens.adopt(
      { ...firstCredential(), refreshToken: new Secret('refresh-9') },
      new Secret('access-9'),
      100_000,
    );
    await rig.clock.advance(0);
    expect(waiting.got).toBe('access-9');
    gate.release();
    await rig.clock.advance(0);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-9');
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-9');
  });

  it('a sign-in during a sign-out stays', async () => {
    await rig.signIn();
    const gate = held(() => ({}));
    rig.http.answer = gate.answer;
    const leaving = rig.tokens.signOut(id);
    const joining = rig.tokens.adopt(
      { ...firstCredential(), refreshToken: new Secret('refresh-9') },
      new Secret('access-9'),
      100_000,
    );
    await rig.clock.advance(0);
    gate.release();
    await Promise.all([leaving, joining]);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-9');
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-9');
  });

  it('while a sign-in is being stored wins: both of its tokens are revoked, and neither is used', async () => {
    rig.http.answer = () => ({});
    const joining = rig.tokens.adopt(
      { ...firstCredential(), refreshToken: new Secret('refresh-9') },
      new Secret('access-9'),
      100_000,
    );
    const leaving = rig.tokens.signOut(id);
    await rig.clock.advance(0);
    await Promise.all([joining, leaving]);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('anonymous');
    expect(rig.tokens.state(id)).toEqual({ kind: 'none' });
    expect(rig.http.requests.map(({ form }) => form.get('token'))).toEqual(['refresh-9', 'access-9']);
    expect(rig.store.items.size).toBe(0);
  });
});

describe('start and end', () => {
  it('RF04 an open journal is refreshed at start, before anybody asks', async () => {
    await rig.signIn();
    await rig.vault.openJournal(id, 1);
    const next = await rig.restart();
    await next.tokens.start();
    await next.clock.advance(0);
    expect(spent(next)).toEqual(['refresh-1']);
    expect(next.vault.openJournals()).toEqual([]);
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('access-2');
  });

  it('RF04 a journal without a credential does no harm', async () => {
    await rig.vault.openJournal('srv00009:main', 1);
    await rig.tokens.start();
    await rig.clock.advance(60_000);
    expect(rig.http.requests).toEqual([]);
    expect(rig.tokens.state('srv00009:main')).toEqual({ kind: 'none' });
  });

  it('LC04 the end waits until a refresh in flight is stored', async () => {
    await rig.signIn();
    const gate = held(rotating());
    rig.http.answer = gate.answer;
    call(token('access-1'));
    await rig.clock.advance(0);
    let closed = false;
    void rig.tokens.close().then(() => (closed = true));
    await rig.clock.advance(1_000);
    expect(closed).toBe(false);
    gate.release();
    await rig.clock.advance(0);
    expect(closed).toBe(true);
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-2');
  });

  it('LC04 the end waits 5 s at most, and leaves the journal open', async () => {
    await rig.signIn();
    rig.http.answer = held(rotating()).answer;
    call(token('access-1'));
    await rig.clock.advance(0);
    let closed = false;
    void rig.tokens.close().then(() => (closed = true));
    await rig.clock.advance(4_999);
    expect(closed).toBe(false);
    await rig.clock.advance(1);
    expect(closed).toBe(true);
    expect(rig.vault.openJournals()).toEqual([id]);
  });

  it('after the end no timer is left', async () => {
    await rig.signIn();
    rig.tokens.keepFresh(id);
    await rig.tokens.close();
    expect(rig.clock.pending).toBe(0);
  });

  it('tells each change, and writes no secret into the log', async () => {
    await rig.signIn();
    rig.changes.length = 0;
    await rig.tokens.refreshNow(id);
    expect(rig.changes).toContain(id);
    rig.http.answer = refusing('invalid_grant');
    await rig.tokens.refreshNow(id);
    await rig.tokens.signOut(id);
    expect(rig.log.length).toBeGreaterThan(3);
    expect(rig.log.join('')).not.toMatch(/refresh-\d|access-\d/);
  });
});

it('TR15 claims of the access token are for display only', async () => {
  const payload = Buffer.from(JSON.stringify({ aud: 'https://other.example', sub: 'ada' })).toString('base64url');
  const jwt = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.x`;
  await rig.tokens.adopt(firstCredential(), new Secret(jwt), 100_000);
  expect(displayClaims(decodedClaims(rig.tokens.current(id)?.token.reveal() ?? '') ?? {})).toEqual({
    aud: 'https://other.example',
    sub: 'ada',
  });
  expect(outcomeOf(await rig.tokens.accessToken(id))).toBe(jwt);
});

describe('the parts', () => {
  it('delays: 0.5, 2, 5, 15 s, then doubling with 20 % jitter up to 5 min', () => {
    expect([1, 2, 3, 4].map((n) => retryDelay(n, () => 0))).toEqual([500, 2_000, 5_000, 15_000]);
    expect([5, 6, 9, 50].map((n) => retryDelay(n, () => 0))).toEqual([24_000, 48_000, 240_000, 240_000]);
    expect([5, 6, 9, 50].map((n) => retryDelay(n, () => 1))).toEqual([36_000, 72_000, 300_000, 300_000]);
  });

  it('slots serve in order, and a failing task gives its slot back', async () => {
    const slots = createSemaphore(1);
    const order: number[] = [];
    const work = [1, 2, 3].map((n) =>
      slots.run(async () => {
        order.push(n);
        if (n === 1) throw new Error('fails');
      }),
    );
    await Promise.allSettled(work);
    expect(order).toEqual([1, 2, 3]);
  });
});
