import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { createHttp } from '../../../electron/core/http/client.ts';
import { deviceCode } from '../../../electron/core/oauth/token-endpoint/device-authorization.ts';
import { introspect } from '../../../electron/core/oauth/inspection/introspection.ts';
import { registerClient } from '../../../electron/core/oauth/registration/registration-request.ts';
import { pushedRequest } from '../../../electron/core/oauth/authorization/pushed-request.ts';
import { exchangeCode, refresh, revoke } from '../../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { failure } from '../../fixtures/failure.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startSite, type Site } from '../../fixtures/site.ts';
import type { Http } from '../../../electron/core/http/http.ts';
import type { TokenClient } from '../../../electron/core/oauth/model.ts';

// Web frameworks respond to a path without its trailing slash with 307 or 308, before they read the request.

let http: Http;
let site: Site;
let elsewhere: Site;
beforeEach(async () => {
  http = createHttp();
  [site, elsewhere] = [await startSite(), await startSite({ host: '127.0.0.2' })];
});
afterEach(async () => {
  await http.close();
  await Promise.all([site.close(), elsewhere.close()]);
});

const redirect = (path: string, status: number, location: string) => {
  site.routes[path] = (_, response) => response.writeHead(status, { location }).end();
};

const client = (): TokenClient => ({
  issuer: site.origin,
  tokenEndpoint: `${site.origin}/token`,
  revocationEndpoint: `${site.origin}/revoke`,
  introspectionEndpoint: `${site.origin}/introspect`,
  clientId: 'c1',
  clientSecret: new Secret('the-client-secret'),
  clientAuth: 'client_secret_post',
  resource: 'https://mcp.example/mcp',
  allow: ['loopback'],
});
const options = () => ({ http, clock: systemClock() });
const metadata = () => ({
  issuer: site.origin,
  authorization_endpoint: `${site.origin}/authorize`,
  token_endpoint: `${site.origin}/token`,
  pushed_authorization_request_endpoint: `${site.origin}/par`,
  require_pushed_authorization_requests: true,
});

const register = () =>
  registerClient(http, {
    endpoint: `${site.origin}/register`,
    authorizationServer: metadata(),
    allow: ['loopback'],
    redirectUri: 'http://127.0.0.1:1/cb',
    scopes: [],
  });
const tokens = { access_token: 'a', token_type: 'Bearer', refresh_token: 'r' };

const endpoints: readonly [string, string, object, () => Promise<unknown>, unknown][] = [
  ['a registration', '/register', { client_id: 'x' }, register, { kind: 'registered', client: { clientId: 'x' } }],
  [
    'a code exchange',
    '/token',
    tokens,
    () =>
      exchangeCode(
        client(),
        { code: new Secret('c'), codeVerifier: new Secret('v'.repeat(43)), redirectUri: 'http://127.0.0.1:1/cb' },
        { http },
      ),
    { accessToken: expect.anything() as unknown },
  ],
  ['a refresh', '/token', tokens, () => refresh(client(), new Secret('r'), {}, { http }), { kind: 'refreshed' }],
  ['a revocation', '/revoke', {}, () => revoke(client(), new Secret('r'), 'refresh_token', { http }), 'confirmed'],
  [
    'a device authorization',
    '/device',
    { device_code: 'd', user_code: 'U', verification_uri: 'http://127.0.0.1:1/', expires_in: 60 },
    () => deviceCode(client(), `${site.origin}/device`, [], options()),
    { userCode: 'U' },
  ],
  [
    'a pushed request',
    '/par',
    { request_uri: 'urn:x', expires_in: 60 },
    () => pushedRequest(client(), metadata(), new URL(`${site.origin}/authorize?client_id=c1&scope=a`), options()),
    { kind: 'open' },
  ],
  [
    'an introspection',
    '/introspect',
    { active: true },
    () => introspect(client(), new Secret('a'), options()),
    { active: true },
  ],
];

describe('a redirect that keeps the method', () => {
  it.each(endpoints)(
    'of %s to the same origin is followed once with the same body',
    async (_, path, body, send, expected) => {
      redirect(path, 307, `${path}/`);
      site.routes[`${path}/`] = (_request, response) => sendJson(response, 200, body);
      const outcome = await send();
      if (typeof expected === 'string') expect(outcome).toBe(expected);
      else expect(outcome).toMatchObject(expected as object);
      const [first, second, ...more] = site.hits;
      expect([first?.path, second?.path, more]).toEqual([path, `${path}/`, []]);
      expect(second).toMatchObject({
        method: 'POST',
        body: first?.body,
        headers: { 'content-type': first?.headers['content-type'] },
      });
      expect(first?.body).not.toBe('');
    },
  );

  it.each(endpoints)('of %s to another origin is not followed', async (_, path, _body, send) => {
    redirect(path, 307, `${elsewhere.origin}${path}`);
    await send().catch(() => {});
    expect(site.hits).toHaveLength(1);
    expect(elsewhere.acceptedConnections).toBe(0);
  });

  it('of a registration is also followed with 308', async () => {
    redirect('/register', 308, `${site.origin}/v2/register`);
    site.routes['/v2/register'] = { client_id: 'x' };
    expect(await register()).toMatchObject({ kind: 'registered' });
  });

  it.each([
    ['a second redirect', 307, '/again'],
    ['a redirect that changes the request to a GET', 303, '/register/'],
    ['a redirect of any kind', 302, '/register/'],
    ['a redirect to an address with a password', 307, 'http://u:p@HOST/register/'],
  ])('of a registration fails with E_REDIRECTED when it is %s', async (_, status, location) => {
    redirect('/register', status, location.replace('HOST', new URL(site.origin).host));
    redirect('/again', 307, '/register/');
    site.routes['/register/'] = { client_id: 'x' };
    expect((await failure(register())).code).toBe('E_REDIRECTED');
    expect(site.hits.filter(({ path }) => path === '/register/')).toEqual([]);
  });
});
