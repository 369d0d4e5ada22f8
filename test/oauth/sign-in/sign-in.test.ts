import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../electron/core/base/errors.ts';
import { authorizationRequest } from '../../../electron/core/oauth/authorization/authorization-request.ts';
import { openAuthorizationUrl } from '../../../electron/core/oauth/authorization/open-url.ts';
import { redirectPath } from '../../../electron/core/oauth/authorization/loopback-server.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import type { ErrorCode } from '../../../shared/reply.ts';
import { withParameter } from '../../fixtures/browser.ts';
import { startAuthorizationServer } from '../../fixtures/authorization-server.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { startFaulty, type Faulty } from '../../fixtures/faulty-server.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startSignInRig, type SignInRig, type SignInRigOptions } from '../../fixtures/sign-in-rig.ts';
import { startSite } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';
import { failure } from '../../fixtures/failure.ts';
import { secretKeyOf } from '../../../electron/core/servers/server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function rig(options: SignInRigOptions = {}): Promise<SignInRig> {
  const started = await startSignInRig(options);
  closing.push(() => started.close());
  return started;
}

async function faulty(...args: Parameters<typeof startFaulty>): Promise<Faulty> {
  const started = await startFaulty(...args);
  closing.push(() => started.close());
  return started;
}

/** A rig and a faulty server that is in its list. */
async function world(
  options: SignInRigOptions & {
    scenario?: string;
    server?: Parameters<typeof startFaulty>[0];
    added?: Parameters<SignInRig['add']>[1];
  } = {},
) {
  const { scenario, server: more, added, ...rest } = options;
  const [login, remote] = [await rig(rest), await faulty({ ...more, ...(scenario === undefined ? {} : { scenario }) })];
  const server = await login.add(remote.url, added);
  const start = (openBrowser = true) => login.signIns.start(server.id, { openBrowser, canAsk: true });
  const credential = async () => {
    const read = await login.vault.read(server.id);
    return read.kind === 'found' ? read.credential : undefined;
  };
  const waitsInBrowser = () =>
    until(
      () => login.signIns.progress(server.id)?.step === 'browser' && login.opened.length > 0,
      'the browser is open',
    );
  return { login, remote, server, start, credential, waitsInBrowser };
}

const reachable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

const redirectUriOf = (opened: string | undefined) => new URL(opened ?? '').searchParams.get('redirect_uri') ?? '';

describe('a sign-in', () => {
  it('goes from discovery to a stored credential, and opens the browser once', async () => {
    const { login, remote, server, start, credential } = await world();
    await start();
    expect(login.steps.map(({ step }) => step)).toEqual(['discover', 'register', 'browser', 'exchange']);
    expect(login.opened).toHaveLength(1);
    expect(remote.counts).toMatchObject({ registrations: 1, authorizations: 1, codeExchanges: 1 });
    expect(await credential()).toMatchObject({
      issuer: remote.issuer,
      resource: remote.url,
      tokenEndpoint: `${remote.issuer}/token`,
      revocationEndpoint: `${remote.issuer}/revoke`,
      clientAuth: 'none',
      requestedScopes: ['mcp:tools', 'offline_access'],
      grantedScopes: ['mcp:tools', 'offline_access'],
    });
    expect((await credential())?.accessToken).toBeUndefined();
    expect(login.tokens.state(server.id)).toMatchObject({ kind: 'usable', renewable: true });
    expect(login.servers.find(server.id)).toMatchObject({ signInRequired: true });
    expect(login.signIns.progress(server.id)).toBeUndefined();
    const page = await until(() => login.browser.last, 'the page is there');
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('Signed in to server-0') });
  });

  it('asks with PKCE S256, 256 bits of state, the resource byte for byte and the scopes', async () => {
    const { login, remote, start } = await world();
    await start();
    const asked = new URL(login.opened[0] ?? '').searchParams;
    expect(Object.fromEntries(asked)).toEqual({
      response_type: 'code',
      client_id: 'client-1',
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback\/[0-9a-f]{12}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/),
      resource: remote.url,
      scope: 'mcp:tools offline_access',
      prompt: 'consent',
    });
    expect(remote.seen.token[0]).toMatchObject({ resource: remote.url, redirect_uri: asked.get('redirect_uri') });
    const again = await world();
    await again.start();
    expect(new URL(again.login.opened[0] ?? '').searchParams.get('state')).not.toBe(asked.get('state'));
  });

  it('works against a real authorization server, with its login and consent pages', async () => {
    const auth = await startAuthorizationServer();
    closing.push(() => auth.close());
    const mcp = await startSite();
    closing.push(() => mcp.close());
    mcp.routes['/mcp'] = (_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Bearer scope="openid mcp:tools"' }).end();
    mcp.routes['/.well-known/oauth-protected-resource/mcp'] = {
      resource: `${mcp.origin}/mcp`,
      authorization_servers: [auth.issuer],
    };
    const login = await rig();
    const server = await login.add(`${mcp.origin}/mcp`);
    await login.signIns.start(server.id, { openBrowser: true });
    expect(auth.counts).toMatchObject({ registrations: 1, loginPages: 1, codeExchangesGranted: 1 });
    expect(login.vault.facts(server.id)).toMatchObject({ issuer: auth.issuer, renewable: true });
    expect(auth.seen.register[0]).toMatchObject({
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
    });
  });

  it('has its listener up before the browser opens, and no longer than it runs', async () => {
    const seen: boolean[] = [];
    const { login, start } = await world({
      openBrowser: async (url, browser) => {
        seen.push(await reachable(Number(new URL(redirectUriOf(url.href)).port)));
        void browser.open(url).catch(() => {});
      },
    });
    await start();
    expect(seen).toEqual([true]);
    const { port } = new URL(redirectUriOf(login.opened[0]));
    await until(async () => !(await reachable(Number(port))), 'the port is closed', 1_500);
  });

  it('for one server runs once, however often it is started', async () => {
    const { login, remote, start, server } = await world();
    login.browser.options = { neverFinish: true };
    const both = Promise.allSettled([start(), start()]);
    await until(() => login.browser.visits.length > 0, 'the page is open');
    const third = start().catch((error: unknown) => error);
    await login.signIns.finish(server.id, login.browser.last?.lastUrl ?? '');
    expect((await both).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await third).toBeUndefined();
    expect(remote.counts).toMatchObject({ registrations: 1, authorizations: 1, codeExchanges: 1 });
    expect(login.opened).toHaveLength(1);
  });

  it('uses its registration and its port again the next time', async () => {
    const { login, remote, start } = await world();
    await start();
    await start();
    expect(remote.counts).toMatchObject({ registrations: 1, codeExchanges: 2 });
    expect(redirectUriOf(login.opened[1])).toBe(redirectUriOf(login.opened[0]));
  });

  it('without a refresh token keeps the access token as the credential', async () => {
    const { remote, start, credential } = await world({ scenario: 'token-null-refresh' });
    await start();
    const kept = await credential();
    expect(kept?.refreshToken).toBeUndefined();
    expect(remote.secrets()).toContain(kept?.accessToken?.reveal());
    expect(kept?.expiresAt).toBeGreaterThan(Date.now());
  });

  it('TR11: records which scopes were granted', async () => {
    const { start, credential } = await world({ scenario: 'token-scope-less' });
    await start();
    expect(await credential()).toMatchObject({
      requestedScopes: ['mcp:tools', 'offline_access'],
      grantedScopes: ['mcp:read'],
    });
  });

  it('with a client ID and secret that the user entered registers nothing', async () => {
    const { login, remote, server, start, credential } = await world({
      server: { clients: [{ client_id: 'mine', client_secret: 's:%/+ecret' }] },
    });
    await login.vault.writeClientSecret(secretKeyOf(server, 'clientSecret'), new Secret('s:%/+ecret'));
    await login.servers.update(server.id, { clientId: 'mine', hasClientSecret: true });
    await start();
    expect(remote.counts.registrations).toBe(0);
    const kept = await credential();
    expect(kept).toMatchObject({ clientId: 'mine', clientAuth: 'client_secret_basic' });
    expect(kept?.clientSecret?.reveal()).toBe('s:%/+ecret');
  });

  it('for more access asks for everything that it had, and what the server named', async () => {
    const { login, remote, start, credential } = await world();
    await start();
    login.learned.challenge = { scope: 'mcp:admin', error: 'insufficient_scope' };
    login.learned.extraScopes = ['mcp:admin'];
    await start();
    expect(remote.seen.authorize[1]?.get('scope')).toBe('mcp:tools offline_access mcp:admin');
    expect((await credential())?.requestedScopes).toEqual(['mcp:tools', 'offline_access', 'mcp:admin']);
  });

  it('to a server that asks for none says so', async () => {
    const login = await rig();
    const open = await startSite();
    closing.push(() => open.close());
    open.routes['/mcp'] = { jsonrpc: '2.0', id: 1, result: {} };
    const server = await login.add(`${open.origin}/mcp`);
    expect(await failure(login.signIns.start(server.id, { openBrowser: true }))).toMatchObject({
      code: 'E_NO_SIGN_IN',
      server: server.name,
    });
    expect(login.opened).toEqual([]);
  });

  it('leaves no secret in the log, the status or the list', async () => {
    const { login, remote, start, server } = await world();
    await start();
    login.browser.options = { tamper: withParameter('error', 'x') };
    await failure(start());
    const said = JSON.stringify([login.log, login.servers.list(), login.vault.facts(server.id)]);
    const states = remote.seen.authorize.map((asked) => asked.get('state') ?? '');
    for (const secret of [...remote.secrets(), ...states]) expect(said).not.toContain(secret);
    expect(remote.secrets().length).toBeGreaterThan(3);
  });
});

describe('bad discovery', () => {
  it.each<[string, string, ErrorCode]>([
    ['DM01', 'as-issuer-mismatch', 'E_ISSUER_MISMATCH'],
    ['DM02', 'as-issuer-slash', 'E_ISSUER_MISMATCH'],
    ['DM03', 'as-authz-file', 'E_ENDPOINT_REFUSED'],
    ['DM04', 'as-authz-javascript', 'E_ENDPOINT_REFUSED'],
    ['DM04', 'as-authz-data', 'E_ENDPOINT_REFUSED'],
    ['DM05', 'as-authz-shell-scheme', 'E_ENDPOINT_REFUSED'],
    ['DM06', 'as-authz-scheme', 'E_ENDPOINT_REFUSED'],
    ['DM07', 'as-authz-flag', 'E_ENDPOINT_REFUSED'],
    ['DM07', 'as-authz-unc', 'E_ENDPOINT_REFUSED'],
    ['DM08', 'as-authz-http', 'E_ENDPOINT_REFUSED'],
    ['DM08', 'as-token-http', 'E_ENDPOINT_REFUSED'],
    ['DM09', 'as-authz-userinfo', 'E_ENDPOINT_REFUSED'],
    ['DM10', 'as-no-pkce', 'E_PKCE_UNSUPPORTED'],
    ['DM11', 'as-plain-only', 'E_PKCE_UNSUPPORTED'],
    ['DM12', 'prm-resource-mismatch', 'E_RESOURCE_MISMATCH'],
    ['DM15', 'prm-as-ssrf', 'E_ADDRESS_REFUSED'],
    ['DM17', 'prm-redirect-internal', 'E_REDIRECTED'],
    ['DM19', 'prm-redirect-loop', 'E_REDIRECTED'],
    ['DM19', 'as-redirect-loop', 'E_REDIRECTED'],
    ['DM20', 'as-redirect-cross-origin', 'E_REDIRECTED'],
    ['DM21', 'prm-huge', 'E_TOO_LARGE'],
    ['DM21', 'as-huge', 'E_TOO_LARGE'],
    ['DM24', 'prm-html', 'E_METADATA_INVALID'],
    ['DM24', 'as-html', 'E_METADATA_INVALID'],
    ['DM25', 'prm-500', 'E_HTTP_STATUS'],
    ['DM25', 'as-500', 'E_HTTP_STATUS'],
    ['DM25', 'as-404', 'E_METADATA_MISSING'],
    ['DM26', 'prm-bad-types', 'E_METADATA_INVALID'],
    ['DM26', 'as-bad-types', 'E_METADATA_INVALID'],
    ['DM26', 'prm-many-as', 'E_METADATA_MISSING'],
    ['DM26', 'as-no-code', 'E_METADATA_INVALID'],
    ['DM28', 'as-reset', 'E_CONNECTION_LOST'],
    ['DM28', 'as-truncated', 'E_CONNECTION_LOST'],
    ['DM31', 'as-down', 'E_CONNECT'],
    ['DM32', 'prm-no-as', 'E_METADATA_INVALID'],
  ])('%s: %s ends with %s before anything is registered, opened or stored', async (_, scenario, code) => {
    const { login, remote, server, start, credential } = await world({ scenario });
    const error = await failure(start());
    expect(error).toMatchObject({ code, server: server.name });
    expect(error.message.length).toBeLessThanOrEqual(300);
    expect(login.opened).toEqual([]);
    expect(remote.counts).toMatchObject({ registrations: 0, authorizations: 0, codeExchanges: 0 });
    expect([remote.internalHits, remote.evilHits]).toEqual([0, 0]);
    expect(await credential()).toBeUndefined();
    // That it wants a sign-in, and where it lies, may have been learned.
    expect({ ...login.servers.find(server.id), signInRequired: false, networks: [] }).toEqual(server);
  });

  it('DM23: metadata that drips for ever ends at the total deadline of 15 s', { timeout: 40_000 }, async () => {
    const started = performance.now();
    const worlds = await Promise.all(['as-slow', 'prm-slow'].map((scenario) => world({ scenario })));
    const errors = await Promise.all(worlds.map(({ start }) => failure(start())));
    expect(errors.map(({ code }) => code)).toEqual(['E_TIMEOUT', 'E_TIMEOUT']);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(worlds.flatMap(({ login }) => login.opened)).toEqual([]);
  });

  it.each([
    'prm-cross-origin',
    'prm-ssrf',
    'www-auth-garbage',
    'www-auth-huge',
    'prm-resource-parent',
    'prm-ui-injection',
  ])(
    'DM13 DM14 DM15 DM29 DM30 DM36: %s does no harm: the sign-in goes on, and nobody else hears of it',
    async (scenario) => {
      const { remote, start, credential } = await world({ scenario });
      await start();
      expect(await credential()).toBeDefined();
      expect([remote.internalHits, remote.evilHits]).toEqual([0, 0]);
    },
  );

  it('DM05: shell characters reach the browser only as a URL writes them', async () => {
    const { login, start } = await world({ scenario: 'as-authz-shell' });
    await start();
    expect(login.opened[0]).not.toMatch(/["<>\\^`{|}\s]/);
    expect(new URL(login.opened[0] ?? '').href).toBe(login.opened[0]);
  });

  it('DM10: with the server’s own exception the sign-in goes on, still with S256', async () => {
    const { remote, start } = await world({ scenario: 'as-no-pkce', added: { allowMissingPkce: true } });
    await start();
    expect(remote.seen.authorize[0]?.get('code_challenge_method')).toBe('S256');
  });

  it('DM33: when the server moves to another authorization server, nothing old is sent to the new one', async () => {
    const { login, remote, start, credential } = await world();
    await start();
    const before = await credential();
    const secrets = remote.secrets();
    await remote.setScenario('as-migrates');
    remote.evil.answers.set('/register', (_, response) => sendJson(response, 201, { client_id: 'evil-client' }));
    login.browser.options = { neverFinish: true };
    const error = failure(start());
    await until(() => login.opened.length === 2, 'the browser opens for the new one');
    expect(new URL(login.opened[1] ?? '').searchParams.get('client_id')).toBe('evil-client');
    login.signIns.cancel((await credential())?.id ?? '');
    expect((await error).code).toBe('E_CANCELLED');
    for (const secret of secrets) expect(remote.evil.requests.join()).not.toContain(secret);
    expect(await credential()).toEqual(before);
  });

  it('DM34: a code is not sent to a token endpoint elsewhere when `iss` says otherwise', async () => {
    const { login, remote, start } = await world({ scenario: 'as-token-evil' });
    login.browser.options = { tamper: withParameter('iss', 'https://honest.example') };
    expect((await failure(start())).code).toBe('E_ISS_MISMATCH');
    expect(remote.evilHits).toBe(0);
  });
});

describe('registration in a sign-in', () => {
  it.each<[string, string, ErrorCode, number]>([
    ['RG01', 'dcr-absent', 'E_CLIENT_ID_NEEDED', 0],
    ['RG02', 'dcr-429', 'E_REGISTRATION_REFUSED', 1],
    ['RG03', 'dcr-html', 'E_HTTP_STATUS', 1],
    ['RG04', 'dcr-invalid-redirect', 'E_REGISTRATION_REFUSED', 2],
    ['RG05', 'dcr-swapped', 'E_REGISTRATION_INVALID', 1],
    ['RG05', 'dcr-empty-id', 'E_REGISTRATION_INVALID', 1],
  ])('%s: %s ends with %s after %i requests, and the port is free again', async (_, scenario, code, requests) => {
    const { login, remote, server, start } = await world({ scenario });
    const error = await failure(start());
    expect(error).toMatchObject({ code, server: server.name });
    expect(error.message).toContain(new URL(remote.issuer).host);
    expect(error.message.length).toBeLessThanOrEqual(300);
    expect(remote.counts.registrations).toBe(requests);
    expect(login.opened).toEqual([]);
    expect(login.servers.find(server.id)?.registrations).toEqual([]);
    const [shown] = /http:\/\/127\.0\.0\.1:\d+\/callback\/\w+/.exec(error.message) ?? [];
    if (code === 'E_CLIENT_ID_NEEDED') expect(shown).toBeDefined();
    if (shown) expect(await reachable(Number(new URL(shown).port))).toBe(false);
  });

  it('RG02: 429 with Retry-After: a second try before that sends nothing', async () => {
    const { remote, start } = await world({ scenario: 'dcr-429', server: { retryAfterSeconds: 60 } });
    expect(await failure(start())).toMatchObject({ code: 'E_REGISTRATION_REFUSED', retryAfterMs: 60_000 });
    expect((await failure(start())).code).toBe('E_REGISTRATION_REFUSED');
    expect(remote.counts.registrations).toBe(1);
  });

  it('RG04: a server that takes no 127.0.0.1 gets localhost, and keeps it', async () => {
    const { login, remote, start } = await world({ scenario: 'dcr-invalid-redirect', server: { lenient: true } });
    await start();
    await start();
    for (const opened of login.opened) expect(new URL(redirectUriOf(opened)).hostname).toBe('localhost');
    expect(remote.counts).toMatchObject({ registrations: 2, codeExchanges: 2 });
  });

  it('CB03: when the port of the registration is taken, another one is registered, once', async () => {
    const { login, remote, start } = await world();
    await start();
    const first = new URL(redirectUriOf(login.opened[0]));
    const squatter = createServer();
    await until(async () => !(await reachable(Number(first.port))), 'the port is free', 1_500);
    await new Promise<void>((resolve) => squatter.listen(Number(first.port), '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => squatter.close(resolve)));
    await start();
    await start();
    const [, second, third] = login.opened.map(redirectUriOf);
    expect(second).not.toBe(first.href);
    expect(third).toBe(second);
    expect(remote.counts).toMatchObject({ registrations: 2, codeExchanges: 3 });
  });

  it('CB03: with every port taken, and a client ID that was entered for them, says so', async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => squatter.close(resolve)));
    const { remote, start } = await world({
      redirectPorts: [(squatter.address() as AddressInfo).port],
      added: { clientId: 'entered' },
    });
    expect((await failure(start())).code).toBe('E_PORT_IN_USE');
    expect(remote.counts.registrations).toBe(0);
  });

  it('RG08: a server that forgot the client at its token endpoint: registered again once, signed in', async () => {
    const { login, remote, start, server } = await world();
    await start();
    const before = login.servers.find(server.id)?.registrations[0]?.client_id;
    login.browser.options = {
      tamper: (url) => {
        // Between the page and the exchange.
        if (login.opened.length === 2)
          void remote.setScenario('dcr-forgotten').then(() => remote.setScenario('healthy'));
        return url;
      },
    };
    await start();
    expect(login.opened).toHaveLength(3);
    await until(() => login.browser.visits.length === 3, 'all pages are there');
    expect(login.browser.visits.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(login.browser.visits.map(({ text }) => text).join()).toContain('registered again');
    expect(remote.counts.registrations).toBe(2);
    expect(login.servers.find(server.id)?.registrations.map(({ client_id }) => client_id)).not.toContain(before);
  });

  it('RG08: a server that forgot the client and shows that only in the browser: the next sign-in registers again', async () => {
    const { login, remote, start, server, waitsInBrowser } = await world();
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

  it('a client that was just registered is not registered again when it is refused', async () => {
    const { login, remote, start } = await world();
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
});

describe('the answer of the authorization server', () => {
  it.each<[string, string, ErrorCode]>([
    ['AR01', 'authz-wrong-iss', 'E_ISS_MISMATCH'],
    ['AR02', 'authz-missing-iss', 'E_ISS_MISMATCH'],
    ['AR03', 'authz-iss-normalized', 'E_ISS_MISMATCH'],
    ['AR04', 'authz-error-wrong-iss', 'E_ISS_MISMATCH'],
    ['AR07', 'authz-denied', 'E_SIGN_IN_DENIED'],
    ['AR08', 'authz-error-xss', 'E_AUTHORIZATION_ERROR'],
    ['AR09', 'authz-empty', 'E_AUTHORIZATION_ERROR'],
  ])('%s: %s ends with %s, and no code is sent anywhere', async (_, scenario, code) => {
    const { login, remote, server, start, credential } = await world({ scenario });
    const error = await failure(start());
    expect(error).toMatchObject({ code, server: server.name });
    expect(error.message).not.toMatch(/[\u0000-\u001f\u2028\u202e]/);
    await until(() => login.browser.visits.length > 0, 'the page is there');
    const page = login.browser.last;
    expect(page?.status).toBe(400);
    expect(page?.text).toContain(code);
    expect(page?.text).not.toContain('<script');
    if (code === 'E_ISS_MISMATCH') expect(`${page?.text} ${error.message}`).not.toMatch(/Call us|denied|127\.0\.0\.3/);
    expect(remote.counts.codeExchanges).toBe(0);
    expect([remote.internalHits, remote.evilHits]).toEqual([0, 0]);
    expect(await credential()).toBeUndefined();
  });

  it.each([
    ['AR05', 'authz-wrong-state'],
    ['AR06', 'authz-missing-state'],
    ['AR16', 'authz-fragment'],
  ])('%s: %s leaves the sign-in waiting, with a page that says so', async (_, scenario) => {
    const { login, remote, start, server } = await world({ scenario });
    const error = failure(start());
    await until(() => login.browser.visits.length > 0, 'the page is there');
    expect(login.browser.last?.status).toBe(400);
    expect(login.signIns.progress(server.id)?.step).toBe('browser');
    expect(remote.counts.codeExchanges).toBe(0);
    login.signIns.cancel(server.id);
    expect((await error).code).toBe('E_CANCELLED');
  });

  it('AR12: delivered twice leads to one token request; the second page says "already used"', async () => {
    const { login, remote, start } = await world({ scenario: 'authz-replay' });
    await start();
    await until(() => login.browser.visits.length > 0, 'the page is there');
    expect(login.browser.last).toMatchObject({ status: 410, text: expect.stringContaining('already used') });
    expect(remote.counts.codeExchanges).toBe(1);
  });

  it('AR14: a code of 12 KB works', async () => {
    const { start, credential } = await world({ scenario: 'authz-huge-code' });
    await start();
    expect(await credential()).toBeDefined();
  });

  it('AR13: that never comes: cancel ends the sign-in at once, and the port is closed', async () => {
    const { login, start, server, waitsInBrowser } = await world({ scenario: 'authz-never' });
    const error = failure(start());
    await waitsInBrowser();
    login.signIns.cancel(server.id);
    expect(login.signIns.progress(server.id)).toBeUndefined();
    expect(await error).toMatchObject({ code: 'E_CANCELLED', server: server.name });
    const { port } = new URL(redirectUriOf(login.opened[0]));
    await until(async () => !(await reachable(Number(port))), 'the port is closed', 1_500);
  });

  it('AR13: that never comes: the sign-in ends after ten minutes', async () => {
    const clock = createFakeClock();
    const { start, waitsInBrowser } = await world({ scenario: 'authz-never', clock });
    const error = failure(start());
    await waitsInBrowser();
    await clock.advance(10 * 60 * 1000 - 1);
    await clock.advance(1);
    expect((await error).code).toBe('E_SIGN_IN_TIMEOUT');
    expect(clock.pending).toBe(0);
  });

  it('AR15: that comes after a cancel is not redeemed', async () => {
    const { login, remote, start, server } = await world();
    login.browser.options = { neverFinish: true };
    const error = failure(start());
    const late = (await until(() => login.browser.last, 'the page is there')).lastUrl;
    login.signIns.cancel(server.id);
    await error;
    const page = await fetch(late);
    expect(page.status).toBe(410);
    expect(await page.text()).toContain('has ended');
    expect((await failure(login.signIns.finish(server.id, late))).code).toBe('E_REDIRECT_URL');
    expect(remote.counts.codeExchanges).toBe(0);
  });

  it('AR15: a cancel while the code is exchanged stores nothing', async () => {
    const { login, start, server, credential } = await world({ scenario: 'token-hang' });
    const error = failure(start());
    await until(() => login.signIns.progress(server.id)?.step === 'exchange', 'the exchange has begun');
    login.signIns.cancel(server.id);
    expect((await error).code).toBe('E_CANCELLED');
    expect(await credential()).toBeUndefined();
  });

  it('AR17: of two sign-ins, swapped, is given to neither', async () => {
    const login = await rig();
    const [a, b] = [await faulty(), await faulty()];
    login.browser.options = { neverFinish: true };
    const [one, two] = [await login.add(a.url), await login.add(b.url)];
    const ends = [one, two].map(({ id }) => failure(login.signIns.start(id, { openBrowser: true })));
    await until(() => login.browser.visits.length === 2, 'both pages are there');
    const [first, second] = login.browser.visits.map(({ lastUrl }) => new URL(lastUrl));
    if (!first || !second) throw new Error('no visits');
    expect(first.pathname).not.toBe(second.pathname);
    for (const [target, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const swapped = new URL(target);
      swapped.search = other.search;
      expect((await fetch(swapped)).status).toBe(400);
      expect((await fetch(new URL(`${other.pathname}${other.search}`, target.origin))).status).toBe(404);
    }
    expect(login.signIns.progress(one.id)?.step).toBe('browser');
    expect(login.signIns.progress(two.id)?.step).toBe('browser');
    expect([a.counts.codeExchanges, b.counts.codeExchanges]).toEqual([0, 0]);
    login.signIns.cancel(one.id);
    login.signIns.cancel(two.id);
    await Promise.all(ends);
  });

  it('CB09: a sign-in after one that was left waiting works, on the same port', async () => {
    const { login, start, server } = await world();
    login.browser.options = { neverFinish: true };
    const left = failure(start());
    await until(() => login.browser.visits.length > 0, 'the page is there');
    login.signIns.cancel(server.id);
    login.browser.options = {};
    await start();
    expect((await left).code).toBe('E_CANCELLED');
    expect(redirectUriOf(login.opened[1])).toBe(redirectUriOf(login.opened[0]));
  });
});

describe('the browser', () => {
  it('CB10: that cannot be opened leaves the address in the status and not in the log; the sign-in waits', async () => {
    const { login, start, server } = await world({
      openBrowser: async () => Promise.reject(new AppError('E_BROWSER', 'There is no browser.')),
    });
    const done = start();
    const shown = await until(() => {
      const progress = login.signIns.progress(server.id);
      return progress?.browserFailed && progress.url;
    }, 'the status says so');
    expect(login.log.join('')).toContain('browser_failed');
    expect(login.log.join('')).not.toContain(new URL(shown).searchParams.get('state') ?? '-');
    await login.browser.open(shown);
    await done;
  });

  it('is not opened when the caller wants to do that', async () => {
    const { login, start, server } = await world();
    const done = start(false);
    const url = await until(() => login.signIns.progress(server.id)?.url, 'the address is there');
    expect(login.opened).toEqual([]);
    await login.browser.open(url);
    await done;
  });

  it('on another computer: the pasted address ends the sign-in', async () => {
    const { login, remote, start, server, credential } = await world();
    login.browser.options = { neverFinish: true };
    const done = start();
    const { lastUrl } = await until(() => login.browser.last, 'the page is there');
    for (const wrong of [
      'nonsense',
      'https://example.com/?code=secret-code',
      lastUrl.replace('state=', 'state=x'),
      lastUrl.replace('/callback/', '/other/'),
    ]) {
      const error = await failure(login.signIns.finish(server.id, wrong));
      expect(error.code).toBe('E_REDIRECT_URL');
      expect(error.message).not.toContain('secret-code');
    }
    await login.signIns.finish(server.id, `  ${lastUrl}\n`);
    await done;
    expect(await credential()).toBeDefined();
    expect(remote.counts.codeExchanges).toBe(1);
    expect((await failure(login.signIns.finish(server.id, lastUrl))).code).toBe('E_REDIRECT_URL');
  });

  it.each([
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://example.com/',
    'https://user@example.com/',
    'ms-msdt:/x',
    'vscode://x',
  ])('DM03 DM04 DM06: is never given %s', (text) => {
    const opened: URL[] = [];
    expect(() => openAuthorizationUrl(async (url) => void opened.push(url), new URL(text))).toThrow(AppError);
    expect(opened).toEqual([]);
  });

  it('gets an address in which nothing that is ours stands twice', async () => {
    const { url } = await authorizationRequest({
      authorizationServer: {
        issuer: 'https://a.example',
        authorization_endpoint:
          'https://a.example/authorize?resource=theirs&tenant=1&redirect_uri=https://evil.example&state=x&client_id=y&code_challenge_method=plain',
        token_endpoint: 'https://a.example/token',
      },
      clientId: 'me',
      redirectUri: 'http://127.0.0.1:1/callback/x',
      resource: 'HTTPS://Mcp.example/a b',
      scopes: [],
    });
    const counts = [...url.searchParams.keys()].toSorted();
    expect(counts).toEqual([...new Set(counts)]);
    expect(url.searchParams.get('resource')).toBe('HTTPS://Mcp.example/a b');
    expect(url.searchParams.get('tenant')).toBe('1');
    expect(url.searchParams.has('scope')).toBe(false);
    expect(url.searchParams.has('prompt')).toBe(false);
  });
});

describe('the token answer', () => {
  it.each<[string, string, ErrorCode]>([
    ['TR01', 'token-html', 'E_NOT_JSON'],
    ['TR02', 'token-500', 'E_HTTP_STATUS'],
    ['TR04', 'token-huge', 'E_TOO_LARGE'],
    ['TR05', 'token-missing', 'E_TOKEN_RESPONSE'],
    ['TR05', 'token-not-a-string', 'E_TOKEN_RESPONSE'],
    ['TR06', 'token-type-mac', 'E_TOKEN_RESPONSE'],
    ['TR07', 'token-crlf', 'E_TOKEN_RESPONSE'],
    ['TR07', 'token-nul', 'E_TOKEN_RESPONSE'],
    ['TR07', 'token-nonascii', 'E_TOKEN_RESPONSE'],
    ['TR09', 'token-redirect-307', 'E_REDIRECTED'],
    ['TR10', 'token-error-200', 'E_TOKEN_REFUSED'],
    ['TR14', 'token-reset', 'E_CONNECTION_LOST'],
  ])(
    '%s: %s ends with %s; the code was sent once, nothing is stored, and the page says so',
    async (_, scenario, code) => {
      const { login, remote, start, credential } = await world({ scenario });
      const error = await failure(start());
      expect(error.code).toBe(code);
      expect(remote.counts.codeExchanges).toBe(1);
      expect(remote.evilHits).toBe(0);
      expect(await credential()).toBeUndefined();
      await until(() => login.browser.visits.length > 0, 'the page is there');
      expect(login.browser.last?.text).toContain('Could not sign in');
      const said = JSON.stringify([error.message, login.browser.last?.text, login.log]);
      for (const secret of remote.secrets()) expect(said).not.toContain(secret);
    },
  );

  it.each([-1, 0, 1e300, '3600', null, undefined])(
    'TR08: expires_in %j is taken for what it is worth',
    async (expiresIn) => {
      const { start, credential } = await world({ scenario: 'token-expires-weird', server: { expiresIn } });
      await start();
      expect(await credential()).toBeDefined();
    },
  );

  it('TR12: tokens of 12 KB and 4 KB are kept byte for byte', async () => {
    const { remote, start, credential } = await world({ scenario: 'token-long' });
    await start();
    const kept = (await credential())?.refreshToken?.reveal() ?? '';
    expect(kept).toHaveLength(4_000);
    expect(remote.secrets()).toContain(kept);
  });

  it('TR13: 429 is tried once more, not early', async () => {
    const { remote, start } = await world({ scenario: 'token-429' });
    const started = performance.now();
    await start();
    expect(remote.counts).toMatchObject({ codeExchanges: 2, early: 0 });
    expect(performance.now() - started).toBeGreaterThan(950);
  });

  it('that cannot be stored is told, in the page too', async () => {
    const { login, start } = await world({
      beforeAdopt: () => Promise.reject(new AppError('E_STORE_LOCKED', 'The keychain is locked.')),
    });
    expect((await failure(start())).code).toBe('E_STORE_LOCKED');
    await until(() => login.browser.visits.length > 0, 'the page is there');
    expect(login.browser.last?.text).toContain('The keychain is locked.');
  });
});

describe('two authorization servers', () => {
  it('CB08: have paths of their own', () => {
    expect(redirectPath('https://a.example')).not.toBe(redirectPath('https://b.example'));
  });

  it('an invalid_scope for a registration of before leads to a new one with the new scopes, once', async () => {
    const { login, remote, start } = await world();
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
