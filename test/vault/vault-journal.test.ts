import { describe, expect, it } from 'vitest';
import { Secret } from '../../electron/core/base/secret.ts';
import { unavailable } from '../fixtures/fake-store.ts';
import { createVaultRig, credentialId, credentialWith, itemName, refreshTokenOf } from '../fixtures/vault-rig.ts';

const rig = createVaultRig();

describe('the journal of a refresh', () => {
  it('proves that the store accepts writes, survives a restart, and ends with the next write', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    expect((await vault.openJournal(credentialId, 1)).kind).toBe('done');
    expect(rig.store.items.get(itemName('journal'))).toContain('"generation":1');
    expect((await rig.open()).openJournals()).toEqual([credentialId]);
    await vault.write(credentialWith({ refreshToken: new Secret('r2') }));
    expect((await rig.open()).openJournals()).toEqual([]);
  });

  it('LC05 finds a successor that was stored completely although the head was not updated', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    await vault.openJournal(credentialId, 1);
    rig.store.fault = (operation, name) => (operation === 'set' && name.endsWith('/head') ? unavailable : undefined);
    await vault.write(credentialWith({ refreshToken: new Secret('r2') }));
    rig.store.fault = undefined;
    expect(await refreshTokenOf(await rig.open())).toBe('r2');
  });

  it('LC05 does not accept a successor that was stored partially', async () => {
    const long = (letter: string): Secret => new Secret(letter.repeat(5_000));
    const vault = await rig.open();
    await vault.write(credentialWith({ refreshToken: long('a') }));
    await vault.write(credentialWith({ refreshToken: long('b') }));
    await vault.openJournal(credentialId, 2);
    let sets = 0;
    rig.store.fault = (operation) => (operation === 'set' && (sets += 1) > 1 ? unavailable : undefined);
    await vault.write(credentialWith({ refreshToken: long('c') }));
    rig.store.fault = undefined;
    expect(await refreshTokenOf(await rig.open())).toBe('b'.repeat(5_000));
  });

  it('can be closed without a write', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    await vault.openJournal(credentialId, 1);
    await vault.closeJournal(credentialId);
    expect((await rig.open()).openJournals()).toEqual([]);
  });
});
