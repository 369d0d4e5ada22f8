import { describe, expect, it } from 'vitest';
import { identityLines } from '../../electron/command-line/identity-lines.ts';
import { signedOutLine } from '../../electron/command-line/sign-ins.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { createGrants } from '../../electron/core/oauth/grants/grants.ts';
import { createRegistrationRenewal } from '../../electron/core/oauth/registration/registration-renewal.ts';
import { endOfRegistration } from '../../electron/core/oauth/registration/registration-expiry.ts';
import { identityScopes } from '../../electron/core/oauth/scopes.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { signedOutNotice } from '../../renderer/sign-out-notices.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import { textOf } from '../fixtures/host.ts';
import { sendJson } from '../fixtures/listener.ts';
import { noCompanies } from '../fixtures/no-companies.ts';
import { startObot, type Obot } from '../fixtures/obot.ts';
import { startProduct, type Product } from '../fixtures/product.ts';
import { startSignInRig, type SignInRig } from '../fixtures/sign-in-rig.ts';
import type { Registration } from '../../electron/core/servers/server.ts';
import { clientSecretKey } from '../../electron/core/oauth/registration/registration-secrets.ts';

const closing = closeAfterEach();
const day = 86_400_000;

async function beside(settings = {}): Promise<{ readonly obot: Obot; readonly product: Product }> {
  const obot = await startObot();
  closing.push(() => obot.close());
  const product = await startProduct();
  closing.push(() => product.close());
  await product.call('addServer', { url: obot.mcpUrl, name: 'work', settings });
  return { obot, product };
}

describe('a server behind Obot', () => {
  it('works from sign-in to refresh, names the user by userinfo, and has no false note on its tokens', async () => {
    const { obot, product } = await beside();
    await product.call('signIn', { server: 'work' });
    const detail = await product.call('serverDetail', { server: 'work' });
    expect(detail).toMatchObject({
      status: { identity: 'Ada Lovelace' },
      identityVerified: false,
      preset: 'Obot',
      idTokenClaims: { email: 'ada@example.test' },
      requestedScopes: ['profile'],
      grantedScopes: ['profile'],
    });
    expect(detail.tokenNotes).toEqual([expect.stringContaining('userinfo endpoint')]);
    expect(identityLines(detail)[0]).toBe(
      'Signed in as Ada Lovelace. Not verified: the name comes from the authorization server’s userinfo endpoint.',
    );
    expect(obot.seen.register).toHaveLength(1);
    const host = product.host('work');
    await host.initialize();
    expect(textOf(await host.call('echo', { text: 'one' }, 30_000))).toBe('one');
    await product.call('refreshNow', { server: 'work' });
    expect(textOf(await host.call('echo', { text: 'two' }, 30_000))).toBe('two');
    obot.limit(90);
    expect(textOf(await host.call('echo', { text: 'three' }, 30_000))).toMatch(
      /no more calls for (8|9)\d s.*E_RATE_LIMITED/,
    );
    expect(obot.seen.calls).toBe(2);
    expect(await product.call('signOut', { server: 'work' })).toMatchObject({
      revoked: 'not_offered',
      registration: 'deleted',
    });
  });

  it('never gets a request for a scope that it does not list, even to identify the user', async () => {
    const { obot, product } = await beside({ identity: true });
    await product.call('signIn', { server: 'work' });
    expect(obot.seen.register.map(({ scope }) => scope)).toEqual(['profile']);
    expect(obot.seen.authorize.map((asked) => asked.get('scope'))).toEqual(['profile']);
  });

  it('gets one scope less in each retry if it rejects scopes by name, in registration and sign-in', async () => {
    const { obot, product } = await beside({ scopes: ['openid', 'profile', 'tools'] });
    await product.call('signIn', { server: 'work' });
    expect(obot.seen.register.map(({ scope }) => scope)).toEqual(['openid profile tools', 'profile tools', 'profile']);
    expect(obot.seen.authorize.map((asked) => asked.get('scope'))).toEqual(['profile']);
    await product.call('signIn', { server: 'work' });
    expect(obot.seen.register).toHaveLength(3);
    expect(obot.seen.authorize.map((asked) => asked.get('scope'))).toEqual(['profile', 'profile']);
  });

  it('has its reason for rejecting a code in the error, although it sends it as text', async () => {
    const { obot, product } = await beside();
    const route = obot.routes['/oauth/token/ms1abc12'];
    obot.routes['/oauth/token/ms1abc12'] = (request, response, hit) =>
      (route as (...args: unknown[]) => void)(request, response, {
        ...hit,
        body: hit.body.replace(/code=[^&]+/, 'code=wrong'),
      });
    await expect(product.call('signIn', { server: 'work' })).rejects.toMatchObject({
      cause: {
        code: 'E_TOKEN_REFUSED',
        message: expect.stringContaining('invalid_request: Obot: the code is not good') as unknown,
      },
    });
  });
});

describe('a registration that expires', () => {
  async function registered(
    obot: Obot,
  ): Promise<{
    readonly rig: SignInRig;
    readonly id: string;
    readonly only: () => Registration;
    readonly look: (at: number) => Promise<void>;
  }> {
    closing.push(() => obot.close());
    const rig = await startSignInRig();
    closing.push(() => rig.close());
    const server = await rig.add(obot.mcpUrl);
    await rig.signIns.start(server.id, { openBrowser: true });
    const { servers, vault } = rig;
    const only = () => {
      const [one] = servers.find(server.id)?.registrations ?? [];
      if (!one) throw new Error('There is no registration.');
      return one;
    };
    const look = async (at: number) => {
      const clock = { ...systemClock(), now: () => at, after: () => () => {} };
      await createRegistrationRenewal({
        servers,
        vault,
        clock,
        log: () => {},
        httpOf: () => rig.http,
        policyOf: async () => ['public'],
      }).check();
    };
    return { rig, id: server.id, only, look };
  }

  it('is renewed after half of its lifetime, with the latest registration access token', async () => {
    let at = Date.now();
    const obot = await startObot({ now: () => at });
    const { only, look } = await registered(obot);
    const start = only().registeredAt;
    await look(start + 14 * day);
    expect(obot.seen.reads).toBe(0);
    for (const days of [16, 32, 48, 64]) {
      at = start + days * day;
      await look(at);
    }
    expect(obot.seen.reads).toBe(4);
    expect(Math.round((only().endsAt ?? 0) - at) / day).toBeCloseTo(30, 1);
    expect(obot.seen.register).toHaveLength(1);
  });

  it('stores a rotated registration access token first, even if the rest of the response is unusable', async () => {
    const obot = await startObot();
    const { rig, only, look } = await registered(obot);
    const uri = new URL(only().registration_client_uri ?? '').pathname;
    const tokens: (string | undefined)[] = [];
    obot.routes[uri] = (request, response) => {
      tokens.push(request.headers.authorization);
      sendJson(response, 200, {
        client_id: 'somebody-else',
        registration_access_token: `rotated-${tokens.length}`,
        client_secret_expires_at: 1,
      });
    };
    const before = only();
    await look(before.registeredAt + 16 * day);
    await look(before.registeredAt + 16 * day);
    expect(tokens[1]).toBe('Bearer rotated-1');
    expect(only()).toEqual(before);
    expect(rig.log.join('')).not.toContain('rotated-');
  });

  it('is updated if reading does not extend it, without the members that an update must not contain', async () => {
    const obot = await startObot();
    const { only, look } = await registered(obot);
    const before = only();
    const uri = new URL(before.registration_client_uri ?? '').pathname;
    const updates: Record<string, unknown>[] = [];
    obot.routes[uri] = (request, response, { body }) => {
      if (request.method === 'PUT') updates.push(JSON.parse(body) as Record<string, unknown>);
      const end = Math.floor((before.endsAt ?? 0) / 1000) + (request.method === 'PUT' ? 30 * 86_400 : 0);
      sendJson(response, 200, {
        client_id: before.client_id,
        redirect_uris: [before.redirect_uri],
        client_id_issued_at: 1,
        client_secret_expires_at: end,
        registration_access_token: 'next-token',
        registration_client_uri: `${obot.origin}${uri}`,
      });
    };
    await look(before.registeredAt + 16 * day);
    expect(updates).toEqual([{ client_id: before.client_id, redirect_uris: [before.redirect_uri] }]);
    expect((only().endsAt ?? 0) - (before.endsAt ?? 0)).toBeGreaterThan(29 * day);
  });

  it.each<[string, number, object]>([
    ['a refusal', 401, {}],
    ['a fault', 503, {}],
    ['another form', 200, []],
  ])('does not change after %s', async (_what, status, body) => {
    const obot = await startObot();
    const { only, look } = await registered(obot);
    const before = only();
    obot.routes[new URL(before.registration_client_uri ?? '').pathname] = (_request, response) =>
      sendJson(response, status, body);
    await look(before.registeredAt + 16 * day);
    expect(only()).toEqual(before);
  });

  it('does not move to another origin that its response names', async () => {
    const obot = await startObot();
    const { only, look } = await registered(obot);
    const before = only();
    obot.routes[new URL(before.registration_client_uri ?? '').pathname] = (_request, response) =>
      sendJson(response, 200, { client_id: before.client_id, registration_client_uri: 'https://evil.example/client' });
    await look(before.registeredAt + 16 * day);
    expect(only().registration_client_uri).toBe(before.registration_client_uri);
  });

  it('uses the latest secret from its server, not the one from the time of the sign-in', async () => {
    const obot = await startObot();
    const { rig, id, only } = await registered(obot);
    const { servers, vault } = rig;
    const { issuer, client_id: clientId } = only();
    const tokenEndpoint = `${issuer}/token`;
    await vault.writeClientSecret(clientSecretKey(id, only()), new Secret('secret-2'), {
      issuer,
      endpoint: obot.origin,
    });
    const grants = createGrants({ servers, vault, clock: systemClock(), companies: noCompanies });
    const client = {
      issuer,
      tokenEndpoint,
      clientId,
      clientAuth: 'client_secret_basic',
      clientSecret: new Secret('secret-1'),
      resource: obot.mcpUrl,
      allow: [],
    } as const;
    const secretOf = async (change: Partial<Registration>, more: object = {}) => {
      await servers.updateAccount(id, { registrations: [{ ...only(), hasSecret: true, ...change }] });
      return (await grants.withClientAuth({ id }, { ...client, ...more })).clientSecret?.reveal();
    };
    expect(await secretOf({})).toBe('secret-1');
    expect(await secretOf({ renewedAt: 1 })).toBe('secret-2');
    expect(await secretOf({ renewedAt: 1 }, { issuer: 'https://other.example' })).toBe('secret-1');
    expect(await secretOf({ renewedAt: 1 }, { tokenEndpoint: 'https://evil.example/token' })).toBe('secret-1');
  });

  it('expires when its server says, or otherwise when the preset says', () => {
    const one: Registration = {
      issuer: 'https://obot.company.example/ms1abc',
      client_id: 'c',
      token_endpoint_auth_method: 'none',
      redirect_uri: 'r',
      registeredAt: 0,
      hasSecret: false,
      how: 'dynamic',
    };
    expect(endOfRegistration(one, { settings: {} })).toBe(30 * day);
    expect(endOfRegistration({ ...one, endsAt: 5 }, { settings: {} })).toBe(5);
    expect(endOfRegistration(one, { settings: { preset: 'none' } })).toBeUndefined();
  });
});

it('scopes for the identity are requested only if the server lists them', () => {
  const server = { settings: {}, account: { alone: false } };
  expect(identityScopes(server, ['profile'])).toEqual(['profile']);
  expect(identityScopes(server, ['email'])).toEqual([]);
  expect(identityScopes(server, undefined)).toEqual([]);
  expect(identityScopes({ ...server, settings: { identity: true } }, ['mcp:tools'])).toEqual([]);
  expect(identityScopes({ ...server, settings: { identity: true } }, undefined)).toEqual(['openid']);
});

it('the sign-out from a server with a key says that the key is valid until it is revoked there', () => {
  const report = { revoked: 'key_stays', deleted: true } as const;
  for (const words of [signedOutLine('work', report), JSON.stringify(signedOutNotice('work', report))]) {
    expect(words).toContain('until it is revoked there');
    expect(words).not.toMatch(/by (itself|themselves)/);
  }
});
