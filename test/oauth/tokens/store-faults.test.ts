import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import {
  createAccessTokensRig,
  credentialId as id,
  firstCredential,
  outcomeOf,
  storedRefreshToken,
  type AccessTokensRig,
} from '../../fixtures/access-tokens-rig.ts';
import { rejecting, sentRefreshTokens, startCall } from '../../fixtures/token-calls.ts';
import { locked, unavailable } from '../../fixtures/fake-store.ts';
import { rotating } from '../../fixtures/scripted-http.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

describe('a store that fails', () => {
  it('RF18 does not use up the refresh token when it accepts no writes', async () => {
    await rig.signIn();
    rig.store.fault = (operation) => (operation === 'set' ? locked : undefined);
    expect(outcomeOf(await rig.tokens.accessToken(id, rejecting('access-1')))).toBe('unavailable E_STORE_LOCKED');
    expect(rig.http.requests).toEqual([]);
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'blocked', error: { code: 'E_STORE_LOCKED' } });
    rig.store.fault = undefined;
    await rig.clock.advance(10_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('KC01 loses no sign-in when locked at start: calls fail at once, and work after it is unlocked', async () => {
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

  it('makes a call wait while it is unavailable for a moment', async () => {
    await rig.signIn();
    const next = await rig.restart();
    next.store.fault = () => unavailable;
    const waiting = startCall(next);
    await next.clock.advance(5_000);
    expect(waiting.outcome).toBeUndefined();
    next.store.fault = undefined;
    await next.clock.advance(2_000);
    expect(waiting.outcome).toBe('access-2');
  });

  it('RF18 KC04 keeps a new token in memory, retries every second, and fails calls after 20 s', async () => {
    await rig.signIn();
    let full = false;
    rig.store.fault = (operation, item) =>
      full && operation === 'set' && !item.endsWith('/journal') ? unavailable : undefined;
    const answer = rotating();
    rig.http.answer = (request) => {
      full = true;
      return answer(request);
    };
    const waiting = startCall(rig, rejecting('access-1'));
    await rig.clock.advance(19_999);
    expect(waiting.outcome).toBeUndefined();
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'blocked', error: { code: 'E_STORE_WRITE' } });
    await rig.clock.advance(1);
    expect(waiting.outcome).toBe('unavailable E_STORE_WRITE');
    const writes = rig.store.calls.filter((one) => one.startsWith('set') && one.endsWith('.1')).length;
    expect(writes).toBeGreaterThanOrEqual(20);
    full = false;
    rig.store.fault = undefined;
    await rig.clock.advance(1_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-2');
    expect(rig.http.refreshes).toHaveLength(1);
  });

  it('KC06 with a damaged entry returns an error for that credential only, and keeps the entry', async () => {
    await rig.signIn();
    await rig.vault.write({ ...firstCredential(), id: 'srv00002:main' });
    const next = await rig.restart();
    for (const name of next.store.items.keys()) if (name.includes('srv00001')) next.store.items.set(name, 'garbage');
    const before = new Map(next.store.items);
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('refused E_STORE_DAMAGED');
    expect(outcomeOf(await next.tokens.accessToken('srv00002:main'))).toBe('access-2');
    for (const [name, value] of before) if (name.includes('srv00001')) expect(next.store.items.get(name)).toBe(value);
  });

  it('KC02 asks for a new sign-in while an item is missing, deletes nothing, and works when it is back', async () => {
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

  it('rejects a new sign-in, and the previous one stays', async () => {
    await rig.signIn();
    rig.store.fault = (operation) => (operation === 'set' ? locked : undefined);
    await expect(
      rig.tokens.adopt({ ...firstCredential(), refreshToken: new Secret('refresh-9') }, new Secret('access-9'), 1_000),
    ).rejects.toMatchObject({ code: 'E_STORE_LOCKED' });
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-1');
  });

  it('RF11 the old refresh token stays stored when a response has no new one', async () => {
    rig.http.answer = rotating({ refresh_token: undefined });
    await rig.signIn();
    await rig.tokens.refreshNow(id);
    await rig.tokens.refreshNow(id);
    expect(sentRefreshTokens(rig)).toEqual(['refresh-1', 'refresh-1']);
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-1');
  });

  it('RF25 TR11 the scopes of the newest response are stored', async () => {
    rig.http.answer = rotating({ scope: 'mcp:read mcp:write' });
    await rig.signIn();
    await rig.tokens.refreshNow(id);
    expect(rig.vault.facts(id)).toMatchObject({
      grantedScopes: ['mcp:read', 'mcp:write'],
      lastRefreshAt: rig.clock.now(),
    });
  });
});
