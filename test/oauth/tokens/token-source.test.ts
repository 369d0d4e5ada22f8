import { beforeEach, describe, expect, it } from 'vitest';
import { decodedClaims, displayClaims } from '../../../electron/core/oauth/identity/jwt-claims.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import {
  createAccessTokensRig,
  credentialId as id,
  firstCredential,
  outcomeOf,
  storedRefreshToken,
  type AccessTokensRig,
} from '../../fixtures/access-tokens-rig.ts';
import { delayed, sentRefreshTokens, startCall } from '../../fixtures/token-calls.ts';
import { rotating } from '../../fixtures/scripted-http.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

describe('an access token for a call', () => {
  it('is returned from memory, without requests, store access or timers', async () => {
    await rig.signIn();
    rig.store.calls.length = 0;
    const timers = rig.clock.pending;
    const first = rig.tokens.accessToken(id);
    expect(rig.tokens.accessToken(id)).toBe(first);
    expect(outcomeOf(await first)).toBe('access-1');
    expect([rig.store.calls, rig.http.requests, rig.clock.pending]).toEqual([[], [], timers]);
  });

  it('is absent without a sign-in, and nothing is read or requested', async () => {
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('anonymous');
    expect(rig.store.calls).toEqual([]);
    expect(rig.tokens.state(id)).toEqual({ kind: 'none' });
  });

  it('is fetched on the first call after a restart, and the sign-in is shown as usable before that', async () => {
    await rig.signIn();
    const next = await rig.restart();
    expect(next.tokens.state(id)).toEqual({ kind: 'usable', renewable: true });
    expect(next.http.requests).toEqual([]);
    expect(outcomeOf(await next.tokens.accessToken(id))).toBe('access-2');
    expect(sentRefreshTokens(next)).toEqual(['refresh-1']);
  });

  it('RF05 comes from one refresh that 200 concurrent calls share', async () => {
    await rig.signIn();
    const next = await rig.restart();
    const gate = delayed(rotating());
    next.http.answer = gate.answer;
    const calls = Array.from({ length: 200 }, () => startCall(next));
    await next.clock.advance(100);
    gate.release();
    await next.clock.advance(0);
    expect(new Set(calls.map(({ outcome }) => outcome))).toEqual(new Set(['access-2']));
    expect(next.http.refreshes).toHaveLength(1);
  });

  it('is not handed out before its refresh token is stored and read back', async () => {
    await rig.signIn();
    const next = await rig.restart();
    let seen: string | undefined;
    const waiting = startCall(next);
    next.store.fault = (operation, item) => {
      if (operation === 'set' && item.endsWith('/head')) seen = String(waiting.outcome);
      return undefined;
    };
    await next.clock.advance(0);
    expect(seen).toBe('undefined');
    expect(waiting.outcome).toBe('access-2');
    expect(await storedRefreshToken(next.vault)).toBe('refresh-2');
  });
});

it('TR15 is sent whatever its claims say, which are for display only', async () => {
  const payload = Buffer.from(JSON.stringify({ aud: 'https://other.example', sub: 'ada' })).toString('base64url');
  const jwt = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.x`;
  await rig.tokens.adopt(firstCredential(), new Secret(jwt), 100_000);
  expect(displayClaims(decodedClaims(rig.tokens.current(id)?.token.reveal() ?? '') ?? {})).toEqual({
    aud: 'https://other.example',
    sub: 'ada',
  });
  expect(outcomeOf(await rig.tokens.accessToken(id))).toBe(jwt);
});
