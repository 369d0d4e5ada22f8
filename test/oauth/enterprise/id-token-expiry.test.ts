import { afterEach, describe, expect, it, vi } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { until } from '../../fixtures/wait.ts';
import { commandFailure, startCompanyRig } from '../../fixtures/company-rig.ts';
import { locked } from '../../fixtures/fake-store.ts';

const closing = closeAfterEach();

/** Moves the date forward for company and product, which run in this process. Timers are not affected. */
const advanceDate = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);
afterEach(() => void vi.useRealTimers());

describe('the ID token of a company', () => {
  it('is refreshed after it has expired, without a browser', async () => {
    const rig = await startCompanyRig(closing, { idTokenSeconds: 600 });
    const a = await rig.add('a');
    await rig.signIn('a');
    await rig.product.call('refreshNow', { server: 'a' });
    expect(rig.company.idp.counts.refreshesGranted).toBe(0);
    advanceDate(601);
    await rig.product.call('refreshNow', { server: 'a' });
    expect(rig.company.idp.counts.refreshesGranted).toBe(1);
    expect(rig.browser.openings).toBe(1);
    expect(rig.company.exchanges.every(({ issuedAt }, at, all) => issuedAt >= (all[at - 1]?.issuedAt ?? 0))).toBe(true);
    expect(await rig.call('a', a)).toBe(200);
  });

  it('is refreshed once if the company rejects it before it expires', async () => {
    const rig = await startCompanyRig(closing);
    const a = await rig.add('a');
    await rig.signIn('a');
    rig.company.endSessions();
    await rig.product.call('refreshNow', { server: 'a' });
    expect(rig.company.idp.counts.refreshesGranted).toBe(1);
    expect(rig.company.exchanges).toHaveLength(3);
    expect(await rig.call('a', a)).toBe(200);
    expect(rig.browser.openings).toBe(1);
  });

  it('is used until it expires if there is no refresh token, even after a restart', async () => {
    const rig = await startCompanyRig(closing, { refreshTokens: 'never', idTokenSeconds: 600 });
    const a = await rig.add('a');
    await rig.signIn('a');
    await rig.restart();
    expect(await rig.call('a', a)).toBe(200);
    advanceDate(601);
    const error = await commandFailure(rig.product.call('refreshNow', { server: 'a' }));
    expect(error).toMatchObject({ code: 'E_SIGN_IN_AGAIN' });
    expect(error?.message).toContain(new URL(rig.company.idp.issuer).host);
    expect(rig.browser.openings).toBe(1);
    expect(await rig.signIn('a')).toBe('signed_in');
    expect(rig.browser.openings).toBe(2);
  });
});

describe('a company session that ends', () => {
  it('asks for one sign-in, which restores all servers', async () => {
    const rig = await startCompanyRig(closing);
    const [a, b] = [await rig.add('a'), await rig.add('b')];
    await rig.signIn('a');
    await rig.signIn('b');
    rig.company.idp.revokeRefreshTokens();
    rig.company.endSessions();
    for (const name of ['a', 'b'])
      expect(await commandFailure(rig.product.call('refreshNow', { server: name }))).toMatchObject({
        code: 'E_SIGN_IN_AGAIN',
      });
    expect([rig.state('a'), rig.state('b')]).toEqual([
      'needs_sign_in E_SIGN_IN_AGAIN',
      'needs_sign_in E_SIGN_IN_AGAIN',
    ]);
    expect(rig.error('a')?.message).toContain(
      `The company’s identity provider (${new URL(rig.company.idp.issuer).host})`,
    );
    expect(await rig.call('a', a)).toBe(0);
    expect(rig.browser.openings).toBe(1);
    expect(rig.company.idp.counts.refreshes).toBe(1);

    expect(await rig.signIn('a')).toBe('signed_in');
    await until(() => rig.state('b') === 'signed_in', 'b is signed in without a click');
    expect([await rig.call('a', a), await rig.call('b', b)]).toEqual([200, 200]);
    expect(rig.browser.openings).toBe(2);
  });

  it('makes the next sign-in open the browser once', async () => {
    const rig = await startCompanyRig(closing);
    await rig.add('a');
    await rig.add('b');
    await rig.signIn('a');
    rig.company.idp.revokeRefreshTokens();
    rig.company.endSessions();
    expect(await rig.signIn('b')).toBe('signed_in');
    expect(rig.browser.openings).toBe(2);
  });

  it('is not assumed while the company is unreachable', async () => {
    const rig = await startCompanyRig(closing);
    const a = await rig.add('a');
    await rig.signIn('a');
    await rig.restart();
    await rig.company.idp.stop();
    expect(await commandFailure(rig.signIn('a'))).toMatchObject({
      code: 'E_CONNECT',
      message: expect.stringContaining('The company’s identity provider'),
    });
    await rig.company.idp.start();
    await until(async () => (await rig.call('a', a)) === 200, 'calls succeed again');
    expect(rig.browser.openings).toBe(1);
  });

  it('is not assumed while the keychain is locked', async () => {
    const rig = await startCompanyRig(closing);
    const a = await rig.add('a');
    await rig.signIn('a');
    await rig.restart();
    rig.store.fault = (_operation, item) => (item.includes('enterprise:') ? locked : undefined);
    expect(await commandFailure(rig.product.call('refreshNow', { server: 'a' }))).toMatchObject({
      code: 'E_STORE_LOCKED',
    });
    expect(rig.state('a')).toBe('store_blocked E_STORE_LOCKED');
    rig.store.fault = undefined;
    await rig.product.call('unlockStore');
    await until(() => rig.state('a') === 'signed_in', 'the sign-in continues', 1_500);
    expect(await rig.call('a', a)).toBe(200);
    expect(rig.browser.openings).toBe(1);
  });
});
