import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFakeStore } from '../../fixtures/fake-store.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';
import { startSignInRig } from '../../fixtures/sign-in-rig.ts';
import { startSite, type Site } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';
import type { EndpointHost } from '../../../shared/sign-in-state.ts';

const closing = closeAfterEach();
/**
 * An MCP server and authorization server at 127.0.0.1 whose token endpoint is at `tokens`, on another site. `moveTo`
 * moves the token endpoint.
 */
async function split(): Promise<{
  readonly site: Site;
  readonly tokens: Site;
  readonly url: string;
  readonly moveTo: (to: Site) => void;
}> {
  const [site, tokens] = [await startSite(), await startSite({ host: '127.0.0.3' })];
  closing.push(
    () => site.close(),
    () => tokens.close(),
  );
  const url = `${site.origin}/mcp`;
  const moveTo = (to: Site) => {
    site.routes['/.well-known/oauth-authorization-server'] = {
      issuer: site.origin,
      authorization_endpoint: `${site.origin}/authorize`,
      token_endpoint: `${to.origin}/token`,
      registration_endpoint: `${site.origin}/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    };
    to.routes['/token'] = (_, response) =>
      sendJson(response, 200, {
        access_token: 'at',
        token_type: 'Bearer',
        refresh_token: 'kb-refresh-token',
        expires_in: 3600,
      });
  };
  moveTo(tokens);
  site.routes['/mcp'] = (_, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
  site.routes['/.well-known/oauth-protected-resource/mcp'] = { resource: url, authorization_servers: [site.origin] };
  site.routes['/register'] = (_, response) => sendJson(response, 201, { client_id: 'c' });
  site.routes['/authorize'] = (_, response, { path }) => {
    const { searchParams } = new URL(path, site.origin);
    const back = new URL(searchParams.get('redirect_uri') ?? '');
    back.search = new URLSearchParams({ code: 'c1', state: searchParams.get('state') ?? '' }).toString();
    response.writeHead(302, { location: back.href }).end();
  };
  return { site, tokens, url, moveTo };
}

describe('a sign-in to hosts with different owners', () => {
  it('asks once, and again if the token endpoint moves; it fails if it may not ask', async () => {
    const { tokens, url, moveTo } = await split();
    const login = await startSignInRig();
    closing.push(() => login.close());
    const { id } = await login.add(url);
    await login.signIns.start(id, { openBrowser: true, canAsk: true });
    await login.signIns.start(id, { openBrowser: true });
    expect(login.asked).toHaveLength(1);

    const other = await startSite({ host: '127.0.0.3' });
    closing.push(() => other.close());
    moveTo(other);
    const error = await failure(login.signIns.start(id, { openBrowser: true }));
    expect(error).toMatchObject({ code: 'E_HOSTS_UNCONFIRMED', sent: false });
    expect(error.message).toContain(new URL(other.origin).host);
    expect([login.opened.length, tokens.hits.length, other.hits.length]).toEqual([2, 2, 0]);
    await login.signIns.start(id, { openBrowser: true, canAsk: true });
    expect(login.asked).toHaveLength(2);
  });

  it('does not send a refresh token to a host that the user has not confirmed', async () => {
    const { tokens, url } = await split();
    const [store, dataDir] = [createFakeStore(), await mkdtemp(path.join(os.tmpdir(), 'keybridge-hosts-'))];
    closing.push(() => rm(dataDir, { recursive: true, force: true }));
    const before = await startProduct({ store, dataDir });
    await before.call('addServer', { url, name: 'work' });
    await signInConfirming(before, 'work');
    expect((await before.call('refreshNow', { server: 'work' })).state.kind).toBe('signed_in');
    const seen = tokens.hits.length;
    await before.close();

    // Another program has removed the confirmation from the list, and the user has accepted that change.
    const file = path.join(dataDir, 'servers.json');
    const list = JSON.parse(await readFile(file, 'utf8')) as { servers: object[] };
    await writeFile(
      file,
      JSON.stringify({ ...list, servers: list.servers.map((server) => ({ ...server, confirmedHosts: undefined })) }),
    );
    const after = await startProduct({ store, dataDir });
    closing.push(() => after.close());
    await until(() => after.app.status.current().setAside?.length, 'the entry is set aside');
    await after.call('acceptServer', { server: 'work' });
    await expect(after.call('refreshNow', { server: 'work' })).rejects.toThrow('E_HOSTS_UNCONFIRMED');
    expect(after.app.status.current().servers[0]?.state).toMatchObject({
      kind: 'needs_sign_in',
      error: { code: 'E_HOSTS_UNCONFIRMED' },
    });
    expect(tokens.hits.length).toBe(seen);
    await signInConfirming(after, 'work');
    expect((await after.call('refreshNow', { server: 'work' })).state.kind).toBe('signed_in');
  });
});

describe('a sign-in whose page is not in the server’s metadata', () => {
  it('sends no code to a company’s token endpoint on another site before the user confirms it', async () => {
    const { site, tokens, url } = await split();
    const idp = await startSite();
    closing.push(() => idp.close());
    site.routes['/.well-known/oauth-authorization-server'] = {
      issuer: site.origin,
      authorization_endpoint: `${site.origin}/authorize`,
      token_endpoint: `${site.origin}/token`,
      code_challenge_methods_supported: ['S256'],
    };
    idp.routes['/.well-known/openid-configuration'] = {
      issuer: idp.origin,
      authorization_endpoint: `${idp.origin}/authorize`,
      token_endpoint: `${tokens.origin}/token`,
      code_challenge_methods_supported: ['S256'],
    };
    const product = await startProduct();
    closing.push(() => product.close());
    await product.call('addServer', {
      url,
      name: 'work',
      clientId: 'c',
      settings: { grant: 'enterprise_managed', enterprise: { issuer: idp.origin, clientId: 'desktop' } },
    });
    await expect(product.call('signIn', { server: 'work' })).rejects.toThrow('E_HOSTS_UNCONFIRMED');
    expect([product.browser.openings, tokens.hits.length]).toEqual([0, 0]);

    const ended = product
      .call('signIn', { server: 'work', canAsk: true, openBrowser: false })
      .catch((error: Error) => error.message);
    const hosts = await until(() => questionOf(product, 'work'), 'the question');
    expect(hosts).toContainEqual({ what: 'token', host: new URL(tokens.origin).host });
    await product.call('confirmSignIn', { server: 'work', hosts: [...hosts] });
    await until(
      () => JSON.stringify(product.app.status.current()).includes(`${idp.origin}/authorize`),
      'the page of the company',
    );
    await product.call('cancelSignIn', { server: 'work' });
    expect(await ended).toBe('E_CANCELLED');
  });

  it('shows no device code for a page on another site before the user confirms it', async () => {
    const { site, tokens, url } = await split();
    site.routes['/.well-known/oauth-authorization-server'] = {
      issuer: site.origin,
      authorization_endpoint: `${site.origin}/authorize`,
      token_endpoint: `${site.origin}/token`,
      device_authorization_endpoint: `${site.origin}/device`,
      registration_endpoint: `${site.origin}/register`,
      code_challenge_methods_supported: ['S256'],
    };
    site.routes['/device'] = {
      device_code: 'd',
      user_code: 'ABCD-EFGH',
      verification_uri: `${tokens.origin}/enter`,
      expires_in: 600,
      interval: 300,
    };
    const login = await startSignInRig();
    closing.push(() => login.close());
    const { id } = await login.add(url, { settings: { grant: 'device_code' } });
    expect(await failure(login.signIns.start(id, { openBrowser: true }))).toMatchObject({
      code: 'E_HOSTS_UNCONFIRMED',
    });
    expect(login.steps.some(({ userCode }) => userCode !== undefined)).toBe(false);
    const ended = failure(login.signIns.start(id, { openBrowser: true, canAsk: true }));
    await until(() => login.signIns.progress(id)?.userCode, 'the code');
    expect(login.asked.map((hosts) => hosts[0])).toEqual([{ what: 'page', host: new URL(tokens.origin).host }]);
    login.signIns.cancel(id);
    expect((await ended).code).toBe('E_CANCELLED');
  });
});

function questionOf(product: Product, server: string): readonly EndpointHost[] | undefined {
  const state = product.app.status.current().servers.find(({ name }) => name === server)?.state;
  return state?.kind === 'signing_in' ? state.confirm : undefined;
}

/** Signs in, and confirms the hosts. */
async function signInConfirming(product: Product, server: string): Promise<void> {
  const ended = product.call('signIn', { server, canAsk: true });
  const hosts = await until(() => questionOf(product, server), 'the question');
  await product.call('confirmSignIn', { server, hosts: [...hosts] });
  await ended;
}
