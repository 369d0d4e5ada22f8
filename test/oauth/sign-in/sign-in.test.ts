import { describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import { secretKeyOf } from '../../../electron/core/servers/server.ts';
import { startAuthorizationServer } from '../../fixtures/authorization-server.ts';
import { withParameter } from '../../fixtures/browser.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { redirectUriOf, startFaultySignIn } from '../../fixtures/faulty-sign-in.ts';
import { isReachable } from '../../fixtures/redirect-listener.ts';
import { startSignInRig } from '../../fixtures/sign-in-rig.ts';
import { startSite } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';

const closing = closeAfterEach();

async function openRig() {
  const login = await startSignInRig();
  closing.push(() => login.close());
  return login;
}

describe('a sign-in', () => {
  it('runs from discovery to a stored credential, and opens the browser once', async () => {
    const { login, remote, server, start, credential } = await startFaultySignIn(closing);
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
    const page = await until(() => login.browser.last, 'the page has loaded');
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('Signed in to server-0') });
  });

  it('sends PKCE S256, 256 bits of state, the exact resource and the scopes', async () => {
    const { login, remote, start } = await startFaultySignIn(closing);
    await start();
    const request = new URL(login.opened[0] ?? '').searchParams;
    expect(Object.fromEntries(request)).toEqual({
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
    expect(remote.seen.token[0]).toMatchObject({ resource: remote.url, redirect_uri: request.get('redirect_uri') });
    const other = await startFaultySignIn(closing);
    await other.start();
    expect(new URL(other.login.opened[0] ?? '').searchParams.get('state')).not.toBe(request.get('state'));
  });

  it('works with the login and consent pages of a real authorization server', async () => {
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
    const login = await openRig();
    const server = await login.add(`${mcp.origin}/mcp`);
    await login.signIns.start(server.id, { openBrowser: true });
    expect(auth.counts).toMatchObject({ registrations: 1, loginPages: 1, codeExchangesGranted: 1 });
    expect(login.vault.facts(server.id)).toMatchObject({ issuer: auth.issuer, renewable: true });
    expect(auth.seen.register[0]).toMatchObject({
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
    });
  });

  it('listens before the browser opens, and closes the port when it ends', async () => {
    const seen: boolean[] = [];
    const { login, start } = await startFaultySignIn(closing, {
      openBrowser: async (url, browser) => {
        seen.push(await isReachable(Number(new URL(redirectUriOf(url.href)).port)));
        void browser.open(url).catch(() => {});
      },
    });
    await start();
    expect(seen).toEqual([true]);
    const { port } = new URL(redirectUriOf(login.opened[0]));
    await until(async () => !(await isReachable(Number(port))), 'the port is closed');
  });

  it('runs once for a server, however often it is started', async () => {
    const { login, remote, start, server } = await startFaultySignIn(closing);
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

  it('reuses the registration and the port of the last sign-in', async () => {
    const { login, remote, start } = await startFaultySignIn(closing);
    await start();
    await start();
    expect(remote.counts).toMatchObject({ registrations: 1, codeExchanges: 2 });
    expect(redirectUriOf(login.opened[1])).toBe(redirectUriOf(login.opened[0]));
  });

  it('stores the access token if there is no refresh token', async () => {
    const { remote, start, credential } = await startFaultySignIn(closing, { scenario: 'token-null-refresh' });
    await start();
    const kept = await credential();
    expect(kept?.refreshToken).toBeUndefined();
    expect(remote.secrets()).toContain(kept?.accessToken?.reveal());
    expect(kept?.expiresAt).toBeGreaterThan(Date.now());
  });

  it('TR11: stores the scopes that were granted', async () => {
    const { start, credential } = await startFaultySignIn(closing, { scenario: 'token-scope-less' });
    await start();
    expect(await credential()).toMatchObject({
      requestedScopes: ['mcp:tools', 'offline_access'],
      grantedScopes: ['mcp:read'],
    });
  });

  it('does not register a client if the user entered a client ID and secret', async () => {
    const { login, remote, server, start, credential } = await startFaultySignIn(closing, {
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

  it('requests the earlier scopes and the new ones when a server requires more access', async () => {
    const { login, remote, start, credential } = await startFaultySignIn(closing);
    await start();
    login.learned.challenge = { scope: 'mcp:admin', error: 'insufficient_scope' };
    login.learned.extraScopes = ['mcp:admin'];
    await start();
    expect(remote.seen.authorize[1]?.get('scope')).toBe('mcp:tools offline_access mcp:admin');
    expect((await credential())?.requestedScopes).toEqual(['mcp:tools', 'offline_access', 'mcp:admin']);
  });

  it('fails with E_NO_SIGN_IN if the server requires none', async () => {
    const login = await openRig();
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

  it('leaves no secret in the log, the stored facts or the list', async () => {
    const { login, remote, start, server } = await startFaultySignIn(closing);
    await start();
    login.browser.options = { tamper: withParameter('error', 'x') };
    await failure(start());
    const texts = JSON.stringify([login.log, login.servers.list(), login.vault.facts(server.id)]);
    const states = remote.seen.authorize.map((request) => request.get('state') ?? '');
    for (const secret of [...remote.secrets(), ...states]) expect(texts).not.toContain(secret);
    expect(remote.secrets().length).toBeGreaterThan(3);
  });
});
