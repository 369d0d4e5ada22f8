import { describe, expect, it } from 'vitest';
import type { Secret } from '../../../electron/core/base/secret.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { until } from '../../fixtures/wait.ts';
import { commandFailure, startCompanyRig } from '../../fixtures/company-rig.ts';

const closing = closeAfterEach();

describe('a sign-out from a company’s server', () => {
  it('revokes and deletes the company’s sign-in only with its last server', async () => {
    const rig = await startCompanyRig(closing);
    await rig.add('a');
    await rig.add('b');
    await rig.signIn('a');
    await rig.signIn('b');
    const first = await rig.product.call('signOut', { server: 'a' });
    expect(first).toMatchObject({ revoked: 'confirmed', deleted: true });
    expect(first.company).toBeUndefined();
    expect(rig.storedItems()).not.toEqual([]);
    expect(rig.company.idp.counts.revocations).toBe(0);
    expect(await rig.signIn('a')).toBe('signed_in');
    expect(rig.browser.openings).toBe(1);

    await rig.product.call('signOut', { server: 'a' });
    expect(await rig.product.call('signOut', { server: 'b' })).toMatchObject({ company: 'confirmed' });
    expect(rig.storedItems()).toEqual([]);
    expect(rig.company.idp.counts.revocations).toBeGreaterThan(0);
    expect(await rig.signIn('b')).toBe('signed_in');
    expect(rig.browser.openings).toBe(2);
  });

  it('deletes a company’s sign-in that is just being stored', async () => {
    const rig = await startCompanyRig(closing);
    await rig.add('a');
    let leaving: Promise<unknown> | undefined;
    const set = rig.store.set.bind(rig.store);
    Object.assign(rig.store, {
      async set(item: string, value: Secret) {
        // The whole sign-out happens while the first item is being written.
        if (item.includes('credential/enterprise:')) await (leaving ??= rig.product.call('signOut', { server: 'a' }));
        return set(item, value);
      },
    });
    expect(await commandFailure(rig.signIn('a'))).toMatchObject({ code: 'E_CANCELLED' });
    await until(
      () => rig.storedItems().length === 0 && rig.company.idp.counts.revocations > 0,
      'the company’s sign-in is deleted',
    );
  });

  it('of all servers ends the company’s sign-in', async () => {
    const rig = await startCompanyRig(closing);
    for (const name of ['a', 'b', 'c']) await rig.add(name);
    for (const name of ['a', 'b']) await rig.signIn(name);
    const reports = await rig.product.call('signOutEverywhere');
    expect(reports.filter(({ report }) => report.company === 'confirmed')).toHaveLength(1);
    expect(rig.storedItems()).toEqual([]);
  });

  it('happens when the last server is removed or gets another sign-in method', async () => {
    const rig = await startCompanyRig(closing);
    await rig.add('a');
    await rig.signIn('a');
    expect(await rig.product.call('removeServer', { server: 'a' })).toMatchObject({ company: 'confirmed' });
    expect(rig.storedItems()).toEqual([]);
    await rig.add('b');
    await rig.signIn('b');
    await rig.product.call('configureServer', { server: 'b', settings: {} });
    expect(rig.storedItems()).toEqual([]);
  });
});
