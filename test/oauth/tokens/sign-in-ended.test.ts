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
import { delayed, refusing, rejecting, sentRefreshTokens, startCall } from '../../fixtures/token-calls.ts';
import { rotating } from '../../fixtures/scripted-http.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

describe('a refused refresh', () => {
  it('RF01 ends the sign-in after one invalid_grant, also across a restart, and keeps the refresh token', async () => {
    await rig.signIn();
    rig.http.answer = refusing('invalid_grant');
    expect(outcomeOf(await rig.tokens.accessToken(id, rejecting('access-1')))).toBe('refused E_SIGN_IN_AGAIN');
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

  it('no longer matters after a new sign-in', async () => {
    await rig.signIn();
    rig.http.answer = refusing('invalid_grant');
    await rig.tokens.accessToken(id, rejecting('access-1'));
    rig.http.answer = rotating();
    await rig.tokens.adopt(
      { ...firstCredential(), refreshToken: new Secret('refresh-9') },
      new Secret('access-9'),
      100_000,
    );
    expect(rig.tokens.state(id).kind).toBe('usable');
    expect(outcomeOf(await rig.tokens.accessToken(id, rejecting('access-9')))).toBe('access-2');
    expect(sentRefreshTokens(rig).at(-1)).toBe('refresh-9');
  });

  it('does not end the sign-in when another refresh token has been stored meanwhile', async () => {
    await rig.signIn();
    const gate = delayed(refusing('invalid_grant'));
    rig.http.answer = gate.answer;
    const waiting = startCall(rig, rejecting('access-1'));
    await rig.clock.advance(0);
    await rig.vault.write({ ...firstCredential(), refreshToken: new Secret('refresh-5') });
    gate.release();
    rig.http.answer = rotating();
    await rig.clock.advance(2_000);
    expect(waiting.outcome).toBe('access-2');
    expect(sentRefreshTokens(rig)).toEqual(['refresh-1', 'refresh-5']);
  });

  it('RF14 needs a new sign-in after two invalid_client, and works again when the server accepts it', async () => {
    await rig.signIn();
    rig.http.answer = refusing('invalid_client', 401);
    const waiting = startCall(rig, rejecting('access-1'));
    await rig.clock.advance(5_000);
    expect(waiting.outcome).toBe('refused E_CLIENT_REFUSED');
    expect(rig.http.refreshes).toHaveLength(2);
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-1');
    rig.http.answer = rotating();
    await rig.clock.advance(300_000);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-2');
  });

  it('RF14 is repeated after a single invalid_client', async () => {
    await rig.signIn();
    const good = rotating();
    let first = true;
    rig.http.answer = (request) => {
      const answer = first ? refusing('invalid_client')(request) : good(request);
      first = false;
      return answer;
    };
    const waiting = startCall(rig, rejecting('access-1'));
    await rig.clock.advance(5_000);
    expect(waiting.outcome).toBe('access-2');
  });

  it.each(['server_error', 'temporarily_unavailable', 'slow_down'])(
    'counts as temporary with the error %s',
    async (error) => {
      await rig.signIn();
      rig.http.answer = refusing(error);
      const waiting = startCall(rig, rejecting('access-1'));
      await rig.clock.advance(21_000);
      expect(waiting.outcome).toBe('unavailable E_REFRESH_FAILED');
      expect(rig.tokens.state(id).kind).toBe('retrying');
      rig.http.answer = rotating();
      await rig.clock.advance(300_000);
      expect(rig.tokens.state(id).kind).toBe('usable');
    },
  );
});
