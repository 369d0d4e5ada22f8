import { describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import { createGrants } from '../../../electron/core/oauth/grants/grants.ts';
import { createTokenViews } from '../../../electron/core/oauth/inspection/token-view.ts';
import { introspectionEndpoint } from '../../../electron/core/oauth/token-endpoint/token-client.ts';
import { firstCredential } from '../../fixtures/access-tokens-rig.ts';
import { startAuthorizationServer } from '../../fixtures/authorization-server.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { createDetailRig, unsignedAccessToken } from '../../fixtures/detail-rig.ts';
import { noCompanies } from '../../fixtures/no-companies.ts';
import { startOpenidSite, type OpenidOptions } from '../../fixtures/openid-site.ts';
import { createScriptedHttp } from '../../fixtures/scripted-http.ts';
import { startSite, type Route } from '../../fixtures/site.ts';

const closing = closeAfterEach();
const { signedIn, product } = createDetailRig(closing);
const seconds = (ms: number) => Math.floor(ms / 1000);

describe('introspection of an opaque access token', () => {
  const withIntrospection = async (route: Route, options: OpenidOptions = {}) => {
    const site = await startOpenidSite(options);
    site.routes['/.well-known/oauth-authorization-server'] = {
      ...(site.routes['/.well-known/oauth-authorization-server'] as object),
      introspection_endpoint: `${site.issuer}/introspect`,
    };
    site.routes['/introspect'] = route;
    return { site, ...(await signedIn(site)) };
  };

  it('shows only active, scope, user name and expiry of the response', async () => {
    const { site, app, detail } = await withIntrospection({
      active: true,
      scope: 'read',
      username: 'ada',
      exp: 1_900_000_000,
      email: 'not for display',
    });
    expect(site.hitsAt('/introspect')).toEqual([]);
    expect((await detail()).introspection).toEqual({
      active: true,
      claims: { scope: 'read', username: 'ada', exp: '1900000000' },
    });
    const [hit] = site.hitsAt('/introspect');
    expect([hit?.method, Object.fromEntries(new URLSearchParams(hit?.body))]).toEqual([
      'POST',
      { token: expect.stringMatching(/^kb-access-/), token_type_hint: 'access_token', client_id: 'client-1' },
    ]);
    for (const secret of site.secrets) expect(app.log.join('')).not.toContain(secret);
  });

  it('sends one request for each token, however often the detail is shown', async () => {
    const { site, app, detail } = await withIntrospection({ active: true });
    await Promise.all([detail(), detail()]);
    await detail();
    expect(site.hitsAt('/introspect')).toHaveLength(1);
    await app.call('refreshNow', { server: 'tools' });
    await detail();
    expect(site.hitsAt('/introspect')).toHaveLength(2);
  });

  it('adds a note for an inactive token, which is used nevertheless', async () => {
    const { detail } = await withIntrospection({ active: false });
    expect(await detail()).toMatchObject({
      status: { state: { kind: 'signed_in' } },
      introspection: { active: false, claims: {} },
      tokenNotes: [expect.stringMatching(/no longer valid/)],
    });
  });

  it.each<[string, Route]>([
    ['refuses the client', (_request, response) => response.writeHead(401).end('{"error":"invalid_client"}')],
    ['responds with a web page', (_request, response) => response.end('<html>')],
    ['responds with other JSON', { active: 'yes' }],
    ['redirects', (_request, response) => response.writeHead(307, { location: 'http://127.0.0.3:1/' }).end()],
    ['responds with more than 64 KB', { active: true, scope: 'x'.repeat(70_000) }],
    [
      'signs its response',
      (_request, response) =>
        response.writeHead(200, { 'content-type': 'application/token-introspection+jwt' }).end('e30.e30.'),
    ],
  ])('shows nothing when the server %s', async (_what, route) => {
    const { detail } = await withIntrospection(route);
    expect(await detail()).toMatchObject({ status: { state: { kind: 'signed_in' } }, tokenNotes: [] });
    expect((await detail()).introspection).toBeUndefined();
  });

  it('gives up after its time-out without a second request', async () => {
    const { site, detail } = await withIntrospection(() => {});
    expect((await detail()).introspection).toBeUndefined();
    expect((await detail()).introspection).toBeUndefined();
    expect(site.hitsAt('/introspect')).toHaveLength(1);
  });

  it('is not requested for a JWT, nor if the metadata excludes the client authentication', async () => {
    const readable = await withIntrospection(
      { active: true },
      {
        accessToken: (issuer) =>
          unsignedAccessToken({ iss: issuer, aud: `${issuer}/mcp`, exp: seconds(Date.now() + 300_000) }),
      },
    );
    const refused = await withIntrospection(
      { active: true },
      { metadata: { introspection_endpoint_auth_methods_supported: ['client_secret_basic'] } },
    );
    for (const { site, detail } of [readable, refused]) {
      expect((await detail()).introspection).toBeUndefined();
      expect(site.hitsAt('/introspect')).toEqual([]);
    }
    const endpoint = {
      introspection_endpoint: 'https://as.example/i',
      introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
    };
    expect(introspectionEndpoint(endpoint, 'client_secret_basic')).toBe('https://as.example/i');
  });

  it.each(['none', 'client_secret_basic'] as const)(
    'works with a real authorization server for a client with %s',
    async (method) => {
      const auth = await startAuthorizationServer({ clientAuthMethods: [method] });
      closing.push(() => auth.close());
      const mcp = await startSite();
      closing.push(() => mcp.close());
      mcp.routes['/mcp'] = (_, response) =>
        response.writeHead(401, { 'www-authenticate': 'Bearer scope="mcp:tools"' }).end();
      mcp.routes['/.well-known/oauth-protected-resource/mcp'] = {
        resource: `${mcp.origin}/mcp`,
        authorization_servers: [auth.issuer],
      };
      const app = await product();
      await app.call('addServer', { url: `${mcp.origin}/mcp`, name: 'tools' });
      await app.call('signIn', { server: 'tools' });
      expect(await app.call('serverDetail', { server: 'tools' })).toMatchObject({
        introspection: { active: true, claims: { scope: 'mcp:tools' } },
        tokenNotes: [],
      });
      expect(auth.counts.introspections).toBe(1);
    },
  );

  it('does not send a token to the issuer of a later sign-in', async () => {
    const before = { ...firstCredential(), introspectionEndpoint: 'https://as.example/introspect' };
    const after = {
      ...before,
      issuer: 'https://new.example',
      tokenEndpoint: 'https://new.example/token',
      introspectionEndpoint: 'https://new.example/introspect',
    };
    const hosts: string[] = [];
    const clock = createFakeClock();
    const http = createScriptedHttp(clock, () => ({ body: { active: true } }));
    const views = createTokenViews({
      vault: {
        facts: () => ({ ...before, renewable: true }),
        read: async () => ({ kind: 'found', credential: after }),
      },
      tokens: { current: () => ({ token: new Secret('opaque'), receivedAt: 0, expiresAt: undefined }) },
      clock,
      grants: {
        ...createGrants({
          servers: { find: () => undefined },
          vault: { readClientSecret: async () => ({ kind: 'absent' }) },
          clock,
          companies: noCompanies,
        }),
        withClientAuth: async (_credential, client) => client,
      },
      policyOf: async () => ['public'],
      httpOf: () => ({
        ...http,
        fetch: (request) => {
          hosts.push(request.url.host);
          return http.fetch(request);
        },
      }),
    });
    await views.of({ id: before.id, url: 'https://mcp.example/mcp', settings: {} });
    expect(hosts).toEqual([]);
  });
});
