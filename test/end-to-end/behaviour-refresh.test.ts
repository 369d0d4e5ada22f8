import { afterEach, describe, expect, it } from 'vitest';
import { rows } from '../fixtures/behaviour/rows.ts';
import { createWorlds } from '../fixtures/behaviour/worlds.ts';
import { errorCodeOf } from '../fixtures/bridge-place.ts';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

const worlds = createWorlds();
afterEach(worlds.close);

const ten = Array.from({ length: 10 }, (_, number) => `call ${number}`);

it(rows.parallelExpiry, async () => {
  const { as, product, signIn, host } = await worlds.peers({ as: { rotate: true } });
  await signIn();
  const app = await host();
  as.revokeAccessTokens();
  const answers = await Promise.all(ten.map((text) => app.call('echo', { text }, 30_000)));
  expect(answers.map(textOf)).toEqual(ten);
  expect(as.counts).toMatchObject({ refreshes: 1, refreshesGranted: 1, refreshReuses: 0 });
  expect(product.browser.openings).toBe(1);
});

it(rows.twoProcesses, async () => {
  const { as, product, signIn, host, stateKind } = await worlds.peers({ as: { rotate: true, accessTokenSeconds: 4 } });
  await signIn();
  const [one, two] = [await host(), await host()];
  expect(one.pid).not.toBe(two.pid);
  const answered: string[] = [];
  await until(
    async () => {
      const answers = await Promise.all([
        one.call('echo', { text: 'one' }, 30_000),
        two.call('echo', { text: 'two' }, 30_000),
      ]);
      answered.push(answers.map(textOf).join(' '));
      return as.counts.refreshesGranted >= 2;
    },
    'two expiries',
    25_000,
  );
  expect(new Set(answered)).toEqual(new Set(['one two']));
  expect(as.counts).toMatchObject({ refreshes: as.counts.refreshesGranted, refreshReuses: 0 });
  expect(await stateKind()).toBe('signed_in');
  expect(product.browser.openings).toBe(1);
});

describe(rows.ended, () => {
  it('is reported if there is no refresh token (oidc-provider)', async () => {
    const { as, product, signIn, host, stateKind } = await worlds.peers({ as: { refreshTokens: 'never' } });
    await signIn();
    const app = await host();
    as.revokeAccessTokens();
    expect(errorCodeOf(await app.call('echo', { text: 'too late' }, 30_000))).toBe('E_SIGN_IN_AGAIN');
    expect(await stateKind()).toBe('needs_sign_in');
    expect(product.browser.openings).toBe(1);
    await signIn();
    expect(product.browser.last).toMatchObject({ status: 200 });
    expect(textOf(await app.call('echo', { text: 'again' }, 30_000))).toBe('again');
  });

  it('is reported if the server no longer knows the client (oidc-provider)', async () => {
    const { as, product, signIn, host, stateKind } = await worlds.peers();
    await signIn();
    const app = await host();
    as.forgetClients();
    as.revokeAccessTokens();
    const call = await app.call('echo', { text: 'too late' }, 40_000);
    expect(errorCodeOf(call)).toBe('E_CLIENT_REFUSED');
    expect(await stateKind()).toBe('needs_sign_in');
    expect(product.browser.openings).toBe(1);
    await signIn();
    expect(as.counts.registrations).toBe(2);
    expect(textOf(await app.call('echo', { text: 'again' }, 30_000))).toBe('again');
  });

  it.each([
    'refresh-invalid-grant',
    'refresh-invalid-grant-401',
    'refresh-invalid-grant-text',
    'refresh-invalid-grant-200',
  ])('%s', async (scenario) => {
    const { remote, product, signIn, host } = await worlds.faulty();
    await signIn();
    const app = await host();
    await remote.setScenario(scenario);
    remote.expireAccessTokens();
    expect(errorCodeOf(await app.call('echo', { text: 'too late' }, 30_000))).toBe('E_SIGN_IN_AGAIN');
    expect(product.browser.openings).toBe(1);
    await remote.setScenario('healthy');
    await signIn();
    expect(product.browser.last).toMatchObject({ status: 200 });
    expect(textOf(await app.call('echo', { text: 'again' }, 30_000))).toBe('again');
    expect(remote.counts.refreshes).toBe(1);
  });
});

async function goesOnAfter(scenario: string): Promise<void> {
  const { remote, product, signIn, host, stateKind } = await worlds.faulty();
  await signIn();
  const app = await host();
  await remote.setScenario(scenario, { times: 2 });
  remote.expireAccessTokens();
  expect(textOf(await app.call('echo', { text: 'in the end' }, 30_000))).toBe('in the end');
  expect(remote.counts).toMatchObject({ refreshes: 3, refreshesGranted: 1, authorizations: 1 });
  expect(product.browser.openings).toBe(1);
  expect(await stateKind()).toBe('signed_in');
}

it(rows.tokenHtml, () => goesOnAfter('refresh-502-html'));

describe(rows.tokenBusy, () => {
  it.each(['refresh-503-json', 'refresh-429-json'])('in the scenario %s', (scenario) => goesOnAfter(scenario));
});
