import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../electron/core/base/secret.ts';
import { openVault } from '../../electron/core/vault/credentials.ts';
import { createMemoryStore } from '../../electron/core/vault/memory.ts';
import { locked } from '../fixtures/fake-store.ts';
import { createVaultRig, credentialId, credentialWith, itemName, refreshTokenOf } from '../fixtures/vault-rig.ts';

const rig = createVaultRig();

describe('the vault', () => {
  it('returns exactly what was stored, even after a restart', async () => {
    const stored = credentialWith({
      clientSecret: new Secret('s3cret'),
      clientAuth: 'client_secret_basic',
      revocationEndpoint: 'https://as.example/revoke',
    });
    await (await rig.open()).write(stored);
    const read = await (await rig.open()).read(credentialId);
    if (read.kind !== 'found') throw new Error(read.kind);
    const { refreshToken, clientSecret, ...facts } = read.credential;
    expect(refreshToken?.reveal()).toBe('refresh-1');
    expect(clientSecret?.reveal()).toBe('s3cret');
    const { refreshToken: _r, clientSecret: _c, ...expected } = stored;
    expect(facts).toEqual({ ...expected, generation: 1 });
  });

  it('returns what is not secret without the store, even after a restart', async () => {
    await (await rig.open()).write(credentialWith());
    rig.store.calls.length = 0;
    rig.store.fault = () => locked;
    expect((await rig.open()).facts(credentialId)).toMatchObject({
      account: 'Ada',
      generation: 1,
      renewable: true,
      idTokenClaims: { sub: '1' },
    });
    expect(rig.store.calls).toEqual([]);
  });

  it('writes no secret to disk, and an index that only the user can read', async () => {
    await (
      await rig.open()
    ).write(credentialWith({ accessToken: new Secret('access-1'), clientSecret: new Secret('client-secret-1') }));
    expect(rig.index()).not.toMatch(/refresh-1|access-1|client-secret-1/);
    expect(statSync(path.join(rig.dataDir, 'credentials.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(rig.dataDir)).toEqual(['credentials.json']);
  });

  it('TR12 KC05 keeps a refresh token of 16 KB unchanged, in items of at most 2,000 bytes', async () => {
    const long = `${'x'.repeat(16_000)}é🔑`;
    await (await rig.open()).write(credentialWith({ refreshToken: new Secret(long) }));
    expect(await refreshTokenOf(await rig.open())).toBe(long);
    expect(Math.max(...[...rig.store.items.values()].map((value) => Buffer.byteLength(value)))).toBeLessThanOrEqual(
      2_000,
    );
    expect(rig.store.items.size).toBeGreaterThan(8);
  });

  it('KC10 keeps NUL, emoji and lone surrogates exactly', async () => {
    const odd = 'a\0b🔑\ud800\n\u2028é';
    await (await rig.open()).write(credentialWith({ refreshToken: new Secret(odd) }));
    expect(await refreshTokenOf(await rig.open())).toBe(odd);
    expect([...rig.store.items.values()].every((value) => /^[\x20-\x7e]+$/.test(value))).toBe(true);
  });

  it('KC13 separates two accounts of one server, and two data folders on one store', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    await vault.write(credentialWith({ id: 'srv00001:second', refreshToken: new Secret('refresh-2') }));
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
    const otherDir = mkdtempSync(path.join(tmpdir(), 'vault-'));
    try {
      const other = await openVault({
        store: rig.store,
        dataDir: otherDir,
        installId: 'install02',
        clock: rig.clock,
        log: () => {},
      });
      await other.write(credentialWith({ refreshToken: new Secret('other') }));
      await other.delete(credentialId);
    } finally {
      rmSync(otherDir, { recursive: true, force: true });
    }
    expect(await refreshTokenOf(vault)).toBe('refresh-1');
  });

  it('keeps the previous generation next to the newest, and no older one', async () => {
    const vault = await rig.open();
    for (const token of ['r1', 'r2', 'r3']) await vault.write(credentialWith({ refreshToken: new Secret(token) }));
    expect(vault.facts(credentialId)?.generation).toBe(3);
    expect([...rig.store.items.keys()].sort()).toEqual([itemName('even.1'), itemName('head'), itemName('odd.1')]);
    expect(rig.store.items.get(itemName('even.1'))).toContain('r2');
  });

  it('removes the parts that a shorter value no longer needs', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith({ refreshToken: new Secret('x'.repeat(7_000)) }));
    await vault.write(credentialWith());
    await vault.write(credentialWith());
    expect([...rig.store.items.keys()].sort()).toEqual([itemName('even.1'), itemName('head'), itemName('odd.1')]);
  });

  it('does not touch the index of the keychain when it uses the memory store', async () => {
    await (await rig.open()).write(credentialWith());
    const before = rig.index();
    const inMemory = await openVault({
      store: createMemoryStore(),
      dataDir: rig.dataDir,
      installId: 'install01',
      clock: rig.clock,
      log: () => {},
    });
    expect(inMemory.facts(credentialId)).toBeUndefined();
    await inMemory.write(credentialWith({ refreshToken: new Secret('memory-1') }));
    expect(await refreshTokenOf(inMemory)).toBe('memory-1');
    expect(rig.index()).toBe(before);
  });
});

describe('deleting a credential', () => {
  it('KC11 removes all items of both generations, and the journal', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith({ refreshToken: new Secret('x'.repeat(5_000)) }));
    await vault.openJournal(credentialId, 1);
    await vault.write(credentialWith());
    expect((await vault.delete(credentialId)).kind).toBe('done');
    expect(rig.store.items.size).toBe(0);
    expect(vault.facts(credentialId)).toBeUndefined();
    expect(rig.index()).not.toContain(credentialId);
  });

  it('KC11 removes all items even if the index was lost', async () => {
    await (await rig.open()).write(credentialWith({ refreshToken: new Secret('x'.repeat(5_000)) }));
    await (await rig.open()).write(credentialWith());
    rig.deleteIndex();
    expect((await (await rig.open()).delete(credentialId)).kind).toBe('done');
    expect(rig.store.items.size).toBe(0);
  });

  it('KC11 removes what a locked store or a crash left behind later, and never restores it', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    let deletes = 0;
    rig.store.fault = (operation) => (operation === 'delete' && (deletes += 1) > 1 ? locked : undefined);
    expect((await vault.delete(credentialId)).kind).toBe('locked');
    rig.store.fault = undefined;
    expect(rig.store.items.size).toBe(1);
    const restarted = await rig.open();
    expect(restarted.facts(credentialId)).toBeUndefined();
    expect((await restarted.read(credentialId)).kind).toBe('absent');
    await restarted.sweep();
    expect(rig.store.items.size).toBe(0);
  });

  it('does not affect a sign-in that follows an unfinished deletion', async () => {
    const vault = await rig.open();
    await vault.write(credentialWith());
    rig.store.fault = (operation) => (operation === 'delete' ? locked : undefined);
    await vault.delete(credentialId);
    rig.store.fault = undefined;
    await vault.write(credentialWith({ refreshToken: new Secret('again') }));
    const restarted = await rig.open();
    await restarted.sweep();
    expect(await refreshTokenOf(restarted)).toBe('again');
  });

  it('does not delete a sign-in that is stored while other deletions are being completed', async () => {
    const vault = await rig.open();
    const ids = ['srv00001:first', credentialId];
    for (const id of ids) await vault.write(credentialWith({ id }));
    rig.store.fault = (operation) => (operation === 'delete' ? locked : undefined);
    for (const id of ids) await vault.delete(id);
    let stored: Promise<unknown> | undefined;
    rig.store.fault = () => {
      stored ??= vault.write(credentialWith({ refreshToken: new Secret('again') }));
      return undefined;
    };
    await vault.sweep();
    await stored;
    expect(await refreshTokenOf(vault)).toBe('again');
    expect([...rig.store.items.keys()].filter((item) => item.includes('first'))).toEqual([]);
  });
});

describe('client secrets', () => {
  it('are stored, replaced and deleted like credentials, under keys of any length', async () => {
    const key = `srv00001 https://as.example/${'realm/'.repeat(100)}`;
    const vault = await rig.open();
    expect((await vault.readClientSecret(key, {})).kind).toBe('absent');
    await vault.writeClientSecret(key, new Secret('one'));
    await vault.writeClientSecret(key, new Secret(`two${'ü'.repeat(4_000)}`));
    const read = await (await rig.open()).readClientSecret(key, {});
    expect(read.kind === 'found' && read.value.reveal()).toBe(`two${'ü'.repeat(4_000)}`);
    expect(Math.max(...[...rig.store.items.keys()].map((name) => name.length))).toBeLessThan(200);
    expect(rig.index()).not.toContain('two');
    await vault.deleteClientSecret(key);
    expect(rig.store.items.size).toBe(0);
  });

  it('are reported as locked, not as absent, if the store is locked', async () => {
    const vault = await rig.open();
    await vault.writeClientSecret('k', new Secret('one'));
    rig.store.fault = () => locked;
    expect((await vault.readClientSecret('k', {})).kind).toBe('locked');
  });
});
