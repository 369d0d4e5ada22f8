import { describe, expect, it } from 'vitest';
import type { Secret } from '../../electron/core/base/secret.ts';
import { accountChoice } from '../../electron/core/oauth/authorization/account-choice.ts';
import { createMemoryStore } from '../../electron/core/vault/memory.ts';
import { firstCredential } from '../fixtures/access-tokens-rig.ts';
import {
  people,
  signInAs,
  startAccountsWorld,
  startHostOf,
  startTwoAccounts,
  statusOf,
  whoami,
  type AccountsWorld,
} from '../fixtures/accounts-world.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

describe('the identity of an account', () => {
  const lastRequest = ({ as }: AccountsWorld) => as.seen.authorize.at(-1) ?? new URLSearchParams();

  it('is requested once there are several accounts, and names accounts without a name', async () => {
    const world = await startAccountsWorld(closing);
    await signInAs(world, 'ada');
    expect(lastRequest(world).get('scope')).not.toContain('openid');
    await world.product.call('addAccount', { server: 'work' });
    const added = await signInAs(world, 'grace', 'account-2');
    expect(lastRequest(world).get('scope')?.split(' ')).toContain('openid');
    expect(added).toMatchObject({ identity: 'grace', account: { name: 'grace@example.test', isDefault: false } });
    await signInAs(world, 'ada');
    expect((await world.product.call('status')).servers.map(({ account }) => account?.name)).toEqual([
      'ada@example.test',
      'grace@example.test',
    ]);
    // The ID of the account still works.
    expect((await world.product.call('serverDetail', { server: 'work', account: 'main' })).status.identity).toBe('ada');
  });

  it('is chosen by the person for a further account, not taken from the session of the browser', async () => {
    const world = await startAccountsWorld(closing);
    await signInAs(world, 'ada');
    await world.product.call('addAccount', { server: 'work', name: 'second' });
    world.product.browser.options.login = { user: 'grace', password: 'hopper' };
    expect(await world.product.call('signIn', { server: 'work', account: 'second' })).toMatchObject({
      identity: 'grace',
    });
    expect(lastRequest(world).get('prompt')?.split(' ')).toContain('login');
  });

  it('is rejected if it is that of another account, and nothing is stored or changed', async () => {
    const world = await startAccountsWorld(closing);
    await world.product.call('addAccount', { server: 'work', name: 'second' });
    await signInAs(world, 'ada');
    await expect(signInAs(world, 'ada', 'second')).rejects.toThrow('E_ACCOUNT_OTHER');
    const second = await statusOf(world, 'second');
    expect(second?.state).toMatchObject({
      kind: 'needs_sign_in',
      error: { code: 'E_ACCOUNT_OTHER', message: expect.stringContaining('ada') },
    });
    expect(second?.identity).toBeUndefined();
    expect(await whoami(await startHostOf(world.product))).toBe('ada');
    expect((await signInAs(world, 'grace', 'second')).state.kind).toBe('signed_in');
  });

  it('is accepted for one account if a person signs in to two at the same time', async () => {
    let release = () => {};
    const identified = () => product.log.filter((line) => line.includes('"id_token"')).length;
    const memory = createMemoryStore();
    const held = new Promise<void>((resolve) => (release = resolve));
    const store = {
      ...memory,
      async set(name: string, value: Secret) {
        if (name.includes('/credential/')) await held;
        return memory.set(name, value);
      },
    };
    const { product } = await startAccountsWorld(closing, {}, { store });
    await product.call('addAccount', { server: 'work', name: 'second' });
    await product.call('addAccount', { server: 'work', name: 'third' });
    product.browser.options.login = { user: 'grace', password: people.grace };
    // Both are identified before either is stored.
    void until(() => identified() === 2, 'both are identified').finally(release);
    const both = await Promise.allSettled(
      ['second', 'third'].map((account) => product.call('signIn', { server: 'work', account })),
    );
    expect(both.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []))).toEqual([
      'Error: E_ACCOUNT_OTHER',
    ]);
  });

  it('is sent as login_hint to the authorization server that issued it, and to no other', () => {
    const facts = { ...firstCredential(), renewable: true, idTokenClaims: { email: 'ada@example.test' } };
    const hint = (issuer: string) =>
      accountChoice(
        { vault: { facts: () => facts } },
        { id: 'a', account: { alone: false } },
        { issuer, authorization_endpoint: issuer, token_endpoint: issuer },
        undefined,
      ).loginHint;
    expect(hint(facts.issuer)).toBe('ada@example.test');
    expect(hint('https://another.example')).toBeUndefined();
  });

  it('cannot change to another person until the account is signed out', async () => {
    const world = await startTwoAccounts(closing);
    const host = await startHostOf(world.product, '--account', 'second');
    await expect(signInAs(world, 'ada', 'second')).rejects.toThrow('E_ACCOUNT_OTHER');
    expect(lastRequest(world).get('login_hint')).toBe('grace@example.test');
    expect(await whoami(host)).toBe('grace');
    await world.product.call('signOut', { server: 'work', account: 'second' });
    expect(await signInAs(world, 'ada', 'second')).toMatchObject({ identity: 'ada' });
  });
});
