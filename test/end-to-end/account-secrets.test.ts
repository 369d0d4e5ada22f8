import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../electron/core/vault/memory.ts';
import { startAccountsWorld } from '../fixtures/accounts-world.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { recordingStore } from '../fixtures/recording-store.ts';

const closing = closeAfterEach();

describe('the secrets of an account', () => {
  it('are deleted with its own client, and a new client starts without any', async () => {
    const store = recordingStore(createMemoryStore());
    const { product } = await startAccountsWorld(closing, {}, { store });
    await product.call('addAccount', { server: 'work', name: 'second' });
    await product.call('configureServer', {
      server: 'work',
      account: 'second',
      clientId: 'for-one',
      clientSecret: 'secret-for-one',
    });
    await product.call('configureServer', { server: 'work', account: 'second', clientId: null });
    expect(store.names()).toEqual([]);
    await product.call('configureServer', { server: 'work', account: 'second', clientId: 'another' });
    expect((await product.call('serverDetail', { server: 'work', account: 'second' })).storedSecrets).toEqual([]);
  });

  it('are not used for another client, which may belong to another authorization server', async () => {
    const { product } = await startAccountsWorld(closing);
    const stored = async () => (await product.call('serverDetail', { server: 'work' })).storedSecrets;
    await product.call('configureServer', { server: 'work', clientId: 'one', clientSecret: 'secret-of-one' });
    await product.call('configureServer', { server: 'work', clientId: 'one' });
    expect(await stored()).toEqual(['clientSecret']);
    await product.call('configureServer', { server: 'work', clientId: 'two' });
    expect(await stored()).toEqual([]);
    await product.call('configureServer', { server: 'work', clientId: 'three', clientSecret: 'secret-of-three' });
    expect(await stored()).toEqual(['clientSecret']);
    await product.call('configureServer', { server: 'work', clientId: null });
    expect(await stored()).toEqual([]);
  });

  it('are deleted with the server, with those of the server’s client that no account uses', async () => {
    const store = recordingStore(createMemoryStore());
    const { product } = await startAccountsWorld(closing, {}, { store });
    await product.call('configureServer', { server: 'work', clientId: 'for-all', clientSecret: 'secret-for-all' });
    await product.call('configureServer', {
      server: 'work',
      account: 'main',
      clientId: 'for-one',
      clientSecret: 'secret-for-one',
    });
    await product.call('removeServer', { server: 'work' });
    expect(store.names()).toEqual([]);
  });

  it('are not used for another account', async () => {
    const { product } = await startAccountsWorld(closing);
    await product.call('configureServer', {
      server: 'work',
      settings: { grant: 'static_header' },
      secrets: { headerValue: 'key-of-the-first' },
    });
    await product.call('addAccount', { server: 'work', name: 'second' });
    expect((await product.call('serverDetail', { server: 'work' })).storedSecrets).toEqual(['headerValue']);
    expect((await product.call('serverDetail', { server: 'work', account: 'second' })).storedSecrets).toEqual([]);
    await expect(product.call('signIn', { server: 'work', account: 'second' })).rejects.toThrow('E_BAD_INPUT');
  });

  it('are those of the server’s client until the account gets its own client', async () => {
    const { product } = await startAccountsWorld(closing);
    await product.call('configureServer', { server: 'work', clientId: 'for-all', clientSecret: 'secret-for-all' });
    await product.call('addAccount', { server: 'work', name: 'second' });
    const second = () => product.call('serverDetail', { server: 'work', account: 'second' });
    expect(await second()).toMatchObject({ clientId: 'for-all', storedSecrets: ['clientSecret'], ownClient: false });
    await expect(
      product.call('configureServer', { server: 'work', account: 'second', clientSecret: 'x' }),
    ).rejects.toThrow('E_BAD_INPUT');
    await product.call('configureServer', { server: 'work', account: 'second', clientId: 'for-one' });
    // Its own client never gets the secret of the other client.
    expect(await second()).toMatchObject({ clientId: 'for-one', storedSecrets: [], ownClient: true });
    await product.call('configureServer', { server: 'work', account: 'second', clientSecret: 'secret-for-one' });
    expect((await second()).storedSecrets).toEqual(['clientSecret']);
    expect(await product.call('serverDetail', { server: 'work' })).toMatchObject({
      clientId: 'for-all',
      storedSecrets: ['clientSecret'],
      ownClient: false,
    });
  });
});
