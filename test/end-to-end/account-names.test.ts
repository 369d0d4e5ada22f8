import { describe, expect, it } from 'vitest';
import { startAccountsWorld } from '../fixtures/accounts-world.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

describe('the name of an account', () => {
  it('is unique per server, and an unknown or invalid one is rejected', async () => {
    const world = await startAccountsWorld(closing);
    const { product } = world;
    await product.call('addAccount', { server: 'work', name: 'second' });
    await expect(product.call('addAccount', { server: 'work', name: 'second' })).rejects.toThrow('E_ACCOUNT_EXISTS');
    await expect(product.call('addAccount', { server: 'work', name: 'main' })).rejects.toThrow('E_ACCOUNT_EXISTS');
    await expect(product.call('updateAccount', { server: 'work', account: 'second', name: 'main' })).rejects.toThrow(
      'E_ACCOUNT_EXISTS',
    );
    await expect(product.call('addAccount', { server: 'work', name: 'No Name' })).rejects.toThrow('E_BAD_INPUT');
    await expect(product.call('signIn', { server: 'work', account: 'third' })).rejects.toThrow('E_ACCOUNT_UNKNOWN');
    await expect(product.call('signIn', { server: 'play', account: 'second' })).rejects.toThrow('E_SERVER_UNKNOWN');
    await product.call('updateAccount', { server: 'work', account: 'second', name: 'third' });
    expect((await product.call('serverDetail', { server: 'work', account: 'third' })).status.account).toEqual({
      name: 'third',
      isDefault: false,
    });
  });

  it('is in the host snippets of all accounts but the default one', async () => {
    const { product } = await startAccountsWorld(closing);
    await product.call('addAccount', { server: 'work', name: 'ada@example.com' });
    const text = async (account?: string) =>
      JSON.stringify(
        await product.call('hostSnippets', { server: 'work', ...(account === undefined ? {} : { account }) }),
      );
    expect(await text()).not.toContain('--account');
    expect(await text('ada@example.com')).toContain('--account');
    expect(await text('ada@example.com')).toContain('work-ada-example-com');
  });

  it('ends the bridge with exit code 2 and an error to the host if it is unknown', async () => {
    const { product } = await startAccountsWorld(closing);
    const host = product.host('work', '--account', 'nobody');
    const response = await host.request('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'host', version: '1' },
    });
    expect(response.error?.data ?? response.result).toBeDefined();
    expect(JSON.stringify(response) + host.stderr).toContain('E_ACCOUNT_UNKNOWN');
    expect(await host.close()).toBe(2);
  });
});
