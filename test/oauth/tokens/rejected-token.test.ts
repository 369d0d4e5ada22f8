import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import {
  createAccessTokensRig,
  credentialId as id,
  firstCredential,
  outcomeOf,
  type AccessTokensRig,
} from '../../fixtures/access-tokens-rig.ts';
import { rejecting, sentRefreshTokens, startCall } from '../../fixtures/token-calls.ts';
import { rotating } from '../../fixtures/scripted-http.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

describe('a 401 from the MCP server', () => {
  it('starts one refresh when 30 calls report it for the newest token', async () => {
    await rig.signIn();
    const calls = Array.from({ length: 30 }, () => startCall(rig, rejecting('access-1')));
    await rig.clock.advance(0);
    expect(new Set(calls.map(({ outcome }) => outcome))).toEqual(new Set(['access-2']));
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it('for an older token returns the current one, without a refresh', async () => {
    await rig.signIn();
    startCall(rig, rejecting('access-1'));
    await rig.clock.advance(0);
    expect(outcomeOf(await rig.tokens.accessToken(id, rejecting('access-1')))).toBe('access-2');
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it('HT01 to every token causes refreshes at growing intervals, and an error that names the server', async () => {
    await rig.signIn();
    let newest = 'access-1';
    const outcomes: string[] = [];
    for (let second = 0; second < 100; second += 1) {
      const waiting = startCall(rig, rejecting(newest));
      await rig.clock.advance(1_000);
      outcomes.push(waiting.outcome ?? 'waits');
      if (waiting.outcome?.startsWith('access')) newest = waiting.outcome;
    }
    expect(rig.http.refreshes.length).toBe(3);
    expect(outcomes.filter((one) => one === 'refused E_SERVER_REFUSED')).toHaveLength(97);
    expect(rig.tokens.state(id).kind).toBe('usable');
  });

  it('renews a token near its expiry, even soon after another 401', async () => {
    rig.http.answer = rotating({ expires_in: 20 });
    await rig.signIn({}, 20_000);
    startCall(rig, rejecting('access-1'));
    await rig.clock.advance(17_000);
    const second = startCall(rig, rejecting('access-2'));
    await rig.clock.advance(0);
    expect(second.outcome).toBe('access-3');
  });

  it('RF13 causes at most one refresh in 10 s when each refresh returns the same rejected token', async () => {
    rig.http.answer = rotating({ access_token: 'access-1', expires_in: 1 });
    await rig.signIn();
    rig.tokens.keepFresh(id);
    for (let second = 0; second < 60; second += 1) {
      startCall(rig, rejecting('access-1'));
      await rig.clock.advance(1_000);
    }
    const times = rig.http.refreshes.map(({ at }) => at);
    expect(times.length).toBeGreaterThan(0);
    for (const [index, at] of times.entries()) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(10_000);
  });

  it('RF13 causes at most one refresh in 10 s without an access token, and rotated tokens are kept', async () => {
    rig.http.answer = rotating({ access_token: undefined });
    await rig.signIn();
    for (let second = 0; second < 60; second += 1) {
      startCall(rig, rejecting('access-1'));
      await rig.clock.advance(1_000);
    }
    const times = rig.http.refreshes.map(({ at }) => at);
    for (const [index, at] of times.entries()) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(10_000);
    expect(sentRefreshTokens(rig).slice(0, 3)).toEqual(['refresh-1', 'refresh-2', 'refresh-3']);
    rig.http.answer = rotating();
    await rig.clock.advance(600_000);
    expect(rig.tokens.state(id).kind).toBe('usable');
  });

  it('ends a sign-in without a refresh token; the token is kept, and nothing is sent', async () => {
    const { refreshToken: _none, ...credential } = firstCredential();
    await rig.tokens.adopt(credential, new Secret('access-1'), 1_000);
    await rig.clock.advance(60_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    expect(outcomeOf(await rig.tokens.accessToken(id, rejecting('access-1')))).toBe('refused E_SIGN_IN_AGAIN');
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('refused E_SIGN_IN_AGAIN');
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'ended' });
    expect(rig.http.requests).toEqual([]);
    const read = await rig.vault.read(id);
    expect(read.kind === 'found' && read.credential.accessToken?.reveal()).toBe('access-1');
    expect(outcomeOf(await rig.tokens.refreshNow(id))).toBe('access-1');
  });

  it('an access token is stored across restarts only if there is no refresh token', async () => {
    const { refreshToken: _none, ...credential } = firstCredential();
    await rig.tokens.adopt(credential, new Secret('access-1'), undefined);
    const next = await rig.restart();
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('access-1');
    await next.signIn();
    await next.tokens.refreshNow(id);
    expect([...next.store.items.values()].join('')).not.toContain('access-1');
  });
});
