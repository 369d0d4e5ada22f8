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
import { delayed, rejecting, startCall } from '../../fixtures/token-calls.ts';
import { locked } from '../../fixtures/fake-store.ts';
import { broken, rotating } from '../../fixtures/scripted-http.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

describe('a sign-out', () => {
  it('revokes both tokens at the authorization server and deletes the credential', async () => {
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

  it('reports a server without revocation, one that is unreachable, and that nothing was stored', async () => {
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

  it('takes effect at once with a locked store, and the items are deleted when the store can be used', async () => {
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

  it('discards a refresh in flight: the late token is revoked and not stored', async () => {
    await rig.signIn();
    const gate = delayed(rotating());
    rig.http.answer = (request) => (request.path === '/revoke' ? {} : gate.answer(request));
    const waiting = startCall(rig, rejecting('access-1'));
    await rig.clock.advance(0);
    expect(await rig.tokens.signOut(id)).toMatchObject({ deleted: true });
    expect(waiting.outcome).toBe('anonymous');
    expect(rig.http.requests.some(({ form }) => form.get('token') === 'refresh-2')).toBe(false);
    gate.release();
    await rig.clock.advance(0);
    expect(rig.http.requests.some(({ form }) => form.get('token') === 'refresh-2')).toBe(true);
    expect(rig.store.items.size).toBe(0);
    expect(rig.tokens.state(id)).toEqual({ kind: 'none' });
  });

  it('the result of a refresh is discarded after a new sign-in', async () => {
    await rig.signIn();
    const gate = delayed(rotating());
    rig.http.answer = gate.answer;
    const waiting = startCall(rig, rejecting('access-1'));
    await rig.clock.advance(0);
    await rig.tokens.adopt(
      { ...firstCredential(), refreshToken: new Secret('refresh-9') },
      new Secret('access-9'),
      100_000,
    );
    await rig.clock.advance(0);
    expect(waiting.outcome).toBe('access-9');
    gate.release();
    await rig.clock.advance(0);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-9');
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-9');
  });

  it('does not end a sign-in that is made meanwhile', async () => {
    await rig.signIn();
    const gate = delayed(() => ({}));
    rig.http.answer = gate.answer;
    const signingOut = rig.tokens.signOut(id);
    const signingIn = rig.tokens.adopt(
      { ...firstCredential(), refreshToken: new Secret('refresh-9') },
      new Secret('access-9'),
      100_000,
    );
    await rig.clock.advance(0);
    gate.release();
    await Promise.all([signingOut, signingIn]);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-9');
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-9');
  });

  it('ends a sign-in that is being stored: both of its tokens are revoked, and neither is used', async () => {
    rig.http.answer = () => ({});
    const signingIn = rig.tokens.adopt(
      { ...firstCredential(), refreshToken: new Secret('refresh-9') },
      new Secret('access-9'),
      100_000,
    );
    const signingOut = rig.tokens.signOut(id);
    await rig.clock.advance(0);
    await Promise.all([signingIn, signingOut]);
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('anonymous');
    expect(rig.tokens.state(id)).toEqual({ kind: 'none' });
    expect(rig.http.requests.map(({ form }) => form.get('token'))).toEqual(['refresh-9', 'access-9']);
    expect(rig.store.items.size).toBe(0);
  });
});
