import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../shared/reply.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { redirectUriOf, startFaultySignIn } from '../../fixtures/faulty-sign-in.ts';
import { isReachable, occupyPort } from '../../fixtures/redirect-listener.ts';
import { until } from '../../fixtures/wait.ts';

const closing = closeAfterEach();

describe('a sign-in that registers a client', () => {
  it.each<[string, string, ErrorCode, number]>([
    ['RG01', 'dcr-absent', 'E_CLIENT_ID_NEEDED', 0],
    ['RG02', 'dcr-429', 'E_REGISTRATION_REFUSED', 1],
    ['RG03', 'dcr-html', 'E_HTTP_STATUS', 1],
    ['RG04', 'dcr-invalid-redirect', 'E_REGISTRATION_REFUSED', 2],
    ['RG05', 'dcr-swapped', 'E_REGISTRATION_INVALID', 1],
    ['RG05', 'dcr-empty-id', 'E_REGISTRATION_INVALID', 1],
  ])('%s: fails on %s with %s after %i requests, and frees its port', async (_, scenario, code, requests) => {
    const { login, remote, server, start } = await startFaultySignIn(closing, { scenario });
    const error = await failure(start());
    expect(error).toMatchObject({ code, server: server.name });
    expect(error.message).toContain(new URL(remote.issuer).host);
    expect(error.message.length).toBeLessThanOrEqual(300);
    expect(remote.counts.registrations).toBe(requests);
    expect(login.opened).toEqual([]);
    expect(login.servers.find(server.id)?.registrations).toEqual([]);
    const [shown] = /http:\/\/127\.0\.0\.1:\d+\/callback\/\w+/.exec(error.message) ?? [];
    if (code === 'E_CLIENT_ID_NEEDED') expect(shown).toBeDefined();
    if (shown) expect(await isReachable(Number(new URL(shown).port))).toBe(false);
  });

  it('RG02: sends no second request before the Retry-After of a 429', async () => {
    const { remote, start } = await startFaultySignIn(closing, {
      scenario: 'dcr-429',
      server: { retryAfterSeconds: 60 },
    });
    expect(await failure(start())).toMatchObject({ code: 'E_REGISTRATION_REFUSED', retryAfterMs: 60_000 });
    expect((await failure(start())).code).toBe('E_REGISTRATION_REFUSED');
    expect(remote.counts.registrations).toBe(1);
  });

  it('RG04: registers localhost if the server rejects 127.0.0.1, and keeps it', async () => {
    const { login, remote, start } = await startFaultySignIn(closing, {
      scenario: 'dcr-invalid-redirect',
      server: { lenient: true },
    });
    await start();
    await start();
    for (const opened of login.opened) expect(new URL(redirectUriOf(opened)).hostname).toBe('localhost');
    expect(remote.counts).toMatchObject({ registrations: 2, codeExchanges: 2 });
  });

  it('CB03: registers another port once if the registered one is in use', async () => {
    const { login, remote, start } = await startFaultySignIn(closing);
    await start();
    const first = new URL(redirectUriOf(login.opened[0]));
    await until(async () => !(await isReachable(Number(first.port))), 'the port is free');
    await occupyPort(closing, Number(first.port));
    await start();
    await start();
    const [, second, third] = login.opened.map(redirectUriOf);
    expect(second).not.toBe(first.href);
    expect(third).toBe(second);
    expect(remote.counts).toMatchObject({ registrations: 2, codeExchanges: 3 });
  });

  it('CB03: fails with E_PORT_IN_USE if all ports of a configured client ID are in use', async () => {
    const port = await occupyPort(closing);
    const { remote, start } = await startFaultySignIn(closing, {
      redirectPorts: [port],
      added: { clientId: 'entered' },
    });
    expect((await failure(start())).code).toBe('E_PORT_IN_USE');
    expect(remote.counts.registrations).toBe(0);
  });

  it('RG08: registers once more and succeeds if the token endpoint no longer knows the client', async () => {
    const { login, remote, start, server } = await startFaultySignIn(closing);
    await start();
    const before = login.servers.find(server.id)?.registrations[0]?.client_id;
    login.browser.options = {
      tamper: (url) => {
        // After the page and before the exchange.
        if (login.opened.length === 2)
          void remote.setScenario('dcr-forgotten').then(() => remote.setScenario('healthy'));
        return url;
      },
    };
    await start();
    expect(login.opened).toHaveLength(3);
    await until(() => login.browser.visits.length === 3, 'all pages have loaded');
    expect(login.browser.visits.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(login.browser.visits.map(({ text }) => text).join()).toContain('registered again');
    expect(remote.counts.registrations).toBe(2);
    expect(login.servers.find(server.id)?.registrations.map(({ client_id }) => client_id)).not.toContain(before);
  });

  it('RG08: registers again after a sign-in that got no response, because the browser showed the error', async () => {
    const { login, remote, start, server, waitsInBrowser } = await startFaultySignIn(closing);
    await start();
    await remote.setScenario('dcr-forgotten');
    await remote.setScenario('healthy');
    const stuck = failure(start());
    await until(() => login.opened.length === 2, 'the browser is open');
    await waitsInBrowser();
    login.signIns.cancel(server.id);
    expect((await stuck).code).toBe('E_CANCELLED');
    await start();
    expect(remote.counts).toMatchObject({ registrations: 2, codeExchanges: 2 });
  });

  it('does not register again if a client is refused that was just registered', async () => {
    const { login, remote, start } = await startFaultySignIn(closing);
    login.browser.options = {
      tamper: (url) => {
        void remote.setScenario('dcr-forgotten').then(() => remote.setScenario('healthy'));
        return url;
      },
    };
    expect((await failure(start())).code).toBe('E_CLIENT_REFUSED');
    expect(remote.counts.registrations).toBe(1);
    expect(login.opened).toHaveLength(1);
  });

  it('registers the new scopes once if the server answers invalid_scope to an earlier registration', async () => {
    const { login, remote, start } = await startFaultySignIn(closing);
    await start();
    let refusals = 0;
    login.browser.options = {
      tamper: (url) => {
        if (refusals++ > 0) return url;
        url.searchParams.delete('code');
        url.searchParams.set('error', 'invalid_scope');
        return url;
      },
    };
    login.learned.extraScopes = ['mcp:admin'];
    await start();
    expect(remote.counts.registrations).toBe(2);
    expect(login.opened).toHaveLength(3);
    expect(JSON.stringify(remote.seen.register.at(-1))).toContain('mcp:admin');
  });
});
