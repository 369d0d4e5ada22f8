import { afterEach, describe, expect, it } from 'vitest';
import { lintAccessToken, type TokenContext } from '../../../electron/core/oauth/inspection/token-lint.ts';
import { introspectionEndpoint } from '../../../electron/core/oauth/token-endpoint/token-client.ts';
import type { CallInput } from '../../../shared/api.ts';
import type { ServerDetail } from '../../../shared/model.ts';
import { createGrants } from '../../../electron/core/oauth/grants/grants.ts';
import { createTokenViews } from '../../../electron/core/oauth/inspection/token-view.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { firstCredential } from '../../fixtures/access-tokens-rig.ts';
import { noCompanies } from '../../fixtures/no-companies.ts';
import { createScriptedHttp } from '../../fixtures/scripted-http.ts';
import { startAuthorizationServer } from '../../fixtures/authorization-server.ts';
import { startOpenidSite, type OpenidOptions, type OpenidSite } from '../../fixtures/openid-site.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';
import { startSite, type Route } from '../../fixtures/site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const now = Date.parse('2026-01-01T12:00:00Z');
const hour = 3_600_000;
const seconds = (ms: number) => Math.floor(ms / 1000);
const context: TokenContext = {
  url: 'https://mcp.example/mcp',
  resource: 'https://mcp.example/mcp',
  issuer: 'https://as.example',
  grantedScopes: ['read', 'write'],
  receivedAt: now,
  expiresAt: now + hour,
  now,
};
const good = {
  iss: 'https://as.example',
  aud: 'https://mcp.example/mcp',
  exp: seconds(now + hour),
  scope: 'read write',
};
const odd = (change: object, more: Partial<TokenContext> = {}) =>
  lintAccessToken({ ...good, ...change }, { ...context, ...more });

describe('the lint of a JWT access token', () => {
  it('finds nothing odd in a good one', () => expect(odd({})).toEqual([]));

  it.each<[string, object, Partial<TokenContext>]>([
    ['an audience among several', { aud: ['https://other.example', 'https://mcp.example/mcp'] }, {}],
    ['the origin of the server', { aud: 'https://mcp.example/' }, {}],
    ['the resource that the settings name', { aud: 'api://tools' }, { resource: 'api://tools' }],
    ['scopes as a list', { scope: undefined, scp: ['write', 'read'] }, {}],
    [
      'the short names of Entra ID',
      { scope: undefined, scp: 'read write' },
      { grantedScopes: ['api://tools/read', 'api://tools/write', 'offline_access', 'openid'] },
    ],
    ['no scopes at all', { scope: undefined }, {}],
    ['no issuer', { iss: undefined }, {}],
    ['an end a little later than announced', { exp: seconds(now + hour + 5 * 60_000) }, {}],
    [
      'an end that nobody announced',
      { exp: seconds(now + 1000 * hour) },
      { expiresAt: undefined as unknown as number },
    ],
    ['a clock that is 59 s off', { exp: seconds(now - 59_000) }, {}],
  ])('takes %s as it is', (_what, change, more) => expect(odd(change, more)).toEqual([]));

  it.each<[string, object, RegExp]>([
    [
      'another audience (TR15)',
      { aud: 'https://graph.example' },
      /another audience than this server: https:\/\/graph\.example\.$/,
    ],
    ['a part of the path as audience', { aud: 'https://mcp.example/mc' }, /another audience/],
    ['no audience', { aud: undefined }, /does not say which server/],
    [
      'another issuer',
      { iss: 'https://sts.example/' },
      /issued by https:\/\/sts\.example\/, but you signed in at https:\/\/as\.example\.$/,
    ],
    ['an end that has passed', { exp: seconds(now - 61_000) }, /has expired/],
    ['no end', { exp: undefined }, /no expiry time/],
    ['an end that is no number', { exp: 'tomorrow' }, /no expiry time/],
    ['an end long after the announced one', { exp: seconds(now + 24 * hour) }, /much longer/],
    ['less access than was granted', { scope: 'read' }, /lacks granted access: write\.$/],
    ['more access than was granted', { scope: 'read write admin' }, /more access than was granted: admin\.$/],
  ])('has a word on %s', (_what, change, words) => expect(odd(change)).toEqual([expect.stringMatching(words)]));

  it('shows foreign words on one line, cut', () => {
    const [note] = odd({ aud: `evil\u202e\n${'x'.repeat(500)}` });
    expect(note).toMatch(/^[^\n\u202e]+…\.$/);
    expect(note?.length).toBeLessThan(200);
  });
});

async function product(): Promise<Product> {
  const started = await startProduct();
  closing.push(() => started.close());
  return started;
}

async function signedIn(
  site: OpenidSite,
  more: Partial<CallInput<'addServer'>> = {},
): Promise<{ app: Product; detail: () => Promise<ServerDetail> }> {
  closing.push(() => site.close());
  const app = await product();
  await app.call('addServer', { url: site.mcpUrl, name: 'tools', ...more });
  await app.call('signIn', { server: 'tools' });
  return { app, detail: () => app.call('serverDetail', { server: 'tools' }) };
}

const jwt = (claims: object) =>
  `${[{ alg: 'RS256', typ: 'at+jwt' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.c2ln`;

describe('what a person sees of a sign-in', () => {
  it('is who signed in, verified, and what looks odd about the access token; nothing was refused for it', async () => {
    const odd = jwt({ iss: 'https://upstream.example', aud: 'api://graph', exp: 1, scope: 'mail.read', jti: 'j-1' });
    const { detail } = await signedIn(await startOpenidSite({ accessToken: () => odd }));
    expect(await detail()).toMatchObject({
      status: { state: { kind: 'signed_in' }, identity: 'Ada Lovelace' },
      identityVerified: true,
      idTokenClaims: { sub: 'ada-1', name: 'Ada Lovelace' },
      accessTokenClaims: { aud: 'api://graph', scope: 'mail.read' },
      tokenNotes: [
        expect.stringMatching(/another audience/),
        expect.stringMatching(/issued by/),
        expect.stringMatching(/has expired/),
        expect.stringMatching(/lacks granted access/),
        expect.stringMatching(/more access/),
      ],
    });
  });

  it('has no nonce, no hashes, no session and no token in it', async () => {
    const site = await startOpenidSite({
      idToken: (issued) => issued.sign({ ...issued.claims, sid: 'session-of-ada', c_hash: 'h' }),
    });
    const { detail } = await signedIn(site);
    const said = JSON.stringify(await detail());
    for (const secret of [...site.secrets, 'session-of-ada', 'at_hash', 'c_hash']) expect(said).not.toContain(secret);
  });

  it('says why nobody is named', async () => {
    const { detail } = await signedIn(await startOpenidSite({ metadata: { jwks_uri: undefined } }));
    expect(await detail()).toMatchObject({
      identityVerified: false,
      tokenNotes: [expect.stringMatching(/publishes no keys/)],
    });
    expect((await detail()).status.identity).toBeUndefined();
  });
});

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

  it('shows what the authorization server says: active, scope, user name, end, and nothing else of its answer', async () => {
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

  it('is asked once for each token, however often a person looks', async () => {
    const { site, app, detail } = await withIntrospection({ active: true });
    await Promise.all([detail(), detail()]);
    await detail();
    expect(site.hitsAt('/introspect')).toHaveLength(1);
    await app.call('refreshNow', { server: 'tools' });
    await detail();
    expect(site.hitsAt('/introspect')).toHaveLength(2);
  });

  it('that says "not active" is a note, and no reason to stop', async () => {
    const { detail } = await withIntrospection({ active: false });
    expect(await detail()).toMatchObject({
      status: { state: { kind: 'signed_in' } },
      introspection: { active: false, claims: {} },
      tokenNotes: [expect.stringMatching(/no longer valid/)],
    });
  });

  it.each<[string, Route]>([
    ['refuses us', (_request, response) => response.writeHead(401).end('{"error":"invalid_client"}')],
    ['answers with a web page', (_request, response) => response.end('<html>')],
    ['answers with something else', { active: 'yes' }],
    ['redirects', (_request, response) => response.writeHead(307, { location: 'http://127.0.0.3:1/' }).end()],
    ['says too much', { active: true, scope: 'x'.repeat(70_000) }],
    [
      'signs its answer',
      (_request, response) =>
        response.writeHead(200, { 'content-type': 'application/token-introspection+jwt' }).end('e30.e30.'),
    ],
  ])('that %s shows nothing and says nothing', async (_what, route) => {
    const { detail } = await withIntrospection(route);
    expect(await detail()).toMatchObject({ status: { state: { kind: 'signed_in' } }, tokenNotes: [] });
    expect((await detail()).introspection).toBeUndefined();
  });

  it('that never answers is waited for 2 s, once', async () => {
    const { detail } = await withIntrospection(() => {});
    const before = performance.now();
    expect((await detail()).introspection).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(4_000);
    const again = performance.now();
    await detail();
    expect(performance.now() - again).toBeLessThan(1_000);
  });

  it('is not tried for a JWT, which can be read, nor where the metadata says that clients like ours are refused', async () => {
    const readable = await withIntrospection(
      { active: true },
      { accessToken: (issuer) => jwt({ iss: issuer, aud: `${issuer}/mcp`, exp: seconds(Date.now() + 300_000) }) },
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
    'works with a real authorization server, for a client with %s',
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
});

it('a token is asked about only where it is from, though somebody signs in elsewhere meanwhile', async () => {
  const before = { ...firstCredential(), introspectionEndpoint: 'https://as.example/introspect' };
  const after = {
    ...before,
    issuer: 'https://new.example',
    tokenEndpoint: 'https://new.example/token',
    introspectionEndpoint: 'https://new.example/introspect',
  };
  const asked: string[] = [];
  const clock = createFakeClock();
  const http = createScriptedHttp(clock, () => ({ body: { active: true } }));
  const views = createTokenViews({
    vault: { facts: () => ({ ...before, renewable: true }), read: async () => ({ kind: 'found', credential: after }) },
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
        asked.push(request.url.host);
        return http.fetch(request);
      },
    }),
  });
  await views.of({ id: before.id, url: 'https://mcp.example/mcp', settings: {} });
  expect(asked).toEqual([]);
});
