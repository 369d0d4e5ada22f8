import { beforeEach, describe, expect, it } from 'vitest';
import { errorCodeOf } from '../../fixtures/bridge-place.ts';
import { createWorlds } from '../../fixtures/behaviour/worlds.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import {
  createAccessTokensRig,
  credentialId as id,
  outcomeOf,
  storedRefreshToken,
  type AccessTokensRig,
} from '../../fixtures/access-tokens-rig.ts';
import { broken, rotating, type ScriptedAnswer, type ScriptedHttp } from '../../fixtures/scripted-http.ts';
import { startCall } from '../../fixtures/token-calls.ts';
import { Secret } from '../../../electron/core/base/secret.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

const worlds = createWorlds();
const closing = closeAfterEach();

const minute = 60_000;
const refusing =
  (answer: ScriptedAnswer): ScriptedHttp['answer'] =>
  () => ({ status: 400, ...answer });
const words = 'Your administrator has ended this';
/** The MCP server rejects the access token, so that none is left. */
const reject401 = () => rig.tokens.accessToken(id, { rejected: new Secret('access-1') });
const refusals: readonly (readonly [string, ScriptedAnswer])[] = [
  ['invalid_request', { body: { error: 'invalid_request', error_description: words } }],
  ['invalid_token', { body: { error: 'invalid_token', error_description: words } }],
  ['access_denied', { status: 403, body: { error: 'access_denied', error_description: words } }],
  ['unauthorized_client', { body: { error: 'unauthorized_client', error_description: words } }],
  ['invalid_scope', { body: { error: 'invalid_scope', error_description: words } }],
  ['401 without a code', { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: words }],
  ['a message alone', { body: { message: words } }],
];

describe('a refresh that the authorization server refuses', () => {
  it.each(refusals)(
    'asks for a new sign-in in the server’s words after three refusals with %s and no access token left',
    async (_what, answer) => {
      await rig.signIn();
      rig.http.answer = refusing(answer);
      const first = reject401();
      await rig.clock.advance(5_000);
      expect(outcomeOf(await first)).toBe('refused E_SIGN_IN_AGAIN');
      expect(rig.http.refreshes).toHaveLength(3);
      expect(rig.tokens.state(id)).toMatchObject({
        kind: 'ended',
        error: { code: 'E_SIGN_IN_AGAIN', message: expect.stringContaining(words) as unknown },
      });
      const later = startCall(rig);
      await rig.clock.advance(0);
      expect(later.outcome).toBe('refused E_SIGN_IN_AGAIN');
      expect(await storedRefreshToken(rig.vault)).toBe('refresh-1');
    },
  );

  it('is repeated with growing pauses, independent of calls, and works again when the server accepts it', async () => {
    await rig.signIn();
    rig.http.answer = refusing({ body: { error: 'invalid_request' } });
    void reject401();
    await rig.clock.advance(5_000);
    rig.http.requests.length = 0;
    const start = rig.clock.now();
    for (let hour = 0; hour < 10 * 24; hour += 1) {
      await rig.clock.advance(60 * minute);
      expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('refused E_SIGN_IN_AGAIN');
    }
    const gaps = rig.http.refreshes.map(({ at }, index, all) =>
      Math.round((at - (all[index - 1]?.at ?? start)) / minute),
    );
    expect(gaps.slice(0, 8)).toEqual([5, 10, 20, 40, 80, 160, 320, 640]);
    expect(rig.http.refreshes.length).toBeLessThan(18);
    expect(rig.recoveries).toEqual([]);
    rig.http.answer = rotating();
    await rig.clock.advance(24 * 60 * minute);
    expect(rig.recoveries).toEqual([id]);
    expect(outcomeOf(await rig.tokens.accessToken(id))).not.toContain('refused');
  });

  it('fails calls only after the access token has expired', async () => {
    await rig.signIn();
    const stop = rig.tokens.keepFresh(id);
    rig.http.answer = refusing({ body: { error: 'access_denied' } });
    await rig.clock.advance(85_000);
    expect(rig.http.refreshes.length).toBeGreaterThanOrEqual(3);
    expect(rig.tokens.state(id).kind).toBe('retrying');
    expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
    await rig.clock.advance(10_000);
    expect(rig.tokens.state(id).kind).toBe('ended');
    const call = startCall(rig);
    await rig.clock.advance(2_000);
    expect(call.outcome).toBe('refused E_SIGN_IN_AGAIN');
    stop();
  });

  it('counts as temporary when the refusals differ or faults of network and server come between them', async () => {
    await rig.signIn();
    const errors = ['invalid_request', 'invalid_request', 'invalid_scope', 'invalid_request', 'invalid_request'];
    rig.http.answer = () => ({ status: 400, body: { error: errors.shift() ?? 'server_error' } });
    const result = reject401();
    await rig.clock.advance(21_000);
    expect(outcomeOf(await result)).toBe('unavailable E_REFRESH_FAILED');
    expect(rig.tokens.state(id).kind).toBe('retrying');
  });

  it('still asks for a new sign-in when the network fails later', async () => {
    await rig.signIn();
    rig.http.answer = refusing({ body: { error: 'access_denied' } });
    void reject401();
    await rig.clock.advance(5_000);
    rig.http.answer = broken();
    await rig.clock.advance(30 * minute);
    expect(rig.tokens.state(id)).toMatchObject({ kind: 'ended', error: { code: 'E_SIGN_IN_AGAIN' } });
  });

  it('is repeated at once by refreshNow during a pause', async () => {
    await rig.signIn();
    rig.http.answer = refusing({ body: { error: 'access_denied' } });
    void reject401();
    await rig.clock.advance(5_000);
    rig.http.answer = rotating();
    expect(outcomeOf(await rig.tokens.refreshNow(id))).toBe('access-2');
    expect(rig.tokens.state(id).kind).toBe('usable');
  });

  it('works again after two invalid_client, and the first error does not promise that nothing is lost', async () => {
    await rig.signIn();
    rig.http.answer = refusing({ status: 401, body: { error: 'invalid_client' } });
    void reject401();
    await rig.clock.advance(0);
    const state = rig.tokens.state(id);
    expect(state).toMatchObject({
      kind: 'retrying',
      error: { message: expect.stringContaining('If it says so again, you need to sign in again.') as unknown },
    });
    expect(state.kind === 'retrying' && state.error.toInfo().remedy).not.toContain('lost');
    await rig.clock.advance(5_000);
    expect(rig.tokens.state(id).kind).toBe('ended');
    rig.http.answer = rotating();
    await rig.clock.advance(5 * minute);
    expect(rig.tokens.state(id).kind).toBe('usable');
    expect(rig.recoveries).toEqual([id]);
  });

  it('lets the host’s next call run as soon as the server accepts the refresh again', async () => {
    closing.push(worlds.close);
    const { remote, product, signIn, host } = await worlds.faulty();
    await signIn();
    const app = await host();
    await remote.setScenario('refresh-access-denied');
    remote.expireAccessTokens();
    expect(errorCodeOf(await app.call('echo', { text: 'no' }, 30_000))).toBe('E_SIGN_IN_AGAIN');
    expect((await product.call('status')).servers[0]?.state).toMatchObject({
      kind: 'needs_sign_in',
      error: { message: expect.stringContaining('The account is closed') as unknown },
    });
    await remote.setScenario('healthy');
    await product.call('refreshNow', { server: 'work' });
    expect((await app.call('echo', { text: 'again' }, 30_000)).result).toBeDefined();
    expect(product.browser.openings).toBe(1);
  });
});
