import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { createLog } from '../../../electron/core/base/log.ts';
import { companyHttp } from '../../../electron/core/oauth/enterprise/company-http.ts';
import type { Secret } from '../../../electron/core/base/secret.ts';
import { openServers } from '../../../electron/core/servers/servers.ts';
import { openVault } from '../../../electron/core/vault/credentials.ts';
import type { ErrorInfo } from '../../../shared/reply.ts';
import { httpBrowser } from '../../fixtures/browser.ts';
import { startCompany, type Company, type CompanyOptions, type EnterpriseServer } from '../../fixtures/company.ts';
import { createFakeStore, locked, type FakeStore } from '../../fixtures/fake-store.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';
import { startSite, type Route } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';
import { textsIn } from '../../fixtures/texts-in.ts';
import type { Http, HttpRequest } from '../../../electron/core/http/http.ts';
import type { Server } from '../../../electron/core/servers/server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Desk {
  readonly company: Company;
  readonly store: FakeStore;
  readonly browser: ReturnType<typeof httpBrowser>;
  product: Product;
  /** Adds one more server of the company to the list. */
  add(
    name: string,
    more?: { readonly settings?: Record<string, unknown>; readonly secrets?: Record<string, string> },
  ): Promise<EnterpriseServer>;
  signIn(name: string): Promise<string>;
  /** The state's kind, with the code of its error where it has one. */
  state(name: string): string;
  error(name: string): ErrorInfo | undefined;
  /** The broker ends and starts again, on the same folder and store. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  /** What the server answers to a call with the newest token. */
  call(name: string, server: EnterpriseServer): Promise<number>;
  /** Items of the company's sign-in in the store. */
  kept(): string[];
}

async function desk(options: CompanyOptions = {}, browser = httpBrowser()): Promise<Desk> {
  const company = await startCompany(options);
  closing.push(() => company.close());
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-enterprise-'));
  closing.push(() => rm(dataDir, { recursive: true }));
  const store = createFakeStore();
  const start = () => startProduct({ dataDir, store, browser });
  const it: Desk = {
    company,
    store,
    browser,
    product: await start(),
    async add(name, { settings = {}, secrets = {} } = {}) {
      const server = await company.server();
      await it.product.call('addServer', {
        url: server.mcp.url,
        name,
        clientId: server.clientId,
        clientSecret: server.clientSecret,
        settings: { grant: 'enterprise_managed', enterprise: { ...company.enterprise, ...settings } },
        secrets,
      });
      return server;
    },
    signIn: async (name) => (await it.product.call('signIn', { server: name })).state.kind,
    state: (name) => {
      const error = it.error(name);
      return `${stateOf(it.product, name).kind}${error ? ` ${error.code}` : ''}`;
    },
    error(name) {
      const state = stateOf(it.product, name);
      return 'error' in state ? state.error : undefined;
    },
    async restart(meanwhile) {
      await it.product.close();
      await meanwhile?.();
      it.product = await start();
    },
    async call(name, server) {
      const connection = it.product.app.connect(name);
      const answer = await connection.accessToken();
      connection.close();
      return answer.kind === 'token' ? ping(server.mcp.url, answer.token) : 0;
    },
    kept: () => [...store.items.keys()].filter((item) => item.includes('credential/enterprise:')),
  };
  closing.push(() => it.product.close());
  return it;
}

function stateOf(product: Product, name: string) {
  const found = product.app.status.current().servers.find((one) => one.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found.state;
}

const ping = (url: string, token: Secret) =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token.reveal()}`,
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}',
  }).then(async (answer) => {
    await answer.body?.cancel();
    return answer.status;
  });

async function failure(promise: Promise<unknown>): Promise<ErrorInfo> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return (error as Error | undefined)?.cause as ErrorInfo;
}

describe('one sign-in at the company for all of its servers', () => {
  it('signs in to two servers with one page in the browser, and both take calls', async () => {
    const one = await desk();
    const [a, b] = [await one.add('a'), await one.add('b')];
    expect(await one.signIn('a')).toBe('signed_in');
    expect(await one.signIn('b')).toBe('signed_in');
    expect(one.browser.openings).toBe(1);
    expect([await one.call('a', a), await one.call('b', b)]).toEqual([200, 200]);
    expect(one.product.app.status.current().servers.map(({ identity }) => identity)).toEqual(['ada', 'ada']);
    expect(one.company.idp.counts).toMatchObject({ authorizations: 1, codeExchangesGranted: 1, refreshes: 0 });
    expect(one.company.exchanges.map(({ params }) => [params['audience'], params['resource']])).toEqual([
      [a.as.issuer, a.mcp.url],
      [b.as.issuer, b.mcp.url],
    ]);
  });

  it('asks as OpenID Connect has it: openid and offline_access, PKCE, state, nonce, and the loopback address', async () => {
    const one = await desk();
    await one.add('a');
    await one.signIn('a');
    const asked = Object.fromEntries(one.company.idp.seen.authorize[0] ?? []);
    expect(asked).toMatchObject({
      client_id: one.company.clientId,
      response_type: 'code',
      scope: 'openid offline_access',
      prompt: 'consent',
      code_challenge_method: 'S256',
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback\/enterprise$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(asked['resource']).toBeUndefined();
  });

  it('lets sign-ins that run at the same time share one page, which all of them show', async () => {
    let open = (): void => {};
    const waiting = new Promise<void>((resolve) => (open = resolve));
    const real = httpBrowser();
    const browser = Object.assign(Object.create(real) as typeof real, {
      open: async (url: URL | string) => {
        await waiting;
        return real.open(url);
      },
    });
    const one = await desk({}, browser);
    for (const name of ['a', 'b', 'c']) await one.add(name);
    const all = ['a', 'b', 'c'].map((name) => one.signIn(name));
    const pages = await until(() => {
      const states = ['a', 'b', 'c'].map((name) => stateOf(one.product, name));
      const urls = states.flatMap((state) =>
        state.kind === 'signing_in' && state.step === 'browser' ? [state.url] : [],
      );
      return urls.length === 3 && urls;
    }, 'all three wait for the browser');
    expect(new Set(pages).size).toBe(1);
    open();
    expect(await Promise.all(all)).toEqual(['signed_in', 'signed_in', 'signed_in']);
    expect(real.openings).toBe(1);
  });

  it('goes on for the others when one of them is cancelled, and ends with the last', async () => {
    const one = await desk({}, httpBrowser({ neverFinish: true }));
    for (const name of ['a', 'b']) await one.add(name);
    const [a, b] = ['a', 'b'].map((name) => failure(one.signIn(name)));
    await until(
      () =>
        ['a', 'b'].every(
          (name) => one.state(name) === 'signing_in' && JSON.stringify(stateOf(one.product, name)).includes('/auth?'),
        ),
      'both wait',
    );
    await one.product.call('cancelSignIn', { server: 'a' });
    expect(await a).toMatchObject({ code: 'E_CANCELLED' });
    const page = until(() => one.browser.last, 'the browser has come back');
    const redirectUrl = (await page).lastUrl;
    expect(one.state('b')).toBe('signing_in');
    // What is pasted for one of them is the answer for all.
    await one.product.call('finishSignIn', { server: 'b', redirectUrl });
    expect(one.state('b')).toBe('signed_in');
    void b;

    await one.product.call('signOut', { server: 'b' });
    const again = failure(one.signIn('a'));
    await until(() => one.browser.openings === 2, 'the page');
    await one.product.call('cancelSignIn', { server: 'a' });
    expect(await again).toMatchObject({ code: 'E_CANCELLED' });
    expect(one.kept()).toEqual([]);
    const anew = failure(one.signIn('a'));
    await until(() => one.browser.openings === 3, 'a page of its own');
    await one.product.call('cancelSignIn', { server: 'a' });
    await anew;
  });

  it('needs no browser after two restarts: the ID token is renewed once for all servers', async () => {
    const one = await desk();
    const [a, b] = [await one.add('a'), await one.add('b')];
    await one.signIn('a');
    for (let restart = 1; restart <= 2; restart += 1) {
      await one.restart();
      const states = await Promise.all([one.signIn('b'), one.call('a', a)]);
      expect(states).toEqual(['signed_in', 200]);
      expect(one.company.idp.counts.refreshesGranted).toBe(restart);
    }
    expect(await one.call('b', b)).toBe(200);
    expect(one.browser.openings).toBe(1);
    expect(one.company.idp.counts.refreshReuses).toBe(0);
  });

  it('keeps the refresh token in the store, and no ID token beside it', async () => {
    const one = await desk();
    await one.add('a');
    await one.signIn('a');
    const stored = [...one.store.items]
      .filter(([item]) => item.includes('enterprise:'))
      .map(([, value]) => value)
      .join('');
    const { refresh } = one.company.idp.issuedTokens();
    expect(stored).toContain(refresh.at(-1));
    const idToken = String(one.company.exchanges[0]?.params['subject_token']);
    expect([...one.store.items.values()].join('\n')).not.toContain(idToken.slice(-40));
  });

  it('has a separate sign-in for a further account, for which the person has to say who they are', async () => {
    const one = await desk({ users: { ada: 'lovelace', bob: 'builder' } });
    await one.add('a');
    await one.signIn('a');
    const { id } = await one.product.call('addAccount', { server: 'a', name: 'other' });
    one.browser.options.login = { user: 'bob', password: 'builder' };
    expect((await one.product.call('signIn', { server: id })).state.kind).toBe('signed_in');
    expect(one.company.idp.seen.authorize[1]?.get('prompt')).toBe('consent login');
    expect(one.product.app.status.current().servers.map(({ identity }) => identity)).toEqual(['ada', 'bob']);
  });

  it('refuses one person for two accounts of a server, and keeps nothing of the second', async () => {
    const one = await desk();
    await one.add('a');
    await one.signIn('a');
    const { id } = await one.product.call('addAccount', { server: 'a', name: 'other' });
    const before = one.kept();
    expect(await failure(one.product.call('signIn', { server: id }))).toMatchObject({ code: 'E_ACCOUNT_OTHER' });
    expect(one.kept()).toEqual(before);
    expect(await one.signIn('a')).toBe('signed_in');
  });

  it('a renewal that a crash cut off is the first thing after the start', async () => {
    const one = await desk();
    await one.add('a');
    await one.signIn('a');
    const { dataDir } = one.product;
    await one.restart(async () => {
      const clock = systemClock();
      const log = createLog(
        () => {},
        () => clock.now(),
      );
      const { installId } = await openServers({ dataDir, clock, log, macs: undefined });
      const vault = await openVault({ store: one.store, dataDir, installId, clock, log });
      const [id = ''] = vault.ids().filter((known) => known.startsWith('enterprise:'));
      expect((await vault.openJournal(id, 1)).kind).toBe('done');
    });
    await until(() => one.company.idp.counts.refreshesGranted === 1, 'the renewal');
    const { log } = one.product;
    await one.restart();
    // By the one who renews it, and by nobody else besides.
    expect(log.filter((line) => line.includes('"refreshed"'))).toHaveLength(1);
    expect(log.join('')).not.toContain('refresh_failed');
    expect(one.company.idp.counts.refreshReuses).toBe(0);
  });
});

describe('the ID token', () => {
  it('is renewed when it has expired, and nobody is asked', async () => {
    const one = await desk({ idTokenSeconds: 2 });
    const a = await one.add('a');
    await one.signIn('a');
    await until(async () => {
      await one.product.call('refreshNow', { server: 'a' });
      return one.company.idp.counts.refreshesGranted > 0;
    }, 'a new ID token');
    expect(one.browser.openings).toBe(1);
    expect(one.company.exchanges.every(({ issuedAt }, at, all) => issuedAt >= (all[at - 1]?.issuedAt ?? 0))).toBe(true);
    expect(await one.call('a', a)).toBe(200);
  });

  it('is renewed once when the company refuses it ahead of its time', async () => {
    const one = await desk();
    const a = await one.add('a');
    await one.signIn('a');
    one.company.endSessions();
    await one.product.call('refreshNow', { server: 'a' });
    expect(one.company.idp.counts.refreshesGranted).toBe(1);
    expect(one.company.exchanges).toHaveLength(3);
    expect(await one.call('a', a)).toBe(200);
    expect(one.browser.openings).toBe(1);
  });

  it('without a refresh token is good until its end, over a restart; then the person signs in again', async () => {
    const one = await desk({ refreshTokens: 'never', idTokenSeconds: 3 });
    const a = await one.add('a');
    await one.signIn('a');
    await one.restart();
    expect(await one.call('a', a)).toBe(200);
    const error = await until(async () => {
      const failed = await failure(one.product.call('refreshNow', { server: 'a' }));
      return failed?.code === 'E_SIGN_IN_AGAIN' && failed;
    }, 'the end of the ID token');
    expect(error.message).toContain(new URL(one.company.idp.issuer).host);
    expect(one.browser.openings).toBe(1);
    expect(await one.signIn('a')).toBe('signed_in');
    expect(one.browser.openings).toBe(2);
  }, 20_000);
});

describe('when the company ends the session', () => {
  it('asks for a sign-in, names the company, opens nothing by itself; one sign-in puts all servers right', async () => {
    const one = await desk();
    const [a, b] = [await one.add('a'), await one.add('b')];
    await one.signIn('a');
    await one.signIn('b');
    one.company.idp.revokeRefreshTokens();
    one.company.endSessions();
    for (const name of ['a', 'b'])
      expect(await failure(one.product.call('refreshNow', { server: name }))).toMatchObject({
        code: 'E_SIGN_IN_AGAIN',
      });
    expect([one.state('a'), one.state('b')]).toEqual([
      'needs_sign_in E_SIGN_IN_AGAIN',
      'needs_sign_in E_SIGN_IN_AGAIN',
    ]);
    expect(one.error('a')?.message).toContain(
      `The company’s identity provider (${new URL(one.company.idp.issuer).host})`,
    );
    expect(await one.call('a', a)).toBe(0);
    expect(one.browser.openings).toBe(1);
    expect(one.company.idp.counts.refreshes).toBe(1);

    expect(await one.signIn('a')).toBe('signed_in');
    await until(() => one.state('b') === 'signed_in', 'b goes on without a click');
    expect([await one.call('a', a), await one.call('b', b)]).toEqual([200, 200]);
    expect(one.browser.openings).toBe(2);
  });

  it('is noticed by a sign-in, which then goes to the browser once', async () => {
    const one = await desk();
    await one.add('a');
    await one.add('b');
    await one.signIn('a');
    one.company.idp.revokeRefreshTokens();
    one.company.endSessions();
    expect(await one.signIn('b')).toBe('signed_in');
    expect(one.browser.openings).toBe(2);
  });

  it('keeps the sign-in while the company is away, and goes on afterwards', async () => {
    const one = await desk();
    const a = await one.add('a');
    await one.signIn('a');
    await one.restart();
    await one.company.idp.stop();
    expect(await failure(one.signIn('a'))).toMatchObject({
      code: 'E_CONNECT',
      message: expect.stringContaining('The company’s identity provider'),
    });
    await one.company.idp.start();
    await until(async () => (await one.call('a', a)) === 200, 'calls go through again');
    expect(one.browser.openings).toBe(1);
  });

  it('says that the keychain is locked, and goes on when it is not', async () => {
    const one = await desk();
    const a = await one.add('a');
    await one.signIn('a');
    await one.restart();
    one.store.fault = (_operation, item) => (item.includes('enterprise:') ? locked : undefined);
    expect(await failure(one.product.call('refreshNow', { server: 'a' }))).toMatchObject({ code: 'E_STORE_LOCKED' });
    expect(one.state('a')).toBe('store_blocked E_STORE_LOCKED');
    one.store.fault = undefined;
    await one.product.call('unlockStore');
    await until(() => one.state('a') === 'signed_in', 'the sign-in goes on at once', 1_500);
    expect(await one.call('a', a)).toBe(200);
    expect(one.browser.openings).toBe(1);
  });
});

describe('signing out', () => {
  it('of one server leaves the company to the others; with the last it is revoked there and deleted here', async () => {
    const one = await desk();
    await one.add('a');
    await one.add('b');
    await one.signIn('a');
    await one.signIn('b');
    const first = await one.product.call('signOut', { server: 'a' });
    expect(first).toMatchObject({ revoked: 'confirmed', deleted: true });
    expect(first.company).toBeUndefined();
    expect(one.kept()).not.toEqual([]);
    expect(one.company.idp.counts.revocations).toBe(0);
    expect(await one.signIn('a')).toBe('signed_in');
    expect(one.browser.openings).toBe(1);

    await one.product.call('signOut', { server: 'a' });
    expect(await one.product.call('signOut', { server: 'b' })).toMatchObject({ company: 'confirmed' });
    expect(one.kept()).toEqual([]);
    expect(one.company.idp.counts.revocations).toBeGreaterThan(0);
    expect(await one.signIn('b')).toBe('signed_in');
    expect(one.browser.openings).toBe(2);
  });

  it('while the company’s sign-in is being stored ends it: nothing of it stays', async () => {
    const one = await desk();
    await one.add('a');
    let leaving: Promise<unknown> | undefined;
    const set = one.store.set.bind(one.store);
    Object.assign(one.store, {
      async set(item: string, value: Secret) {
        // The whole sign-out takes place while the first item is on its way.
        if (item.includes('credential/enterprise:')) await (leaving ??= one.product.call('signOut', { server: 'a' }));
        return set(item, value);
      },
    });
    expect(await failure(one.signIn('a'))).toMatchObject({ code: 'E_CANCELLED' });
    await until(
      () => one.kept().length === 0 && one.company.idp.counts.revocations > 0,
      'the company’s sign-in is gone',
    );
  });

  it('everywhere ends it too, whatever uses it', async () => {
    const one = await desk();
    for (const name of ['a', 'b', 'c']) await one.add(name);
    for (const name of ['a', 'b']) await one.signIn(name);
    const reports = await one.product.call('signOutEverywhere');
    expect(reports.filter(({ report }) => report.company === 'confirmed')).toHaveLength(1);
    expect(one.kept()).toEqual([]);
  });

  it('by removing the last server, or by giving it another way to sign in, ends it', async () => {
    const one = await desk();
    await one.add('a');
    await one.signIn('a');
    expect(await one.product.call('removeServer', { server: 'a' })).toMatchObject({ company: 'confirmed' });
    expect(one.kept()).toEqual([]);
    await one.add('b');
    await one.signIn('b');
    await one.product.call('configureServer', { server: 'b', settings: {} });
    expect(one.kept()).toEqual([]);
  });
});

describe('who gets to see what', () => {
  it('what the company gave goes to the company alone, and an assertion to the one server that it is for', async () => {
    const one = await desk({ clientSecret: 'secret-at-company' });
    const [a, b] = [
      await one.add('a', { secrets: { enterpriseClientSecret: 'secret-at-company' } }),
      await one.add('b'),
    ];
    await one.signIn('a');
    await one.signIn('b');
    await one.restart();
    await one.call('a', a);
    const theirs = [...one.company.idp.secrets(), 'secret-at-company'].filter(
      (secret) => secret.length > 12 && !one.company.assertions.includes(secret),
    );
    expect(theirs.length).toBeGreaterThan(6);
    const elsewhere = JSON.stringify([a, b].flatMap(({ as, mcp }) => [as.seen.token, mcp.seen]));
    for (const secret of theirs) expect(elsewhere).not.toContain(secret);
    const [forA = '', forB = ''] = one.company.assertions;
    expect(JSON.stringify(a.as.seen.token)).toContain(forA);
    expect(JSON.stringify([a.as.seen.token, a.mcp.seen, b.mcp.seen])).not.toContain(forB);
    const log = one.product.log.join('\n');
    const files = await textsIn(one.product.dataDir);
    const shown = [
      log,
      JSON.stringify(one.product.app.status.current()),
      JSON.stringify(await one.product.call('serverDetail', { server: 'a' })),
      ...files,
    ].join('\n');
    for (const secret of [...theirs, forA, forB]) expect(shown).not.toContain(secret);
  });

  it('the certificate, the key and the authorities of a server stay with it', async () => {
    const asked: HttpRequest[] = [];
    const answer = { status: 200, headers: {}, body: Buffer.alloc(0) };
    const plain: Http = {
      fetch: async (request) => (asked.push(request), answer),
      open: async () => Promise.reject(new Error('unused')),
      classOf: async () => 'public',
      withTls: () => Promise.reject(new Error('no certificates')) as never,
      close: async () => {},
    };
    const servers = [
      {
        id: 'one',
        settings: {
          caFile: '/ca.pem',
          clientCertificateFile: '/me.pem',
          enterprise: { issuer: 'https://idp.example', clientId: 'c' },
        },
      },
    ] as unknown as Server[];
    const request: HttpRequest = {
      url: new URL('https://idp.example/token'),
      method: 'POST',
      allow: ['public'],
      forTokens: true,
      timeoutMs: 1,
      maxBytes: 1,
    };
    await companyHttp(() => servers, plain).fetch(request);
    await companyHttp(() => [], plain).fetch(request);
    expect(asked).toHaveLength(2);
  });
});

describe('an answer of the company that must not be believed', () => {
  /** An identity provider that says what the test wants. The browser comes back from it at once. */
  type Claims = () => Readonly<Record<string, unknown>> | undefined;

  async function oddDesk(claims: Claims) {
    const one = await desk();
    const site = await startSite();
    closing.push(() => site.close());
    const { origin } = site;
    const exchanges: string[] = [];
    let said: Claims = claims;
    let nonce = '';
    Object.assign(site.routes, {
      '/.well-known/openid-configuration': {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        response_types_supported: ['code'],
      },
      '/authorize': ((_request, response, { path: at }) => {
        const asked = new URL(at, origin).searchParams;
        nonce = asked.get('nonce') ?? '';
        const back = new URL(asked.get('redirect_uri') ?? '');
        back.searchParams.set('state', asked.get('state') ?? '');
        back.searchParams.set('code', 'a-code');
        response.writeHead(302, { location: back.href }).end();
      }) satisfies Route,
      '/token': ((_request, response, { body }) => {
        const form = new URLSearchParams(body);
        if (form.get('grant_type')?.includes('token-exchange')) exchanges.push(form.get('subject_token') ?? '');
        const found: ReturnType<Claims> = said();
        const idToken =
          found &&
          new UnsecuredJWT({
            iss: origin,
            aud: 'us',
            sub: 'ada',
            iat: seconds(0),
            exp: seconds(600),
            nonce,
            ...found,
          }).encode();
        sendJson(response, 200, {
          access_token: 'an-access-token',
          token_type: 'Bearer',
          expires_in: 600,
          refresh_token: `refresh-${exchanges.length}`,
          ...(idToken === undefined ? {} : { id_token: idToken }),
        });
      }) satisfies Route,
    });
    await one.add('odd', { settings: { issuer: origin, clientId: 'us' } });
    return { one, exchanges, origin, say: (next: Claims): void => void (said = next) };
  }
  const seconds = (from: number) => Math.floor(Date.now() / 1000) + from;

  it.each([
    ['no ID token at all', (): undefined => undefined, 'contains no ID token'],
    ['one of another sign-in', () => ({ nonce: 'another' }), 'belongs to another sign-in'],
    ['one without a nonce', () => ({ nonce: undefined }), 'belongs to another sign-in'],
    ['one for another app', () => ({ aud: 'them' }), 'was issued for another client'],
    ['one issued to another', () => ({ aud: ['us', 'them'], azp: 'them' }), 'was issued for another client'],
    ['one of another issuer', () => ({ iss: 'https://evil.example' }), 'names another issuer'],
    ['one about nobody', () => ({ sub: '' }), 'about another person'],
    ['one that never ends', () => ({ exp: undefined }), 'has no expiry time'],
  ] as const)('%s: nothing is kept and nothing is exchanged', async (_what, claims, why) => {
    const { one, exchanges } = await oddDesk(claims);
    const error = await failure(one.signIn('odd'));
    expect(error).toMatchObject({ code: 'E_TOKEN_RESPONSE', message: expect.stringContaining(why) });
    expect(exchanges).toEqual([]);
    expect(one.kept()).toEqual([]);
  });

  it.each([
    ['no ID token', (): undefined => undefined],
    ['the ID token of somebody else', () => ({ sub: 'mallory' })],
    ['an ID token for another app', () => ({ aud: 'them' })],
  ] as const)('at a refresh, %s ends the sign-in', async (_what, claims) => {
    const { one, exchanges, say, origin } = await oddDesk(() => ({}));
    // The exchange itself answers with an access token, which is no assertion; the company's sign-in is there by then.
    expect(await failure(one.signIn('odd'))).toMatchObject({ code: 'E_TOKEN_RESPONSE' });
    expect(exchanges).toHaveLength(1);
    await one.restart();
    say(claims);
    one.browser.options.neverFinish = true;
    const again = failure(one.signIn('odd'));
    await until(
      () =>
        one.state('odd') === 'signing_in' &&
        JSON.stringify(stateOf(one.product, 'odd')).includes(`${origin}/authorize`),
      'the person is asked again',
    );
    await one.product.call('cancelSignIn', { server: 'odd' });
    await again;
    expect(exchanges).toHaveLength(1);
  });
});

describe('who refused', () => {
  it('the company: it says so, with its reason, and the other servers go on', async () => {
    const one = await desk();
    const [a, b] = [await one.add('a'), await one.add('b')];
    await one.signIn('a');
    one.company.refuse = ({ audience }) =>
      audience === b.as.issuer ? { error: 'invalid_target', description: 'not for interns' } : undefined;
    const error = await failure(one.signIn('b'));
    expect(error).toMatchObject({ code: 'E_TOKEN_REFUSED' });
    expect(error.message).toContain(
      `The company’s identity provider (${new URL(one.company.idp.issuer).host}): It issued no assertion for ${new URL(b.as.issuer).host}.`,
    );
    expect(error.message).toContain('not for interns');
    expect(error.message).toContain('Ask your administrator');
    expect(await one.call('a', a)).toBe(200);
    expect(one.company.idp.counts.refreshes).toBe(0);
    expect(one.browser.openings).toBe(1);
  });

  it('the server: it says that it was not the company', async () => {
    const one = await desk();
    const a = await one.add('a');
    a.refuses = true;
    const error = await failure(one.signIn('a'));
    expect(error).toMatchObject({ code: 'E_TOKEN_REFUSED' });
    expect(error.message).toContain(
      `${new URL(a.as.issuer).host} did not accept the assertion of the company’s identity provider.`,
    );
    a.refuses = false;
    expect(await one.signIn('a')).toBe('signed_in');
    expect(one.browser.openings).toBe(1);
  });

  it('the person', async () => {
    const one = await desk({}, httpBrowser({ denyLogin: true }));
    await one.add('a');
    expect(await failure(one.signIn('a'))).toMatchObject({
      code: 'E_SIGN_IN_DENIED',
      message: expect.stringContaining('The company’s identity provider'),
    });
    expect(one.kept()).toEqual([]);
  });

  it('the company, with a client secret that is wrong; the next sign-in takes the right one', async () => {
    const one = await desk({ clientSecret: 'the-right-secret' });
    await one.add('a', { secrets: { enterpriseClientSecret: 'the-wrong-secret' } });
    expect(await failure(one.signIn('a'))).toMatchObject({
      code: 'E_CLIENT_REFUSED',
      message: expect.stringContaining('The company’s identity provider'),
    });
    await one.product.call('configureServer', { server: 'a', secrets: { enterpriseClientSecret: 'the-right-secret' } });
    expect(await one.signIn('a')).toBe('signed_in');
  });

  it.each([
    ['no address', 'acme', 'E_ENDPOINT_REFUSED'],
    ['plain http', 'http://login.acme.example', 'E_ENDPOINT_REFUSED'],
    ['an address with a password', 'https://a:b@login.acme.example', 'E_ENDPOINT_REFUSED'],
  ])('Keybridge, where the issuer is %s', async (_what, issuer, code) => {
    const one = await desk();
    await one.add('a', { settings: { issuer } });
    expect(await failure(one.signIn('a'))).toMatchObject({
      code,
      message: expect.stringContaining('The company’s identity provider'),
    });
    expect(one.browser.openings).toBe(0);
  });

  it('Keybridge, where the setting is missing', async () => {
    const one = await desk();
    const { mcp, clientId } = await one.company.server();
    await one.product.call('addServer', {
      url: mcp.url,
      name: 'a',
      clientId,
      settings: { grant: 'enterprise_managed' },
    });
    expect(await failure(one.signIn('a'))).toMatchObject({ code: 'E_BAD_INPUT', field: 'settings.enterprise' });
  });

  it('the company, where there is no refresh token either: the person signs in once more, then hears why', async () => {
    const one = await desk({ refreshTokens: 'never' });
    const a = await one.add('a');
    await one.signIn('a');
    one.company.refuse = () => ({ error: 'invalid_grant', description: 'not you' });
    const error = await failure(one.signIn('a'));
    expect(error).toMatchObject({ code: 'E_SIGN_IN_AGAIN', message: expect.stringContaining('not you') });
    expect(one.browser.openings).toBe(2);
    one.company.refuse = undefined;
    expect(await one.signIn('a')).toBe('signed_in');
    expect(await one.call('a', a)).toBe(200);
  });

  it('nobody, but the issuer in the setting is not the one that the company gives itself', async () => {
    const one = await desk();
    await one.add('a', { settings: { issuer: `${one.company.idp.issuer}/` } });
    expect(await failure(one.signIn('a'))).toMatchObject({
      code: 'E_ISSUER_MISMATCH',
      message: expect.stringContaining('The company’s identity provider'),
    });
    expect(one.browser.openings).toBe(0);
  });
});
