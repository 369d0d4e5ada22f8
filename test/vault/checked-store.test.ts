import { describe, expect, it } from 'vitest';
import { Secret } from '../../electron/core/base/secret.ts';
import { createCheckedStore } from '../../electron/core/vault/checked-store.ts';
import { createMemoryStore } from '../../electron/core/vault/memory.ts';

describe('the store of secrets before the list of servers is checked', () => {
  it('refuses reads until it is told how to check the list', async () => {
    const { store, checked } = await storeWithItem();
    expect(await checked.store.get('item')).toMatchObject({ kind: 'unavailable' });
    expect(await checked.unchecked(() => checked.store.get('item'))).toMatchObject({ kind: 'found' });
    await store.close();
  });

  it('reads nothing while the check fails, and says why', async () => {
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
