import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../electron/core/base/secret.ts';
import { locked, unavailable } from '../fixtures/fake-store.ts';
import { createVaultRig, credentialId, credentialWith, itemName, refreshTokenOf } from '../fixtures/vault-rig.ts';

const rig = createVaultRig();

describe('the index file of the vault', () => {
  it('RF27 is corrected after a restart if it was not written after the secrets', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    const old = rig.index();
    await vault.write(credentialWith({ refreshToken: new Secret('r2'), lastRefreshAt: 5 }));
    rig.writeIndex(old);
    const restarted = await rig.open();
    expect(await refreshTokenOf(restarted)).toBe('r2');
    expect(restarted.facts(credentialId)).toMatchObject({ generation: 2, lastRefreshAt: 5 });
    await restarted.write(credentialWith({ refreshToken: new Secret('r3') }));
    expect(await refreshTokenOf(await rig.open())).toBe('r3');
  });

  it.each(['', '{', '{"version":1}', '[]', '{"version":1,"credentials":{"x":3}}'])(
    'is rebuilt from the store if it is damaged (%j), and the damaged file is kept',
    async (text) => {
      await (await rig.open()).write(credentialWith());
      rig.writeIndex(text);
      const vault = await rig.open({ knownIds: [credentialId, 'srv00009:main'] });
      expect(vault.facts(credentialId)).toMatchObject({ account: 'Ada', generation: 1, renewable: true });
      expect(vault.facts('srv00009:main')).toBeUndefined();
      expect(await refreshTokenOf(vault)).toBe('refresh-1');
      const kept = readdirSync(rig.dataDir).filter((name) => name.includes('.damaged-'));
      expect(kept).toHaveLength(1);
      expect(readFileSync(path.join(rig.dataDir, kept[0] ?? ''), 'utf8')).toBe(text);
      expect(rig.index()).toContain('Ada');
    },
  );

  it('is rebuilt as soon as the store can be read if it was locked', async () => {
    await (await rig.open()).write(credentialWith());
    rig.writeIndex('{');
    rig.store.fault = () => locked;
    const vault = await rig.open({ knownIds: [credentialId] });
    expect(vault.uncertain(credentialId)).toBe(true);
    expect((await vault.read(credentialId)).kind).toBe('locked');
    rig.store.fault = undefined;
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
    expect(vault.uncertain(credentialId)).toBe(false);
  });

  it('may be lost without a new sign-in overwriting the current generation', async () => {
    await (await rig.open()).write(credentialWith());
    rig.deleteIndex();
    const vault = await rig.open();
    rig.store.fault = (operation, name) => (operation === 'set' && name.endsWith('/head') ? unavailable : undefined);
    await vault.write(credentialWith({ refreshToken: new Secret('r2') }));
    rig.store.fault = undefined;
    rig.deleteIndex();
    expect(rig.store.items.get(itemName('odd.1'))).toContain('refresh-1');
  });

  it('is read as far as possible if it is from a newer Keybridge, and all changes are refused', async () => {
    await (await rig.open()).write(credentialWith());
    const text = JSON.stringify({ ...(JSON.parse(rig.index()) as object), version: 2, novelty: 1 });
    rig.writeIndex(text);
    const stored = new Map(rig.store.items);
    const vault = await rig.open();
    expect(vault.notice?.code).toBe('E_CONFIG_NEWER');
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
    for (const change of [
      vault.write(credentialWith()),
      vault.delete(credentialId),
      vault.openJournal(credentialId, 1),
      vault.writeClientSecret('k', new Secret('s')),
      vault.deleteClientSecret('k'),
    ]) {
      expect(await change).toMatchObject({ because: { code: 'E_CONFIG_NEWER' } });
    }
    await vault.sweep();
    expect([rig.index(), rig.store.items]).toEqual([text, stored]);
  });

  it('is left unchanged if it is from a newer Keybridge and unreadable, and the store is read instead', async () => {
    await (await rig.open()).write(credentialWith());
    rig.writeIndex('{"version":2}');
    expect(await refreshTokenOf(await rig.open())).toBe('refresh-1');
    expect(rig.index()).toBe('{"version":2}');
  });

  it('makes an unknown credential absent without reading the store', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    const restarted = await rig.open();
    rig.store.calls.length = 0;
    expect((await restarted.read('srv00007:main')).kind).toBe('absent');
    expect(rig.store.calls).toEqual([]);
  });

  it('LC06 lists items on disk before they exist, so that nothing is stored if the disk is full', async () => {
    const vault = await rig.open();
    rmSync(rig.dataDir, { recursive: true });
    expect(await vault.write(credentialWith())).toMatchObject({ kind: 'unavailable' });
    expect(rig.store.items.size).toBe(0);
  });
});
