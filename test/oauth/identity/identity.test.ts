import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../../fixtures/authorization-server.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startOpenidSite, type Issued, type OpenidOptions, type OpenidSite } from '../../fixtures/openid-site.ts';
import { startSignInRig, type SignInRig } from '../../fixtures/sign-in-rig.ts';
import { startSite } from '../../fixtures/site.ts';
import { failure } from '../../fixtures/failure.ts';
import type { IdentityNote } from '../../../shared/identity-note.ts';
import type { CredentialFacts } from '../../../electron/core/vault/credential.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function rig(): Promise<SignInRig> {
  const started = await startSignInRig();
  closing.push(() => started.close());
  return started;
}

interface World {
  readonly site: OpenidSite;
  readonly login: SignInRig;
  readonly start: () => Promise<void>;
  readonly facts: () => CredentialFacts | undefined;
}

async function world(options: OpenidOptions = {}, added: Parameters<SignInRig['add']>[1] = {}): Promise<World> {
  const site = await startOpenidSite(options);
  closing.push(() => site.close());
  const login = await rig();
  const server = await login.add(site.mcpUrl, added);
  return {
    site,
    login,
    start: () => login.signIns.start(server.id, { openBrowser: true }),
    facts: () => login.vault.facts(server.id),
  };
}

const changed = (change: object) => (issued: Issued) => issued.sign({ ...issued.claims, ...change });

describe('a sign-in that asks who signs in', () => {
  it('sends a nonce of 256 bits, and names the person of the ID token that brings it back', async () => {
    const { site, start, facts } = await world();
    await start();
    const nonce = site.seen.authorize[0]?.get('nonce');
    expect(nonce).toMatch(/^[\w-]{43}$/);
    expect(facts()).toMatchObject({
      account: 'Ada Lovelace',
      subject: { issuer: site.issuer, sub: 'ada-1' },
      idTokenClaims: { email: 'ada@example.test', aud: 'client-1' },
    });
    expect(facts()?.identityNotes).toBeUndefined();
    expect(JSON.stringify(facts())).not.toContain(nonce);
  });

  it('has another nonce each time', async () => {
    const { site, start } = await world();
    await start();
    await start();
    expect(new Set(site.seen.authorize.map((asked) => asked.get('nonce'))).size).toBe(2);
  });

  it('sends none, and expects none, where openid is not among the scopes', async () => {
    const { site, start, facts } = await world({ scopes: ['mcp:tools'] });
    await start();
    expect(site.seen.authorize[0]?.has('nonce')).toBe(false);
    expect(facts()).toMatchObject({ requestedScopes: ['mcp:tools'] });
    expect(facts()?.account).toBeUndefined();
  });

  it('is not replaced by a nonce among the extra parameters', async () => {
    const { start } = await world({}, { settings: { authorizeParameters: { nonce: 'known to others' } } });
    expect((await failure(start())).code).toBe('E_BAD_INPUT');
  });

  it.each<[string, NonNullable<OpenidOptions['idToken']>, RegExp]>([
    ['of another sign-in (nonce)', changed({ nonce: 'of another sign-in' }), /another sign-in/],
    ['without the nonce', changed({ nonce: undefined }), /another sign-in/],
    ['of another issuer', changed({ iss: 'https://other.example' }), /another issuer/],
    ['for another app', changed({ aud: 'client-2' }), /another client/],
    [
      'for several apps, issued to another (azp)',
      changed({ aud: ['client-1', 'client-2'], azp: 'client-2' }),
      /another client/,
    ],
    [
      'for another access token (at_hash)',
      changed({ at_hash: createHash('sha256').update('other').digest('base64url') }),
      /another access token/,
    ],
    ['without a subject', changed({ sub: undefined }), /lacks a required claim/],
    [
      'with the signature of another',
      async (issued) =>
        `${(await issued.sign(issued.claims)).replace(/\.[^.]+$/, '')}.${(await issued.sign({ sub: 'x' })).split('.')[2]}`,
      /signature/,
    ],
    [
      'whose signature is none',
      async (issued) => (await issued.sign(issued.claims)).replace(/[^.]+$/, '%%%'),
      /signature/,
    ],
    [
      'unsigned, with the wrong nonce',
      ({ claims }) =>
        `${[{ alg: 'none' }, { ...claims, nonce: 'x' }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`,
      /another sign-in/,
    ],
  ])('is refused with an ID token %s: nothing of it is kept', async (_what, idToken, message) => {
    const { login, start, facts } = await world({ idToken });
    const error = await failure(start());
    expect(error).toMatchObject({ code: 'E_ID_TOKEN', message: expect.stringMatching(message) });
    expect(facts()).toBeUndefined();
    expect(login.store.items.size).toBe(0);
  });

  it.each<[string, OpenidOptions, IdentityNote]>([
    ['gave none', { idToken: () => undefined }, 'absent'],
    ['gave one that has expired', { idToken: changed({ exp: Math.floor(Date.now() / 1000) - 61 }) }, 'dates'],
    [
      'signs with a key that it does not publish',
      {
        idToken: async (issued) =>
          (await issued.sign(issued.claims)).replace(
            /^[^.]+/,
            Buffer.from('{"alg":"ES256","kid":"new"}').toString('base64url'),
          ),
      },
      'unknown_key',
    ],
    [
      'does not sign',
      {
        idToken: ({ claims }) =>
          `${[{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`,
      },
      'algorithm',
    ],
    ['encrypts', { idToken: () => 'a.b.c.d.e' }, 'unreadable'],
    ['publishes no keys', { metadata: { jwks_uri: undefined } }, 'no_keys'],
    [
      'publishes no keys, and hands on the ID token of somebody else',
      { metadata: { jwks_uri: undefined }, idToken: changed({ iss: 'https://upstream.example', aud: 'upstream' }) },
      'wrong',
    ],
  ])('stands where the server %s: nobody is named, and a note says why', async (_what, options, note) => {
    const { start, facts } = await world(options);
    await start();
    expect(facts()).toMatchObject({ renewable: true, identityNotes: [note] });
    expect([facts()?.account, facts()?.subject, facts()?.idTokenClaims]).toEqual([undefined, undefined, undefined]);
  });

  it.each<[string, (site: OpenidSite) => void]>([
    [
      'are a web page',
      (site) => (site.routes['/jwks'] = (_request, response) => response.end('<h1>Sign in to the network</h1>')),
    ],
    ['are huge', (site) => (site.routes['/jwks'] = { keys: [], padding: 'x'.repeat(300_000) })],
    [
      'are redirected elsewhere',
      (site) =>
        (site.routes['/jwks'] = (_request, response) =>
          response.writeHead(307, { location: 'http://127.0.0.3:1/jwks' }).end()),
    ],
    ['are gone', (site) => delete site.routes['/jwks']],
  ])('stands while the keys %s', async (_what, break_) => {
    const { site, start, facts } = await world();
    break_(site);
    await start();
    expect(facts()).toMatchObject({ renewable: true, identityNotes: ['keys_unreachable'] });
    expect(facts()?.account).toBeUndefined();
  });

  it('can be cancelled while the keys do not come', async () => {
    const { site, login, start, facts } = await world();
    const [server] = login.servers.list();
    site.routes['/jwks'] = () => login.signIns.cancel(server?.id ?? '');
    expect((await failure(start())).code).toBe('E_CANCELLED');
    expect(facts()).toBeUndefined();
  });

  it('says nothing about who it was in the log', async () => {
    const { site, login, start } = await world();
    await start();
    const log = login.log.join('');
    expect(log).toContain('"event":"id_token"');
    for (const word of ['Ada', 'ada-1', 'ada@example.test', ...site.secrets]) expect(log).not.toContain(word);
  });
});

describe('an ID token that nobody asked for', () => {
  it('names the person when it is right', async () => {
    const { start, facts } = await world({ scopes: ['mcp:tools'], idToken: (issued) => issued.sign(issued.claims) });
    await start();
    expect(facts()).toMatchObject({ account: 'Ada Lovelace', subject: { sub: 'ada-1' } });
  });

  it.each<[string, NonNullable<OpenidOptions['idToken']>]>([
    ['of another issuer', changed({ iss: 'https://other.example' })],
    ['for another app', changed({ aud: 'client-2' })],
    ['for another access token', changed({ at_hash: 'x' })],
  ])('%s breaks nothing, and names nobody', async (_what, idToken) => {
    const { start, facts } = await world({ scopes: ['mcp:tools'], idToken });
    await start();
    expect(facts()).toMatchObject({ renewable: true, identityNotes: ['wrong'] });
    expect(facts()?.account).toBeUndefined();
  });
});

describe('the setting identity', () => {
  const asked = async (settings: object, options: OpenidOptions = {}) => {
    const { site, start } = await world({ scopes: ['mcp:tools'], ...options }, { settings });
    await start();
    return site.seen.authorize[0]?.get('scope');
  };

  it('absent: nothing is added for a server with one account', async () => expect(await asked({})).toBe('mcp:tools'));
  it('false: nothing is added', async () => expect(await asked({ identity: false })).toBe('mcp:tools'));
  it('true: openid, and profile and email where the server knows them', async () =>
    expect(await asked({ identity: true })).toBe('mcp:tools openid profile email'));
  it('true: openid alone where it knows no more', async () =>
    expect(await asked({ identity: true }, { metadata: { scopes_supported: undefined } })).toBe('mcp:tools openid'));

  it('absent: added to tell several accounts apart', async () => {
    const { site, login, start } = await world({ scopes: ['mcp:tools'] });
    const [server] = login.servers.list();
    await login.servers.addAccount(server?.id ?? '', 'second');
    await start();
    expect(site.seen.authorize[0]?.get('scope')).toBe('mcp:tools openid profile email');
  });

  it.each<[string, OpenidOptions, object]>([
    ['where the server does not know openid', { metadata: { scopes_supported: ['mcp:tools'] } }, {}],
    ['to scopes that the user has listed', {}, { scopes: ['mcp:tools'] }],
  ])('absent: not added %s', async (_what, options, settings) => {
    const { site, login, start } = await world({ scopes: ['mcp:tools'], ...options }, { settings });
    const [server] = login.servers.list();
    await login.servers.addAccount(server?.id ?? '', 'second');
    await start();
    expect(site.seen.authorize[0]?.get('scope')).toBe('mcp:tools');
  });
});

describe('the userinfo endpoint', () => {
  const nameless = changed({ name: undefined, email: undefined });
  const withUserinfo = async (answer: OpenidSite['routes'][string], options: OpenidOptions = {}) => {
    const made = await world({ idToken: nameless, ...options });
    made.site.routes['/.well-known/oauth-authorization-server'] = {
      ...(made.site.routes['/.well-known/oauth-authorization-server'] as object),
      userinfo_endpoint: `${made.site.issuer}/userinfo`,
    };
    made.site.routes['/userinfo'] = answer;
    await made.start();
    return made;
  };

  it('is asked, with the access token, where the ID token tells no name', async () => {
    const { site, facts } = await withUserinfo({ sub: 'ada-1', preferred_username: 'ada', email: 'ada@example.test' });
    expect(facts()).toMatchObject({
      account: 'ada',
      subject: { sub: 'ada-1' },
      idTokenClaims: { email: 'ada@example.test', aud: 'client-1' },
    });
    expect(site.hitsAt('/userinfo').map(({ method, headers }) => [method, headers.authorization])).toEqual([
      ['GET', expect.stringMatching(/^Bearer kb-access-/)],
    ]);
  });

  it('is not asked where the ID token says enough, is not verified, or openid was not granted', async () => {
    const told = { sub: 'ada-1', name: 'Ada' };
    for (const options of [
      { idToken: changed({}) },
      { idToken: changed({ name: undefined, email: undefined, exp: 1 }) },
      { answer: { scope: 'mcp:tools' } },
    ]) {
      const { site } = await withUserinfo(told, options);
      expect(site.hitsAt('/userinfo')).toEqual([]);
    }
  });

  it('about somebody else is not believed: a note says so', async () => {
    const { facts } = await withUserinfo({ sub: 'mallory', name: 'Mallory' });
    expect(facts()).toMatchObject({ account: 'ada-1', identityNotes: ['userinfo'] });
    expect(JSON.stringify(facts())).not.toContain('Mallory');
  });

  it.each<[string, OpenidSite['routes'][string]]>([
    [
      'refuses the token, which is for the MCP server',
      (_request, response) => response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end(),
    ],
    ['answers with a web page', (_request, response) => response.end('<html>')],
    ['redirects elsewhere', (_request, response) => response.writeHead(307, { location: 'http://127.0.0.3:1/' }).end()],
    ['answers with too much', { sub: 'ada-1', name: 'x'.repeat(70_000) }],
    ['answers with a list', [] as object],
  ])('that %s costs nothing but the name', async (_what, answer) => {
    const { facts } = await withUserinfo(answer);
    expect(facts()).toMatchObject({ account: 'ada-1', renewable: true });
    expect(facts()?.identityNotes).toBeUndefined();
  });
});

describe('a refresh', () => {
  const refreshed = async (change: object) => {
    const made = await world({
      idToken: (issued) =>
        issued.sign(
          issued.grant === 'refresh_token' ? { ...issued.claims, nonce: undefined, ...change } : issued.claims,
        ),
    });
    await made.start();
    const [server] = made.login.servers.list();
    await made.login.tokens.refreshNow(server?.id ?? '');
    await made.login.tokens.refreshNow(server?.id ?? '');
    expect(made.site.seen.token.map((form) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
      'refresh_token',
    ]);
    return made;
  };

  it('keeps who signed in', async () => {
    const { facts } = await refreshed({ name: 'Countess Lovelace' });
    expect(facts()).toMatchObject({ account: 'Ada Lovelace', subject: { sub: 'ada-1' } });
    expect(facts()?.identityNotes).toBeUndefined();
  });

  it.each([
    ['somebody else', { sub: 'mallory', name: 'Mallory' }],
    ['another issuer', { iss: 'https://other.example' }],
  ])('with the ID token of %s changes no name: one note and the log say so', async (_what, change) => {
    const { login, facts } = await refreshed(change);
    expect(facts()).toMatchObject({ account: 'Ada Lovelace', subject: { sub: 'ada-1' }, identityNotes: ['changed'] });
    expect(login.log.filter((line) => line.includes('other_id_token'))).toHaveLength(1);
    expect(JSON.stringify([facts(), login.log])).not.toMatch(/allory|other\.example/);
  });
});

describe('a real OpenID Provider', () => {
  async function real(
    options: AuthorizationServerOptions,
    added: Parameters<SignInRig['add']>[1] = {},
  ): Promise<{ auth: AuthorizationServer; login: SignInRig; facts: CredentialFacts | undefined }> {
    const auth = await startAuthorizationServer(options);
    closing.push(() => auth.close());
    const mcp = await startSite();
    closing.push(() => mcp.close());
    mcp.routes['/mcp'] = (_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Bearer scope="mcp:tools"' }).end();
    mcp.routes['/.well-known/oauth-protected-resource/mcp'] = (_request, response) =>
      sendJson(response, 200, { resource: `${mcp.origin}/mcp`, authorization_servers: [auth.issuer] });
    const login = await rig();
    const server = await login.add(`${mcp.origin}/mcp`, { ...added, settings: { identity: true, ...added.settings } });
    await login.signIns.start(server.id, { openBrowser: true });
    return { auth, login, facts: login.vault.facts(server.id) };
  }

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)(
    'that signs with %s names who signed in',
    async (signingAlgorithm) => {
      const { auth, facts } = await real({ signingAlgorithm });
      expect(facts).toMatchObject({
        account: 'ada',
        subject: { issuer: auth.issuer, sub: 'ada' },
        idTokenClaims: { email: 'ada@example.test' },
      });
      expect(facts?.identityNotes).toBeUndefined();
    },
  );

  it('names who signed in by device code on another device, where no nonce can be sent', async () => {
    const { login, facts } = await real({ deviceFlow: true }, { settings: { grant: 'device_code' } });
    expect(login.opened).toHaveLength(1);
    expect(facts).toMatchObject({ account: 'ada', subject: { sub: 'ada' } });
  });

  it('that signs with the client secret (HS256) signs in, and names nobody', async () => {
    const { facts } = await real({ signingAlgorithm: 'HS256', clientAuthMethods: ['client_secret_basic'] });
    expect(facts).toMatchObject({ renewable: true, identityNotes: ['algorithm'] });
    expect(facts?.account).toBeUndefined();
  });

  it('with names at userinfo alone tells them there, to a token that is not for the MCP server alone', async () => {
    const { facts } = await real({ thinIdTokens: true }, { settings: { resource: 'omit' } });
    expect(facts).toMatchObject({ account: 'ada', idTokenClaims: { email: 'ada@example.test' } });
  });
});
