import { describe, expect, it } from 'vitest';
import { Secret } from '../../electron/core/base/secret.ts';
import { createCheckedStore } from '../../electron/core/vault/checked-store.ts';
import { createMemoryStore } from '../../electron/core/vault/memory.ts';

describe('the secret store before the list of servers is verified', () => {
  it('refuses reads until a check is set', async () => {
    const { store, checked } = await storeWithItem();
    expect(await checked.store.get('item')).toMatchObject({ kind: 'unavailable' });
    expect(await checked.unchecked(() => checked.store.get('item'))).toMatchObject({ kind: 'found' });
    await store.close();
  });

  it('returns the fault of the check instead of a secret', async () => {
    const { store, checked } = await storeWithItem();
    checked.checkWith(async () => ({ kind: 'locked', detail: 'the keychain is locked' }));
    expect(await checked.store.get('item')).toEqual({ kind: 'locked', detail: 'the keychain is locked' });
    checked.checkWith(async () => ({ kind: 'done' }));
    expect(await checked.store.get('item')).toMatchObject({ kind: 'found' });
    await store.close();
  });
});

async function storeWithItem() {
  const store = createMemoryStore();
  await store.set('item', new Secret('value'));
  return { store, checked: createCheckedStore(store, () => false) };
}
