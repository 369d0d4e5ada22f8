import { describe, expect, it } from 'vitest';
import { Secret } from '../../electron/core/base/secret.ts';
import { locked, unavailable } from '../fixtures/fake-store.ts';
import { createVaultRig, credentialId, credentialWith, itemName, refreshTokenOf } from '../fixtures/vault-rig.ts';

const rig = createVaultRig();

describe('the vault on a faulty store', () => {
  it('KC01 deletes nothing while the store is locked, and reads again after the unlock', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    const before = new Map(rig.store.items);
    rig.store.fault = () => locked;
    expect((await vault.read(credentialId)).kind).toBe('locked');
    expect((await vault.write(credentialWith({ refreshToken: new Secret('r2') }))).kind).toBe('locked');
    expect((await vault.openJournal(credentialId, 1)).kind).toBe('locked');
    expect(rig.store.items).toEqual(before);
    rig.store.fault = undefined;
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
  });

  it.each([0, 1, 2, 3])(
    'RF18 KC04 has the old or the new value, never a mixture, if a write stops after %i store calls',
    async (calls) => {
      const vault = await rig.open();
      await vault.write(credentialWith({ refreshToken: new Secret(`old-${'o'.repeat(3_000)}`) }));
      await vault.write(credentialWith({ refreshToken: new Secret(`old2-${'p'.repeat(3_000)}`) }));
      let left = calls;
      rig.store.fault = (operation) => (operation === 'set' && (left -= 1) < 0 ? unavailable : undefined);
      const written = await vault.write(credentialWith({ refreshToken: new Secret(`new-${'n'.repeat(3_000)}`) }));
      rig.store.fault = undefined;
      expect(written.kind).toBe(calls < 3 ? 'unavailable' : 'done');
      expect((await refreshTokenOf(await rig.open()))?.slice(0, 5)).toBe(calls < 3 ? 'old2-' : 'new-n');
    },
  );

  it('notices that the store kept something else than what was written', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    const set = rig.store.set.bind(rig.store);
    rig.store.set = async (name, value) => set(name, new Secret(value.reveal().slice(0, 50)));
    expect(await vault.write(credentialWith({ refreshToken: new Secret('r2') }))).toMatchObject({
      kind: 'unavailable',
    });
    rig.store.set = set;
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
  });

  it('KC06 reports and keeps a damaged credential, while the others work', async () => {
    const vault = await rig.open();
    const second = 'srv00002:main';
    await vault.write(credentialWith());
    await vault.write(credentialWith({ id: second }));
    rig.store.items.set(itemName('odd.1'), 'garbage');
    const before = new Map(rig.store.items);
    expect((await vault.read(credentialId)).kind).toBe('damaged');
    expect((await vault.read(second)).kind).toBe('found');
    expect(rig.store.items).toEqual(before);
    expect(rig.events.join('')).toContain('vault_item_damaged');
  });

  it('KC06 falls back to the previous generation if the newest is damaged', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    await vault.write(credentialWith({ refreshToken: new Secret('r2') }));
    rig.store.items.set(itemName('even.1'), 'garbage');
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
    expect(rig.events.join('')).toContain('vault_item_rolled_back');
  });

  it('uses the newest complete generation if the head item is lost', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    await vault.write(credentialWith({ refreshToken: new Secret('r2') }));
    rig.store.items.delete(itemName('head'));
    expect(await refreshTokenOf(vault)).toBe('r2');
    rig.store.items.set(itemName('head'), '{}');
    expect(await refreshTokenOf(vault)).toBe('r2');
  });

  it('KC09 uses the newest complete generation if another program restored an older head', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    const oldHead = rig.store.items.get(itemName('head')) ?? '';
    await vault.write(credentialWith({ refreshToken: new Secret('r2') }));
    rig.store.items.set(itemName('head'), oldHead);
    expect(await refreshTokenOf(await rig.open())).toBe('r2');
  });

  it('KC09 uses the old credential and logs it if another program rolled everything back', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    const old = new Map(rig.store.items);
    await vault.write(credentialWith({ refreshToken: new Secret('r2') }));
    rig.store.items.clear();
    for (const [name, value] of old) rig.store.items.set(name, value);
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
    expect(rig.events.join('')).toContain('vault_item_rolled_back');
    expect(rig.events.join('')).not.toMatch(/refresh-1|r2/);
  });
});
