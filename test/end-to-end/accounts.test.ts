import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Secret } from '../../electron/core/base/secret.ts';
import { accountChoice } from '../../electron/core/oauth/authorization/account-choice.ts';
import { createMemoryStore } from '../../electron/core/vault/memory.ts';
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../fixtures/authorization-server.ts';
import { textOf, type Host } from '../fixtures/host.ts';
import { firstCredential } from '../fixtures/access-tokens-rig.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { startProduct, type Product, type ProductOptions } from '../fixtures/product.ts';
import { recordingStore } from '../fixtures/recording-store.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

const closing = closeAfterEach();

const people = { ada: 'lovelace', grace: 'hopper' };

interface World {
  readonly as: AuthorizationServer;
  readonly mcp: RunningMcpServer;
  readonly product: Product;
}

/** A server `work` that nobody has signed in to. */
async function world(options: AuthorizationServerOptions = {}, productOptions: ProductOptions = {}): Promise<World> {
  const as = await startAuthorizationServer({ users: people, ...options });
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  const product = await startProduct(productOptions);
  closing.push(() => product.close());
  await product.call('addServer', { url: mcp.url, name: 'work' });
  return { as, mcp, product };
}

/** Signs in as somebody whom the browser does not know yet. */
async function signIn({ product }: World, person: keyof typeof people, account?: string) {
  product.browser.clearCookies();
  product.browser.options.login = { user: person, password: people[person] };
  return product.call('signIn', { server: 'work', ...(account === undefined ? {} : { account }) });
}

/** The first account is ada's; grace has another one. */
async function twoPeople(options?: AuthorizationServerOptions, productOptions?: ProductOptions): Promise<World> {
  const one = await world(options, productOptions);
  await signIn(one, 'ada');
  await one.product.call('addAccount', { server: 'work', name: 'second' });
  await signIn(one, 'grace', 'second');
  return one;
}

const who = async (host: Host) => textOf(await host.call('whoami'));
const statusOf = async ({ product }: World, account: string) =>
  (await product.call('status')).servers.find(
    (server) => server.account?.name === account || server.id.endsWith(`:${account}`),
  );

async function started(product: Product, ...more: string[]): Promise<Host> {
  const host = product.host('work', ...more);
  await host.initialize();
  return host;
}

describe('several accounts of one server', () => {
  it('each bridge speaks for its own account, in its own session, also when tokens expire', async () => {
    const one = await twoPeople({ accessTokens: 'jwt', accessTokenSeconds: 3 });
    const { as, mcp, product } = one;
    const ada = await started(product);
    const grace = await started(product, '--account', 'second');
    const ends = Date.now() + 7_000;
    const seen = { ada: new Set<string>(), grace: new Set<string>() };
    while (Date.now() < ends) {
      const [a, g] = await Promise.all([who(ada), who(grace)]);
      seen.ada.add(a);
      seen.grace.add(g);
    }
    expect([...seen.ada]).toEqual(['ada']);
    expect([...seen.grace]).toEqual(['grace']);
    expect(as.counts.refreshes).toBeGreaterThan(1);
    // A session was opened by one token, and none of the other account's ever came near it.
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

  it('no registration is shared: each account has its own client at the authorization server', async () => {
    const one = await twoPeople();
    expect(one.as.counts.registrations).toBe(2);
    const [ada, grace] = await Promise.all([
      one.product.call('serverDetail', { server: 'work' }),
      one.product.call('serverDetail', { server: 'work', account: 'second' }),
    ]);
    expect(ada.clientId).toBeDefined();
    expect(grace.clientId).not.toBe(ada.clientId);
    expect(ada.accounts.map(({ name, isDefault }) => [name, isDefault])).toEqual(
      grace.accounts.map(({ name, isDefault }) => [name, isDefault]),
    );
    expect(grace.accounts.find(({ isDefault }) => isDefault)?.id).toBe(ada.status.id);
  });

  it('signing one out leaves the other as it was, at the server too', async () => {
    const one = await twoPeople();
    const { product } = one;
    const grace = await started(product, '--account', 'second');
    expect(await product.call('signOut', { server: 'work' })).toMatchObject({ revoked: 'confirmed', deleted: true });
    expect((await statusOf(one, 'main'))?.state.kind).toBe('signed_out');
    expect((await statusOf(one, 'second'))?.state.kind).toBe('signed_in');
    expect(await who(grace)).toBe('grace');
    await product.call('refreshNow', { server: 'work', account: 'second' });
    expect(await who(grace)).toBe('grace');
  });

  it('another default account: bridges that name none change over, in a new session; the others stay', async () => {
    const one = await twoPeople();
    const { mcp, product } = one;
    const byDefault = await started(product);
    const named = await started(product, '--account', 'main');
    expect([await who(byDefault), await who(named)]).toEqual(['ada', 'ada']);
    const sessions = mcp.counts.sessions;
    const second = await product.call('updateAccount', { server: 'work', account: 'second', isDefault: true });
    expect(second.account).toMatchObject({ name: 'second', isDefault: true });
    await until(async () => (await who(byDefault)) === 'grace', 'the bridge changes over');
    expect(mcp.counts.sessions).toBe(sessions + 1);
    expect(await who(named)).toBe('ada');
    expect(byDefault.exit).toBeUndefined();
  });

  it('a call that runs while the default account changes is answered, by the account that it was made for', async () => {
    const one = await twoPeople();
    const { mcp, product } = one;
    const host = await started(product);
    expect(await who(host)).toBe('ada');
    const runs = mcp.counts.toolRuns;
    const slow = host.call('slow', { ms: 800 });
    await until(() => mcp.counts.toolRuns > runs, 'the call runs');
    await product.call('updateAccount', { server: 'work', account: 'second', isDefault: true });
    expect(textOf(await slow)).toBe('done');
    await until(async () => (await who(host)) === 'grace', 'the bridge changes over');
  });

  it('a removed account is revoked, its items are gone from the store, and the other account stays', async () => {
    const store = recordingStore(createMemoryStore());
    const one = await twoPeople({}, { store });
    const { product } = one;
    const gone = (await statusOf(one, 'second'))?.id ?? '';
    const [, accountId = ''] = gone.split(':');
    expect(store.names().some((name) => name.includes(accountId))).toBe(true);
    const host = await started(product, '--account', 'second');
    expect(await product.call('removeAccount', { server: 'work', account: 'second' })).toMatchObject({
      revoked: 'confirmed',
      deleted: true,
    });
    expect(store.names().filter((name) => name.includes(accountId))).toEqual([]);
    expect(await readFile(path.join(product.dataDir, 'servers.json'), 'utf8')).not.toContain(accountId);
    expect((await host.call('whoami')).error?.data).toMatchObject({ code: 'E_SERVER_UNKNOWN' });
    expect(await who(await started(product))).toBe('ada');
    const [only] = (await product.call('status')).servers;
    expect(only?.account).toBeUndefined();
  });

  it.each(['signOut', 'removeAccount'] as const)('a sign-in that begins during %s waits for its end', async (leave) => {
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
    const one = await twoPeople({ dpop: 'offered' }, { store });
    const { as, product } = one;
    const [, accountId = ''] = ((await statusOf(one, 'second'))?.id ?? '').split(':');
    holding = new Promise((resolve) => (release = resolve));
    deleting = false;
    const leaving = product.call(leave, { server: 'work', account: 'second' });
    await until(() => deleting, 'the sign-out deletes');
    const exchanges = as.counts.codeExchangesGranted;
    const joining = signIn(one, 'grace', 'second').then(
      ({ state }) => state.kind,
      (error: unknown) => String(error),
    );
    await until(
      () => as.counts.codeExchangesGranted > exchanges || product.log.some((line) => line.includes('sign_in_waits')),
      'the sign-in waits, or is through',
    );
    holding = undefined;
    release();
    await leaving;
    if (leave === 'signOut') {
      expect(await joining).toBe('signed_in');
      await product.call('refreshNow', { server: 'work', account: 'second' });
      expect(await who(await started(product, '--account', 'second'))).toBe('grace');
    } else {
      expect(await joining).toContain('E_SERVER_UNKNOWN');
      expect(store.names().filter((name) => name.includes(accountId))).toEqual([]);
    }
  });

  it('removing the default account makes the next one the default; the last one cannot be removed', async () => {
    const one = await twoPeople();
    const { product } = one;
    const host = await started(product);
    await product.call('removeAccount', { server: 'work', account: 'main' });
    expect((await product.call('serverDetail', { server: 'work' })).accounts).toMatchObject([
      { name: 'second', isDefault: true },
    ]);
    await until(async () => textOf(await host.call('whoami')) === 'grace', 'the bridge changes over');
    await expect(product.call('removeAccount', { server: 'work', account: 'second' })).rejects.toThrow('E_BAD_INPUT');
  });

  it('removing the server removes every account, and everything in the store', async () => {
    const store = recordingStore(createMemoryStore());
    const one = await twoPeople({}, { store });
    expect(await one.product.call('removeServer', { server: 'work' })).toMatchObject({
      revoked: 'confirmed',
      deleted: true,
    });
    expect((await one.product.call('status')).servers).toEqual([]);
    expect(store.names()).toEqual([]);
  });

  it('an account that is added while its server is removed goes with it', async () => {
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
    const one = await world({}, { store });
    await signIn(one, 'ada');
    const removing = one.product.call('removeServer', { server: 'work' });
    await until(() => deleting, 'the removal deletes');
    await one.product.call('addAccount', { server: 'work', name: 'late' });
    expect((await signIn(one, 'grace', 'late')).state.kind).toBe('signed_in');
    release();
    expect(await removing).toMatchObject({ deleted: true });
    expect((await one.product.call('status')).servers).toEqual([]);
    expect(store.names()).toEqual([]);
  });

  it('both are there after a restart', async () => {
    const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-accounts-'));
    closing.unshift(() => rm(dataDir, { recursive: true, force: true }));
    const memory = createMemoryStore();
    // Stays when the broker ends, as a keychain does.
    const store = { ...memory, name: 'keychain' as const, close: async () => {} };
    const one = await twoPeople({}, { dataDir, store });
    await one.product.close();
    const product = await startProduct({ dataDir, store });
    closing.push(() => product.close());
    expect(await who(await started(product))).toBe('ada');
    expect(await who(await started(product, '--account', 'second'))).toBe('grace');
    expect(product.browser.openings).toBe(0);
  });
});

describe('the name of an account', () => {
  it('leads to one account of one server; a wrong one says which', async () => {
    const one = await world();
    const { product } = one;
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

  it('stands in the snippets of all but the default account', async () => {
    const { product } = await world();
    await product.call('addAccount', { server: 'work', name: 'ada@example.com' });
    const text = async (account?: string) =>
      JSON.stringify(
        await product.call('hostSnippets', { server: 'work', ...(account === undefined ? {} : { account }) }),
      );
    expect(await text()).not.toContain('--account');
    expect(await text('ada@example.com')).toContain('--account');
    expect(await text('ada@example.com')).toContain('work-ada-example-com');
  });

  it('that is unknown ends the bridge with 2, and its host gets an answer that says so', async () => {
    const { product } = await world();
    const host = product.host('work', '--account', 'nobody');
    const answer = await host.request('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'host', version: '1' },
    });
    expect(answer.error?.data ?? answer.result).toBeDefined();
    expect(JSON.stringify(answer) + host.stderr).toContain('E_ACCOUNT_UNKNOWN');
    expect(await host.close()).toBe(2);
  });
});

describe('who signs in', () => {
  const lastRequest = ({ as }: World) => as.seen.authorize.at(-1) ?? new URLSearchParams();

  it('is asked for once there are several accounts, and names an account that the user has not named', async () => {
    const one = await world();
    await signIn(one, 'ada');
    expect(lastRequest(one).get('scope')).not.toContain('openid');
    await one.product.call('addAccount', { server: 'work' });
    const added = await signIn(one, 'grace', 'account-2');
    expect(lastRequest(one).get('scope')?.split(' ')).toContain('openid');
    expect(added).toMatchObject({ identity: 'grace', account: { name: 'grace@example.test', isDefault: false } });
    await signIn(one, 'ada');
    expect((await one.product.call('status')).servers.map(({ account }) => account?.name)).toEqual([
      'ada@example.test',
      'grace@example.test',
    ]);
    // The account's own id still leads to it.
    expect((await one.product.call('serverDetail', { server: 'work', account: 'main' })).status.identity).toBe('ada');
  });

  it('a further account is signed in by whoever the person chooses, not by whom the browser remembers', async () => {
    const one = await world();
    await signIn(one, 'ada');
    await one.product.call('addAccount', { server: 'work', name: 'second' });
    one.product.browser.options.login = { user: 'grace', password: 'hopper' };
    expect(await one.product.call('signIn', { server: 'work', account: 'second' })).toMatchObject({
      identity: 'grace',
    });
    expect(lastRequest(one).get('prompt')?.split(' ')).toContain('login');
  });

  it('somebody who is another account already is refused, and nothing is stored or changed', async () => {
    const one = await world();
    await one.product.call('addAccount', { server: 'work', name: 'second' });
    await signIn(one, 'ada');
    await expect(signIn(one, 'ada', 'second')).rejects.toThrow('E_ACCOUNT_OTHER');
    const second = await statusOf(one, 'second');
    expect(second?.state).toMatchObject({
      kind: 'needs_sign_in',
      error: { code: 'E_ACCOUNT_OTHER', message: expect.stringContaining('ada') },
    });
    expect(second?.identity).toBeUndefined();
    expect(await who(await started(one.product))).toBe('ada');
    expect((await signIn(one, 'grace', 'second')).state.kind).toBe('signed_in');
  });

  it('one person who signs in to two accounts at the same time gets one of them', async () => {
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
    const { product } = await world({}, { store });
    await product.call('addAccount', { server: 'work', name: 'second' });
    await product.call('addAccount', { server: 'work', name: 'third' });
    product.browser.options.login = { user: 'grace', password: people.grace };
    // Both are known before either is stored.
    void until(() => identified() === 2, 'both are identified').finally(release);
    const both = await Promise.allSettled(
      ['second', 'third'].map((account) => product.call('signIn', { server: 'work', account })),
    );
    expect(both.flatMap((ending) => (ending.status === 'rejected' ? [String(ending.reason)] : []))).toEqual([
      'Error: E_ACCOUNT_OTHER',
    ]);
  });

  it('is told to the authorization server that knows the person, and to no other', () => {
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

  it('an account stays with its person: another one is refused, until it is signed out', async () => {
    const one = await twoPeople();
    const host = await started(one.product, '--account', 'second');
    await expect(signIn(one, 'ada', 'second')).rejects.toThrow('E_ACCOUNT_OTHER');
    expect(lastRequest(one).get('login_hint')).toBe('grace@example.test');
    expect(await who(host)).toBe('grace');
    await one.product.call('signOut', { server: 'work', account: 'second' });
    expect(await signIn(one, 'ada', 'second')).toMatchObject({ identity: 'ada' });
  });
});

describe('what was entered', () => {
  it('a client that an account gives up takes its secrets along, and another one begins without', async () => {
    const store = recordingStore(createMemoryStore());
    const { product } = await world({}, { store });
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

  it('the secret of one client is not shown for the next one, whose authorization server may be another', async () => {
    const { product } = await world();
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

  it('the secret of the server’s client goes with the server, though its only account has a client of its own', async () => {
    const store = recordingStore(createMemoryStore());
    const { product } = await world({}, { store });
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

  it('a key of one account is not used for another', async () => {
    const { product } = await world();
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

  it('the client of the server serves all accounts, until an account gets its own', async () => {
    const { product } = await world();
    await product.call('configureServer', { server: 'work', clientId: 'for-all', clientSecret: 'secret-for-all' });
    await product.call('addAccount', { server: 'work', name: 'second' });
    const second = () => product.call('serverDetail', { server: 'work', account: 'second' });
    expect(await second()).toMatchObject({ clientId: 'for-all', storedSecrets: ['clientSecret'], ownClient: false });
    await expect(
      product.call('configureServer', { server: 'work', account: 'second', clientSecret: 'x' }),
    ).rejects.toThrow('E_BAD_INPUT');
    await product.call('configureServer', { server: 'work', account: 'second', clientId: 'for-one' });
    // Its own client never takes the other client's secret.
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
