import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { sameSite } from '../../../electron/core/http/same-site.ts';
import {
  endpointHosts,
  needsConfirmation,
  type Trust,
} from '../../../electron/core/oauth/authorization/endpoint-hosts.ts';
import { createFakeStore } from '../../fixtures/fake-store.ts';
import type { EndpointHost } from '../../../shared/model.ts';
import { hostTexts } from '../../../shared/sign-in-hosts.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';
import { startSignInRig } from '../../fixtures/sign-in-rig.ts';
import { startSite, type Site } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';
import type { AuthorizationServer } from '../../../electron/core/oauth/model.ts';

const closing = closeAfterEach();
const metadata = (more: Record<string, unknown> = {}): AuthorizationServer => ({
  issuer: 'https://login.honest.example',
  authorization_endpoint: 'https://login.honest.example/authorize',
  token_endpoint: 'https://api.honest.example/token',
  ...more,
});
const asks = (
  server: AuthorizationServer,
  more: Partial<Trust> = {},
  way: Parameters<typeof endpointHosts>[1] = 'page',
) => needsConfirmation(endpointHosts(server, way), { named: server.issuer, preset: undefined, confirmed: [], ...more });

describe('hosts of one site', () => {
  it.each([
    ['mcp.notion.com', 'api.notion.com', true],
    ['honest.co.uk', 'evil.co.uk', false],
    ['alice.github.io', 'mallory.github.io', false],
    ['a.pages.dev', 'b.pages.dev', false],
    ['honest.example', 'honest.example.evil.example', false],
    ['honest.example', 'evilhonest.example', false],
    ['idp', 'idp', true],
    ['idp', 'other', false],
    ['10.0.0.1', '10.0.0.2', false],
    ['127.0.0.1', 'localhost', true],
    ['127.0.0.1', '127.0.0.3', false],
    ['[2001:db8::1]', '[2001:db8::2]', false],
  ])('%s and %s: %s', (one, other, same) => {
    expect(sameSite(one, other)).toBe(same);
    expect(sameSite(other, one)).toBe(same);
  });
});

describe('the question where a sign-in leads', () => {
  it('is not asked for endpoints of one site', () => {
    expect(asks(metadata())).toBe(false);
  });

  it.each([
    'authorization_endpoint',
    'token_endpoint',
    'pushed_authorization_request_endpoint',
    'registration_endpoint',
    'revocation_endpoint',
    'introspection_endpoint',
    'userinfo_endpoint',
  ])('is asked for a %s at a third host', (name) => {
    expect(asks(metadata({ [name]: 'https://mallory.example/x' }))).toBe(true);
  });

  it('is asked for a device authorization endpoint at a third host, where that is the way', () => {
    const server = metadata({ device_authorization_endpoint: 'https://mallory.example/device' });
    expect([asks(server, {}, 'device'), asks(server, {}, 'page')]).toEqual([true, false]);
  });

  it('is asked where the issuer alone belongs to somebody else', () => {
    expect(asks(metadata({ issuer: 'https://mallory.example' }))).toBe(true);
  });

  const google = {
    issuer: 'https://accounts.google.com',
    authorization_endpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    token_endpoint: 'https://oauth2.googleapis.com/token',
    userinfo_endpoint: 'https://openidconnect.googleapis.com/v1/userinfo',
  };

  it('is not asked for the hosts that a preset knows as one provider’s', () => {
    expect(asks(google)).toBe(false);
    expect(
      asks({
        issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A',
        authorization_endpoint: 'https://x.auth.eu-west-1.amazoncognito.com/a',
        token_endpoint: 'https://x.auth.eu-west-1.amazoncognito.com/t',
      }),
    ).toBe(false);
  });

  it('is asked all the same where the preset is switched off, was chosen by its name, or does not know the host', () => {
    expect(asks(google, { preset: 'none' })).toBe(true);
    expect(
      asks(
        { ...google, issuer: 'https://mallory.example', token_endpoint: 'https://mallory.example/t' },
        { preset: 'google' },
      ),
    ).toBe(true);
    expect(asks({ ...google, token_endpoint: 'https://mallory.googleapis.com/token' })).toBe(true);
    expect(asks({ ...google, token_endpoint: 'https://oauth2.googleapis.com:444/token' })).toBe(true);
  });

  it('is answered for exactly these hosts of this issuer', () => {
    const server = metadata({ token_endpoint: 'https://tokens.example/t' });
    const confirmed = [endpointHosts(server, 'page')];
    expect(asks(server, { confirmed })).toBe(false);
    expect(asks({ ...server, token_endpoint: 'https://login.tokens.example/t' }, { confirmed })).toBe(true);
    expect(asks({ ...server, revocation_endpoint: 'https://tokens.example/r' }, { confirmed })).toBe(true);
    expect(asks({ ...server, authorization_endpoint: 'https://tokens.example/a' }, { confirmed })).toBe(true);
    expect(asks({ ...server, issuer: 'https://login.honest.example/other' }, { confirmed })).toBe(true);
  });

  it('names the page, who gets the sign-in, and each other host once', () => {
    const { hosts } = endpointHosts(
      metadata({
        token_endpoint: 'https://tokens.example/t',
        registration_endpoint: 'https://third.example/r',
        revocation_endpoint: 'https://third.example/x',
      }),
      'page',
    );
    expect(hostTexts(hosts)).toEqual([
      'you sign in at login.honest.example',
      'the sign-in is sent to tokens.example',
      'Keybridge registers at third.example',
    ]);
  });
});

/**
 * An MCP server and authorization server at 127.0.0.1 whose token endpoint is at `tokens`, another owner's as far as
 * one can tell.
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

describe('a confirmed sign-in', () => {
  it('asks once; when the token endpoint moves to another host it asks again, or is refused where nobody can be asked', async () => {
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

  it('does not send a refresh token to a host that the person has not confirmed', async () => {
    const { tokens, url } = await split();
    const [store, dataDir] = [createFakeStore(), await mkdtemp(path.join(os.tmpdir(), 'keybridge-hosts-'))];
    closing.push(() => rm(dataDir, { recursive: true, force: true }));
    const before = await startProduct({ store, dataDir });
    await before.call('addServer', { url, name: 'work' });
    await confirmed(before, 'work');
    expect((await before.call('refreshNow', { server: 'work' })).state.kind).toBe('signed_in');
    const seen = tokens.hits.length;
    await before.close();

    // Another program has taken the answer out of the list, and the person has accepted that.
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
    await confirmed(after, 'work');
    expect((await after.call('refreshNow', { server: 'work' })).state.kind).toBe('signed_in');
  });
});

describe('where there is no page in the metadata', () => {
  it('a company’s identity provider whose token endpoint lies elsewhere gets no code before somebody has said yes', async () => {
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
    const asked = await until(() => questionOf(product, 'work'), 'the question');
    expect(asked).toContainEqual({ what: 'token', host: new URL(tokens.origin).host });
    await product.call('confirmSignIn', { server: 'work', hosts: [...asked] });
    await until(
      () => JSON.stringify(product.app.status.current()).includes(`${idp.origin}/authorize`),
      'the page of the company',
    );
    await product.call('cancelSignIn', { server: 'work' });
    expect(await ended).toBe('E_CANCELLED');
  });

  it('a device code is not asked to be entered at somebody else’s page before the person has said yes', async () => {
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

/** Signs in, and says yes when asked. */
async function confirmed(product: Product, server: string): Promise<void> {
  const ended = product.call('signIn', { server, canAsk: true });
  const hosts = await until(() => questionOf(product, server), 'the question');
  await product.call('confirmSignIn', { server, hosts: [...hosts] });
  await ended;
}
