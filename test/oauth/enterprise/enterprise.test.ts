import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { createLog } from '../../../electron/core/base/log.ts';
import { openServers } from '../../../electron/core/servers/servers.ts';
import { openVault } from '../../../electron/core/vault/credentials.ts';
import { httpBrowser } from '../../fixtures/browser.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { until } from '../../fixtures/wait.ts';
import { commandFailure, startCompanyRig, stateOf } from '../../fixtures/company-rig.ts';

const closing = closeAfterEach();

describe('a sign-in at a company', () => {
  it('signs in to two servers with one page in the browser', async () => {
    const rig = await startCompanyRig(closing);
    const [a, b] = [await rig.add('a'), await rig.add('b')];
    expect(await rig.signIn('a')).toBe('signed_in');
    expect(await rig.signIn('b')).toBe('signed_in');
    expect(rig.browser.openings).toBe(1);
    expect([await rig.call('a', a), await rig.call('b', b)]).toEqual([200, 200]);
    expect(rig.product.app.status.current().servers.map(({ identity }) => identity)).toEqual(['ada', 'ada']);
    expect(rig.company.idp.counts).toMatchObject({ authorizations: 1, codeExchangesGranted: 1, refreshes: 0 });
    expect(rig.company.exchanges.map(({ params }) => [params['audience'], params['resource']])).toEqual([
      [a.as.issuer, a.mcp.url],
      [b.as.issuer, b.mcp.url],
    ]);
  });

  it('sends a standard OpenID Connect request with PKCE, state, nonce and a loopback redirect', async () => {
    const rig = await startCompanyRig(closing);
    await rig.add('a');
    await rig.signIn('a');
    const request = Object.fromEntries(rig.company.idp.seen.authorize[0] ?? []);
    expect(request).toMatchObject({
      client_id: rig.company.clientId,
      response_type: 'code',
      scope: 'openid offline_access',
      prompt: 'consent',
      code_challenge_method: 'S256',
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback\/enterprise$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(request['resource']).toBeUndefined();
  });

  it('shares one page among servers that sign in at the same time', async () => {
    let open = (): void => {};
    const waiting = new Promise<void>((resolve) => (open = resolve));
    const real = httpBrowser();
    const browser = Object.assign(Object.create(real) as typeof real, {
      open: async (url: URL | string) => {
        await waiting;
        return real.open(url);
      },
    });
    const rig = await startCompanyRig(closing, {}, browser);
    for (const name of ['a', 'b', 'c']) await rig.add(name);
    const all = ['a', 'b', 'c'].map((name) => rig.signIn(name));
    const pages = await until(() => {
      const states = ['a', 'b', 'c'].map((name) => stateOf(rig.product, name));
      const urls = states.flatMap((state) =>
        state.kind === 'signing_in' && state.step === 'browser' ? [state.url] : [],
      );
      return urls.length === 3 && urls;
    }, 'all three servers wait for the browser');
    expect(new Set(pages).size).toBe(1);
    open();
    expect(await Promise.all(all)).toEqual(['signed_in', 'signed_in', 'signed_in']);
    expect(real.openings).toBe(1);
  });

  it('continues when one server cancels it, and ends when the last one does', async () => {
    const rig = await startCompanyRig(closing, {}, httpBrowser({ neverFinish: true }));
    for (const name of ['a', 'b']) await rig.add(name);
    const [a, b] = ['a', 'b'].map((name) => commandFailure(rig.signIn(name)));
    await until(
      () =>
        ['a', 'b'].every(
          (name) => rig.state(name) === 'signing_in' && JSON.stringify(stateOf(rig.product, name)).includes('/auth?'),
        ),
      'both servers wait',
    );
    await rig.product.call('cancelSignIn', { server: 'a' });
    expect(await a).toMatchObject({ code: 'E_CANCELLED' });
    const page = until(() => rig.browser.last, 'the browser has returned');
    const redirectUrl = (await page).lastUrl;
    expect(rig.state('b')).toBe('signing_in');
    // The address that is pasted for one server completes the sign-in for all.
    await rig.product.call('finishSignIn', { server: 'b', redirectUrl });
    expect(rig.state('b')).toBe('signed_in');
    void b;

    await rig.product.call('signOut', { server: 'b' });
    const again = commandFailure(rig.signIn('a'));
    await until(() => rig.browser.openings === 2, 'the page is opened');
    await rig.product.call('cancelSignIn', { server: 'a' });
    expect(await again).toMatchObject({ code: 'E_CANCELLED' });
    expect(rig.storedItems()).toEqual([]);
    const anew = commandFailure(rig.signIn('a'));
    await until(() => rig.browser.openings === 3, 'a new page is opened');
    await rig.product.call('cancelSignIn', { server: 'a' });
    await anew;
  });

  it('refreshes the ID token once for all servers after a restart, without a browser', async () => {
    const rig = await startCompanyRig(closing);
    const [a, b] = [await rig.add('a'), await rig.add('b')];
    await rig.signIn('a');
    for (let restart = 1; restart <= 2; restart += 1) {
      await rig.restart();
      const states = await Promise.all([rig.signIn('b'), rig.call('a', a)]);
      expect(states).toEqual(['signed_in', 200]);
      expect(rig.company.idp.counts.refreshesGranted).toBe(restart);
    }
    expect(await rig.call('b', b)).toBe(200);
    expect(rig.browser.openings).toBe(1);
    expect(rig.company.idp.counts.refreshReuses).toBe(0);
  });

  it('stores the refresh token, but no ID token beside it', async () => {
    const rig = await startCompanyRig(closing);
    await rig.add('a');
    await rig.signIn('a');
    const stored = [...rig.store.items]
      .filter(([item]) => item.includes('enterprise:'))
      .map(([, value]) => value)
      .join('');
    const { refresh } = rig.company.idp.issuedTokens();
    expect(stored).toContain(refresh.at(-1));
    const idToken = String(rig.company.exchanges[0]?.params['subject_token']);
    expect([...rig.store.items.values()].join('\n')).not.toContain(idToken.slice(-40));
  });

  it('is separate for a second account, and asks the user for the account', async () => {
    const rig = await startCompanyRig(closing, { users: { ada: 'lovelace', bob: 'builder' } });
    await rig.add('a');
    await rig.signIn('a');
    const { id } = await rig.product.call('addAccount', { server: 'a', name: 'other' });
    rig.browser.options.login = { user: 'bob', password: 'builder' };
    expect((await rig.product.call('signIn', { server: id })).state.kind).toBe('signed_in');
    expect(rig.company.idp.seen.authorize[1]?.get('prompt')).toBe('consent login');
    expect(rig.product.app.status.current().servers.map(({ identity }) => identity)).toEqual(['ada', 'bob']);
  });

  it('rejects the same person for two accounts of a server, and stores nothing of the second', async () => {
    const rig = await startCompanyRig(closing);
    await rig.add('a');
    await rig.signIn('a');
    const { id } = await rig.product.call('addAccount', { server: 'a', name: 'other' });
    const before = rig.storedItems();
    expect(await commandFailure(rig.product.call('signIn', { server: id }))).toMatchObject({ code: 'E_ACCOUNT_OTHER' });
    expect(rig.storedItems()).toEqual(before);
    expect(await rig.signIn('a')).toBe('signed_in');
  });

  it('repeats a refresh that a crash interrupted, once, at the start', async () => {
    const rig = await startCompanyRig(closing);
    await rig.add('a');
    await rig.signIn('a');
    const { dataDir } = rig.product;
    await rig.restart(async () => {
      const clock = systemClock();
      const log = createLog(
        () => {},
        () => clock.now(),
      );
      const { installId } = await openServers({ dataDir, clock, log, macs: undefined });
      const vault = await openVault({ store: rig.store, dataDir, installId, clock, log });
      const [id = ''] = vault.ids().filter((known) => known.startsWith('enterprise:'));
      expect((await vault.openJournal(id, 1)).kind).toBe('done');
    });
    await until(() => rig.company.idp.counts.refreshesGranted === 1, 'the refresh');
    const { log } = rig.product;
    await rig.restart();
    // Only the company's token source refreshes it.
    expect(log.filter((line) => line.includes('"refreshed"'))).toHaveLength(1);
    expect(log.join('')).not.toContain('refresh_failed');
    expect(rig.company.idp.counts.refreshReuses).toBe(0);
  });
});
