import { beforeEach, expect, it } from 'vitest';
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
import { Secret } from '../../../electron/core/base/secret.ts';

let rig: AccessTokensRig;
beforeEach(async () => {
  rig = await createAccessTokensRig();
});

const minute = 60_000;
const refusing =
  (answer: ScriptedAnswer): ScriptedHttp['answer'] =>
  () => ({ status: 400, ...answer });
const words = 'Your administrator has ended this';
/** The server refuses the access token: it is over. */
const spend = () => rig.tokens.accessToken(id, { rejected: new Secret('access-1') });
/** What a call gets, and when, in ms. */
function call(): { got: string | undefined; after: number } {
  const waiting: { got: string | undefined; after: number } = { got: undefined, after: -1 };
  const start = rig.clock.now();
  const wait = async (): Promise<void> => {
    waiting.got = outcomeOf(await rig.tokens.accessToken(id));
    waiting.after = rig.clock.now() - start;
  };
  void wait();
  return waiting;
}

const refusals: readonly (readonly [string, ScriptedAnswer])[] = [
  ['invalid_request', { body: { error: 'invalid_request', error_description: words } }],
  ['invalid_token', { body: { error: 'invalid_token', error_description: words } }],
  ['access_denied', { status: 403, body: { error: 'access_denied', error_description: words } }],
  ['unauthorized_client', { body: { error: 'unauthorized_client', error_description: words } }],
  ['invalid_scope', { body: { error: 'invalid_scope', error_description: words } }],
  ['401 without a code', { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: words }],
  ['a message alone', { body: { message: words } }],
];

it.each(refusals)(
  'A refresh that is refused three times with %s, the access token being over, says that a sign-in is needed, in the server’s words',
  async (_what, answer) => {
    await rig.signIn();
    rig.http.answer = refusing(answer);
    const first = spend();
    await rig.clock.advance(5_000);
    expect(outcomeOf(await first)).toBe('refused E_SIGN_IN_AGAIN');
    expect(rig.http.refreshes).toHaveLength(3);
    expect(rig.tokens.state(id)).toMatchObject({
      kind: 'ended',
      error: { code: 'E_SIGN_IN_AGAIN', message: expect.stringContaining(words) as unknown },
    });
    const later = call();
    await rig.clock.advance(0);
    expect(later).toEqual({ got: 'refused E_SIGN_IN_AGAIN', after: 0 });
    expect(await storedRefreshToken(rig.vault)).toBe('refresh-1');
  },
);

it('A refused refresh is tried again ever more slowly, without calls and however many there are, and heals by itself', async () => {
  await rig.signIn();
  rig.http.answer = refusing({ body: { error: 'invalid_request' } });
  void spend();
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

it('A refresh that is refused ahead of expiry stops no call while the access token lives, and the first one after it at once', async () => {
  await rig.signIn();
  const letGo = rig.tokens.keepFresh(id);
  rig.http.answer = refusing({ body: { error: 'access_denied' } });
  await rig.clock.advance(85_000);
  expect(rig.http.refreshes.length).toBeGreaterThanOrEqual(3);
  expect(rig.tokens.state(id).kind).toBe('retrying');
  expect(outcomeOf(await rig.tokens.accessToken(id))).toBe('access-1');
  await rig.clock.advance(10_000);
  expect(rig.tokens.state(id).kind).toBe('ended');
  const one = call();
  await rig.clock.advance(2_000);
  expect(one.got).toBe('refused E_SIGN_IN_AGAIN');
  letGo();
});

it('Refusals that differ, and faults of network and server between them, are not taken for one that stays', async () => {
  await rig.signIn();
  const turns = ['invalid_request', 'invalid_request', 'invalid_scope', 'invalid_request', 'invalid_request'];
  rig.http.answer = () => ({ status: 400, body: { error: turns.shift() ?? 'server_error' } });
  const one = spend();
  await rig.clock.advance(21_000);
  expect(outcomeOf(await one)).toBe('unavailable E_REFRESH_FAILED');
  expect(rig.tokens.state(id).kind).toBe('retrying');
});

it('A sign-in that a refusal has ended is not called a passing fault again because the network is away for a while', async () => {
  await rig.signIn();
  rig.http.answer = refusing({ body: { error: 'access_denied' } });
  void spend();
  await rig.clock.advance(5_000);
  rig.http.answer = broken();
  await rig.clock.advance(30 * minute);
  expect(rig.tokens.state(id)).toMatchObject({ kind: 'ended', error: { code: 'E_SIGN_IN_AGAIN' } });
});

it('A person who tries now is heard at once, whatever the pause', async () => {
  await rig.signIn();
  rig.http.answer = refusing({ body: { error: 'access_denied' } });
  void spend();
  await rig.clock.advance(5_000);
  rig.http.answer = rotating();
  expect(outcomeOf(await rig.tokens.refreshNow(id))).toBe('access-2');
  expect(rig.tokens.state(id).kind).toBe('usable');
});

it('invalid_client, said twice, heals by itself too, and the first time does not say that nothing is lost', async () => {
  await rig.signIn();
  rig.http.answer = refusing({ status: 401, body: { error: 'invalid_client' } });
  void spend();
  await rig.clock.advance(0);
  const state = rig.tokens.state(id);
  expect(state).toMatchObject({
    kind: 'retrying',
    error: { message: expect.stringContaining('If it says so again, a new sign-in is needed.') as unknown },
  });
  expect(state.kind === 'retrying' && state.error.toInfo().remedy).not.toContain('lost');
  await rig.clock.advance(5_000);
  expect(rig.tokens.state(id).kind).toBe('ended');
  rig.http.answer = rotating();
  await rig.clock.advance(5 * minute);
  expect(rig.tokens.state(id).kind).toBe('usable');
  expect(rig.recoveries).toEqual([id]);
});

const worlds = createWorlds();
const closing = closeAfterEach();

it('A host whose calls were refused with the sign-in hears by itself that the server takes the refresh again', async () => {
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
