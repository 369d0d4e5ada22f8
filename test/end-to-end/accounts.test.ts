import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../electron/core/vault/memory.ts';
import {
  signInAs,
  startAccountsWorld,
  startHostOf,
  startTwoAccounts,
  statusOf,
  whoami,
} from '../fixtures/accounts-world.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { textOf } from '../fixtures/host.ts';
import { startProduct } from '../fixtures/product.ts';
import { recordingStore } from '../fixtures/recording-store.ts';
import { until } from '../fixtures/wait.ts';

const closing = closeAfterEach();

describe('several accounts of one server', () => {
  it('have a session and tokens of their own per bridge, even after tokens expire', async () => {
    const world = await startTwoAccounts(closing, { accessTokens: 'jwt', accessTokenSeconds: 3 });
    const { as, mcp, product } = world;
    const ada = await startHostOf(product);
    const grace = await startHostOf(product, '--account', 'second');
    const seen = { ada: new Set<string>(), grace: new Set<string>() };
    // At least one refresh of each account.
    while (as.counts.refreshes < 4) {
      const [a, g] = await Promise.all([whoami(ada), whoami(grace)]);
      seen.ada.add(a);
      seen.grace.add(g);
    }
    expect([...seen.ada]).toEqual(['ada']);
    expect([...seen.grace]).toEqual(['grace']);
    // Each session only ever got tokens of one account.
    const users = new Map<string, Set<string>>();
    for (const { headers } of mcp.seen) {
      const session = String(headers['mcp-session-id'] ?? '');
      const token = (headers['authorization'] ?? '').replace(/^Bearer /, '');
      if (session !== '' && token !== '')
        users.set(session, new Set([...(users.get(session) ?? []), decodeJwt(token).sub ?? '']));
    }
    expect([...users.values()].map((subjects) => subjects.size)).toEqual(Array.from(users, () => 1));
    expect(users.size).toBe(2);
  });

  it('do not share a registration: each has its own client at the authorization server', async () => {
    const world = await startTwoAccounts(closing);
    expect(world.as.counts.registrations).toBe(2);
    const [ada, grace] = await Promise.all([
      world.product.call('serverDetail', { server: 'work' }),
      world.product.call('serverDetail', { server: 'work', account: 'second' }),
    ]);
    expect(ada.clientId).toBeDefined();
    expect(grace.clientId).not.toBe(ada.clientId);
    expect(ada.accounts.map(({ name, isDefault }) => [name, isDefault])).toEqual(
      grace.accounts.map(({ name, isDefault }) => [name, isDefault]),
    );
    expect(grace.accounts.find(({ isDefault }) => isDefault)?.id).toBe(ada.status.id);
  });

  it('are signed out one by one: the other one still works, also at the server', async () => {
    const world = await startTwoAccounts(closing);
    const { product } = world;
    const grace = await startHostOf(product, '--account', 'second');
    expect(await product.call('signOut', { server: 'work' })).toMatchObject({ revoked: 'confirmed', deleted: true });
    expect((await statusOf(world, 'main'))?.state.kind).toBe('signed_out');
    expect((await statusOf(world, 'second'))?.state.kind).toBe('signed_in');
    expect(await whoami(grace)).toBe('grace');
    await product.call('refreshNow', { server: 'work', account: 'second' });
    expect(await whoami(grace)).toBe('grace');
  });

  it('are switched in a new session when the default changes, only in bridges that name no account', async () => {
    const world = await startTwoAccounts(closing);
    const { mcp, product } = world;
    const byDefault = await startHostOf(product);
    const named = await startHostOf(product, '--account', 'main');
    expect([await whoami(byDefault), await whoami(named)]).toEqual(['ada', 'ada']);
    const sessions = mcp.counts.sessions;
    const second = await product.call('updateAccount', { server: 'work', account: 'second', isDefault: true });
    expect(second.account).toMatchObject({ name: 'second', isDefault: true });
    await until(async () => (await whoami(byDefault)) === 'grace', 'the bridge uses the new default account');
    expect(mcp.counts.sessions).toBe(sessions + 1);
    expect(await whoami(named)).toBe('ada');
    expect(byDefault.exit).toBeUndefined();
  });

  it('finish a running call with the account that it started with when the default changes', async () => {
    const world = await startTwoAccounts(closing);
    const { mcp, product } = world;
    const host = await startHostOf(product);
    expect(await whoami(host)).toBe('ada');
    const runs = mcp.counts.toolRuns;
    const slow = host.call('slow', { ms: 800 });
    await until(() => mcp.counts.toolRuns > runs, 'the call runs');
    await product.call('updateAccount', { server: 'work', account: 'second', isDefault: true });
    expect(textOf(await slow)).toBe('done');
    await until(async () => (await whoami(host)) === 'grace', 'the bridge uses the new default account');
  });

  it('are removed one by one: tokens are revoked and stored items deleted, and the other one stays', async () => {
    const store = recordingStore(createMemoryStore());
    const world = await startTwoAccounts(closing, {}, { store });
    const { product } = world;
    const gone = (await statusOf(world, 'second'))?.id ?? '';
    const [, accountId = ''] = gone.split(':');
    expect(store.names().some((name) => name.includes(accountId))).toBe(true);
    const host = await startHostOf(product, '--account', 'second');
    expect(await product.call('removeAccount', { server: 'work', account: 'second' })).toMatchObject({
      revoked: 'confirmed',
      deleted: true,
    });
    expect(store.names().filter((name) => name.includes(accountId))).toEqual([]);
    expect(await readFile(path.join(product.dataDir, 'servers.json'), 'utf8')).not.toContain(accountId);
    expect((await host.call('whoami')).error?.data).toMatchObject({ code: 'E_SERVER_UNKNOWN' });
    expect(await whoami(await startHostOf(product))).toBe('ada');
    const [only] = (await product.call('status')).servers;
    expect(only?.account).toBeUndefined();
  });

  it.each(['signOut', 'removeAccount'] as const)('let a sign-in wait for the end of a running %s', async (leave) => {
    let release = () => {};
    let holding: Promise<void> | undefined = new Promise((resolve) => (release = resolve));
    let deleting = false;
    const memory = createMemoryStore();
    const store = recordingStore({
      ...memory,
      async delete(name) {
        deleting = true;
        await holding;
        return memory.delete(name);
      },
    });
    holding = undefined;
    const world = await startTwoAccounts(closing, { dpop: 'offered' }, { store });
    const { as, product } = world;
    const [, accountId = ''] = ((await statusOf(world, 'second'))?.id ?? '').split(':');
    holding = new Promise((resolve) => (release = resolve));
    deleting = false;
    const leaving = product.call(leave, { server: 'work', account: 'second' });
    await until(() => deleting, 'the sign-out deletes');
    const exchanges = as.counts.codeExchangesGranted;
    const joining = signInAs(world, 'grace', 'second').then(
      ({ state }) => state.kind,
      (error: unknown) => String(error),
    );
    await until(
      () => as.counts.codeExchangesGranted > exchanges || product.log.some((line) => line.includes('sign_in_waits')),
      'the sign-in waits or has finished',
    );
    holding = undefined;
    release();
    await leaving;
    if (leave === 'signOut') {
      expect(await joining).toBe('signed_in');
      await product.call('refreshNow', { server: 'work', account: 'second' });
      expect(await whoami(await startHostOf(product, '--account', 'second'))).toBe('grace');
    } else {
      expect(await joining).toContain('E_SERVER_UNKNOWN');
      expect(store.names().filter((name) => name.includes(accountId))).toEqual([]);
    }
  });

  it('get a new default when the default is removed; the last one cannot be removed', async () => {
    const world = await startTwoAccounts(closing);
    const { product } = world;
    const host = await startHostOf(product);
    await product.call('removeAccount', { server: 'work', account: 'main' });
    expect((await product.call('serverDetail', { server: 'work' })).accounts).toMatchObject([
      { name: 'second', isDefault: true },
    ]);
    await until(async () => textOf(await host.call('whoami')) === 'grace', 'the bridge uses the new default account');
    await expect(product.call('removeAccount', { server: 'work', account: 'second' })).rejects.toThrow('E_BAD_INPUT');
  });

  it('are all removed with their server, and so is everything in the store', async () => {
    const store = recordingStore(createMemoryStore());
    const world = await startTwoAccounts(closing, {}, { store });
    expect(await world.product.call('removeServer', { server: 'work' })).toMatchObject({
      revoked: 'confirmed',
      deleted: true,
    });
    expect((await world.product.call('status')).servers).toEqual([]);
    expect(store.names()).toEqual([]);
  });

  it('are also removed with their server if they were added during the removal', async () => {
    const memory = createMemoryStore();
    let deleting = false;
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const store = recordingStore({
      ...memory,
      async delete(name) {
        deleting = true;
        await held;
        return memory.delete(name);
      },
    });
    const world = await startAccountsWorld(closing, {}, { store });
    await signInAs(world, 'ada');
    const removing = world.product.call('removeServer', { server: 'work' });
    await until(() => deleting, 'the removal has started to delete');
    await world.product.call('addAccount', { server: 'work', name: 'late' });
    expect((await signInAs(world, 'grace', 'late')).state.kind).toBe('signed_in');
    release();
    expect(await removing).toMatchObject({ deleted: true });
    expect((await world.product.call('status')).servers).toEqual([]);
    expect(store.names()).toEqual([]);
  });

  it('both work after a restart without another sign-in', async () => {
    const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-accounts-'));
    closing.unshift(() => rm(dataDir, { recursive: true, force: true }));
    const memory = createMemoryStore();
    // Survives the end of the broker, as a keychain does.
    const store = { ...memory, name: 'keychain' as const, close: async () => {} };
    const world = await startTwoAccounts(closing, {}, { dataDir, store });
    await world.product.close();
    const product = await startProduct({ dataDir, store });
    closing.push(() => product.close());
    expect(await whoami(await startHostOf(product))).toBe('ada');
    expect(await whoami(await startHostOf(product, '--account', 'second'))).toBe('grace');
    expect(product.browser.openings).toBe(0);
  });
});
