import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../../electron/core/http/client.ts';
import { silentLog } from '../../../electron/core/base/log.ts';
import { registrationFor } from '../../../electron/core/oauth/registration/registration.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { openServers, type Servers } from '../../../electron/core/servers/servers.ts';
import { openVault, type Vault } from '../../../electron/core/vault/credentials.ts';
import { createFakeClock, type FakeClock } from '../../fixtures/clock.ts';
import { createFakeStore, type FakeStore } from '../../fixtures/fake-store.ts';
import { sendHtml, sendJson } from '../../fixtures/listener.ts';
import { startSite, type Route, type Site } from '../../fixtures/site.ts';
import { failure } from '../../fixtures/failure.ts';
import type { Http } from '../../../electron/core/http/http.ts';
import type { AuthorizationServer } from '../../../electron/core/oauth/model.ts';
import { secretKeyOf, type Server } from '../../../electron/core/servers/server.ts';
import { clientSecretKey, clientSecretKeys } from '../../../electron/core/oauth/registration/registration-secrets.ts';
import { dropRegistration } from '../../../electron/core/oauth/registration/registration-store.ts';
import type {
  RegistrationDeps,
  RegistrationOutcome,
} from '../../../electron/core/oauth/registration/registration-model.ts';

const redirectUri = 'http://127.0.0.1:33427/callback/x';

let dataDir: string;
let auth: Site;
let http: Http;
let clock: FakeClock;
let store: FakeStore;
let servers: Servers;
let vault: Vault;
let deps: RegistrationDeps;
let accountKey: string;

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-registration-'));
  auth = await startSite();
  http = createHttp();
  clock = createFakeClock();
  store = createFakeStore();
  servers = await openServers({ dataDir, clock, log: silentLog, macs: undefined });
  vault = await openVault({ store, dataDir, installId: servers.installId, clock, log: silentLog });
  deps = { http, clock, servers, vault, pauses: new Map() };
  accountKey = (
    await servers.add({
      name: 'one',
      url: 'https://mcp.example/mcp',
      signInRequired: false,
      hasClientSecret: false,
      allowMissingPkce: false,
    })
  ).id;
  auth.routes['/register'] = accept();
});
afterEach(async () => {
  await http.close();
  await auth.close();
  await rm(dataDir, { recursive: true });
});

let made = 0;
const accept =
  (more: object = {}): Route =>
  (_, response, hit) =>
    sendJson(response, 201, { ...(JSON.parse(hit.body) as object), client_id: `client-${(made += 1)}`, ...more });

const metadata = (more: object = {}): AuthorizationServer => ({
  issuer: auth.origin,
  authorization_endpoint: `${auth.origin}/authorize`,
  token_endpoint: `${auth.origin}/token`,
  registration_endpoint: `${auth.origin}/register`,
  ...more,
});

const ask = (more: { server?: AuthorizationServer; redirectUri?: string; scopes?: readonly string[] } = {}) =>
  registrationFor(deps, {
    accountKey,
    authorizationServer: more.server ?? metadata(),
    allow: ['public', 'loopback'],
    redirectUri: more.redirectUri ?? redirectUri,
    scopes: more.scopes ?? [],
  });

async function registered(
  ...args: Parameters<typeof ask>
): Promise<Extract<RegistrationOutcome, { kind: 'registered' }>> {
  const outcome = await ask(...args);
  if (outcome.kind !== 'registered') throw new Error('not registered');
  return outcome;
}

const sent = (n = -1) => JSON.parse(auth.hits.at(n)?.body ?? 'null') as Record<string, unknown>;
const saved = () => servers.find(accountKey)?.registrations ?? [];

describe('a registration', () => {
  it('tells the server what Keybridge is, with exactly the live redirect URI', async () => {
    const { registration, reused } = await registered({ scopes: ['a', 'b'] });
    expect(sent()).toEqual({
      client_name: 'Keybridge',
      application_type: 'native',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'a b',
    });
    expect(reused).toBe(false);
    expect(saved()).toEqual([registration]);
    expect(registration).toMatchObject({
      issuer: auth.origin,
      redirect_uri: redirectUri,
      token_endpoint_auth_method: 'none',
      hasSecret: false,
      how: 'dynamic',
    });
  });

  it('is used again for exactly this issuer and redirect URI, and for no other', async () => {
    const first = await registered();
    expect(await registered()).toEqual({ ...first, reused: true });
    expect(auth.hits).toHaveLength(1);
    const otherPort = await registered({ redirectUri: redirectUri.replace('33427', '33436') });
    const otherIssuer = await registered({ server: metadata({ issuer: 'https://other.example' }) });
    expect(new Set([first, otherPort, otherIssuer].map(({ registration }) => registration.client_id)).size).toBe(3);
    expect(saved()).toHaveLength(3);
    expect((await registered()).registration).toEqual(first.registration);
  });

  it.each<[readonly string[] | undefined, string]>([
    [undefined, 'none'],
    [['none', 'client_secret_basic'], 'none'],
    [['client_secret_post', 'client_secret_basic'], 'client_secret_post'],
    [['private_key_jwt', 'client_secret_basic', 'client_secret_post'], 'client_secret_basic'],
    [['client_secret_post', 'private_key_jwt'], 'client_secret_post'],
    [['private_key_jwt'], 'none'],
  ])('where the server offers %j asks for %s', async (methods, wanted) => {
    await ask({ server: metadata(methods ? { token_endpoint_auth_methods_supported: methods } : {}) }).catch(() => {});
    expect(sent()['token_endpoint_auth_method']).toBe(wanted);
  });

  it('with a secret keeps it in the vault and not in the list', async () => {
    auth.routes['/register'] = accept({
      client_secret: 'the-client-secret',
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const { registration, clientSecret } = await registered();
    expect(clientSecret?.reveal()).toBe('the-client-secret');
    expect(registration).toMatchObject({ hasSecret: true, token_endpoint_auth_method: 'client_secret_basic' });
    expect(registration).not.toHaveProperty('secretExpiresAt');
    expect(JSON.stringify(servers.list())).not.toContain('the-client-secret');
    expect((await registered()).clientSecret?.reveal()).toBe('the-client-secret');
    expect(auth.hits).toHaveLength(1);
  });

  it('RG07: with a secret that has expired is made again, once', async () => {
    const expiresAt = Math.floor(clock.now() / 1000) + 3600;
    auth.routes['/register'] = accept({
      client_secret: 's',
      client_secret_expires_at: expiresAt,
      token_endpoint_auth_method: 'client_secret_post',
    });
    const first = await registered();
    expect(first.registration.secretExpiresAt).toBe(expiresAt * 1000);
    clock.jump(3_601_000);
    auth.routes['/register'] = accept();
    const second = await registered();
    expect(second.registration.client_id).not.toBe(first.registration.client_id);
    expect((await registered()).reused).toBe(true);
    expect(saved()).toEqual([second.registration]);
  });

  it.each([
    ['a string', (seconds: number) => String(seconds), true],
    ['a string with a fraction', (seconds: number) => `${seconds}.0`, true],
    ['a string 0', () => '0', false],
    ['words', () => 'never', false],
    ['null', () => null, false],
  ])('takes client_secret_expires_at as %s', async (_, written, ends) => {
    const expiresAt = Math.floor(clock.now() / 1000) + 3600;
    auth.routes['/register'] = accept({
      client_secret: 's',
      client_secret_expires_at: written(expiresAt),
      token_endpoint_auth_method: 'client_secret_post',
    });
    const { registration } = await registered();
    expect(registration.secretExpiresAt).toBe(ends ? expiresAt * 1000 : undefined);
  });

  it('whose secret was lost is made again', async () => {
    auth.routes['/register'] = accept({ client_secret: 's', token_endpoint_auth_method: 'client_secret_basic' });
    const { registration } = await registered();
    await vault.deleteClientSecret(clientSecretKey(accountKey, registration));
    expect((await registered()).reused).toBe(false);
  });

  it('whose secret cannot be read now is kept, and the fault told', async () => {
    auth.routes['/register'] = accept({ client_secret: 's', token_endpoint_auth_method: 'client_secret_basic' });
    const { registration } = await registered();
    store.fault = () => ({ kind: 'locked', detail: '' });
    expect((await failure(ask())).code).toBe('E_STORE_LOCKED');
    expect(saved()).toEqual([registration]);
    expect(auth.hits).toHaveLength(1);
  });

  it('RG08: that the server forgot is dropped with its secret, and nothing else is', async () => {
    auth.routes['/register'] = accept({ client_secret: 's', token_endpoint_auth_method: 'client_secret_basic' });
    const other = await registered({ redirectUri: `${redirectUri}/other` });
    const { registration } = await registered();
    const server = servers.find(accountKey);
    expect(server && clientSecretKeys(server)).toEqual(
      [other.registration, registration].map((one) => clientSecretKey(accountKey, one)),
    );
    await dropRegistration(deps, accountKey, registration);
    expect(saved()).toEqual([other.registration]);
    expect(await vault.readClientSecret(clientSecretKey(accountKey, registration), {})).toEqual({ kind: 'absent' });
    expect((await registered()).reused).toBe(false);
  });
});

describe('the answer', () => {
  it.each<[string, object, object]>([
    [
      'null members',
      {
        client_secret: null,
        client_secret_expires_at: null,
        redirect_uris: null,
        scope: null,
        token_endpoint_auth_method: null,
      },
      { token_endpoint_auth_method: 'none' },
    ],
    [
      'members that are odd but not ours',
      { client_name: 7, grant_types: 'x', contacts: {} },
      { token_endpoint_auth_method: 'none' },
    ],
    [
      'a secret without a word about it',
      { token_endpoint_auth_method: undefined, client_secret: 's' },
      { token_endpoint_auth_method: 'client_secret_basic', hasSecret: true },
    ],
    [
      'a secret that is not to be used',
      { token_endpoint_auth_method: 'none', client_secret: 's' },
      { token_endpoint_auth_method: 'none', hasSecret: false },
    ],
    [
      'more redirect URIs than ours',
      { redirect_uris: ['https://x.example/', redirectUri] },
      { redirect_uri: redirectUri },
    ],
  ])('with %s is taken', async (_, answer, wanted) => {
    auth.routes['/register'] = accept(answer);
    expect((await registered()).registration).toMatchObject(wanted);
  });

  it.each<[string, object]>([
    ['another redirect URI', { redirect_uris: ['https://evil.example/'] }],
    ['no redirect URI', { redirect_uris: [] }],
    ['an empty client_id', { client_id: '' }],
    ['no client_id', { client_id: undefined }],
    ['a client_id that is no text', { client_id: 7 }],
    ['a client_id with a line break', { client_id: 'a\r\nb' }],
    ['a secret with a control character', { client_secret: 'a\u0000' }],
    ['a method that was not asked for', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['a method that needs a secret, without one', { token_endpoint_auth_method: 'client_secret_basic' }],
  ])('RG05: with %s is refused, and nothing is saved', async (_, answer) => {
    auth.routes['/register'] = accept(answer);
    const error = await failure(ask());
    expect(error.code).toBe('E_REGISTRATION_INVALID');
    expect(error.message).not.toMatch(/evil|[\r\n]/);
    expect(saved()).toEqual([]);
  });

  it.each<[string, Route, string]>([
    ['RG05: no JSON', (_, response) => sendHtml(response, 201, '<html>'), 'E_REGISTRATION_INVALID'],
    ['RG03: 500 with HTML', (_, response) => sendHtml(response, 500, '<html>'), 'E_HTTP_STATUS'],
    ['403 with text', (_, response) => response.writeHead(403).end('Forbidden'), 'E_REGISTRATION_REFUSED'],
    ['404', (_, response) => response.writeHead(404).end(), 'E_REGISTRATION_REFUSED'],
    [
      '307 to another origin',
      (_, response) => response.writeHead(307, { location: 'http://127.0.0.2:1/elsewhere' }).end(),
      'E_REDIRECTED',
    ],
    [
      'another refusal',
      (_, response) =>
        sendJson(response, 400, { error: 'invalid_software_statement', error_description: '<b>no</b>\r\n' }),
      'E_REGISTRATION_REFUSED',
    ],
  ])('%s is an error, asked once', async (_, route, code) => {
    auth.routes['/register'] = route;
    const error = await failure(ask());
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/[\r\n]/);
    expect(auth.hits).toHaveLength(1);
    expect(saved()).toEqual([]);
  });
});

describe('a refusal', () => {
  it('RG02: with Retry-After is not followed by an early request', async () => {
    auth.routes['/register'] = (_, response) => response.writeHead(429, { 'retry-after': '30' }).end();
    expect(await failure(ask())).toMatchObject({ code: 'E_REGISTRATION_REFUSED', retryAfterMs: 30_000 });
    await clock.advance(29_000);
    expect(await failure(ask())).toMatchObject({ code: 'E_REGISTRATION_REFUSED', retryAfterMs: 1_000 });
    expect(auth.hits).toHaveLength(1);
    await clock.advance(1_000);
    auth.routes['/register'] = accept();
    expect((await registered()).reused).toBe(false);
  });

  it.each([
    [{ error: 'invalid_client_metadata', error_description: 'Unknown scope: x' }],
    [{ error: 'invalid_scope' }],
  ])('that is about a scope and names none of ours (%j) is answered once without any', async (refusal) => {
    auth.routes['/register'] = (request, response, hit) => {
      if ('scope' in (JSON.parse(hit.body) as object)) sendJson(response, 400, refusal);
      else (accept() as (...args: unknown[]) => void)(request, response, hit);
    };
    await registered({ scopes: ['a', 'b'] });
    expect(auth.hits).toHaveLength(2);
    auth.routes['/register'] = (_, response) => sendJson(response, 400, refusal);
    expect((await failure(ask({ scopes: ['a'], redirectUri: `${redirectUri}/2` }))).code).toBe(
      'E_REGISTRATION_REFUSED',
    );
    expect(auth.hits).toHaveLength(4);
  });

  it.each([
    [{ error: 'invalid_redirect_uri' }],
    [{ error: 'invalid_client_metadata', error_description: 'redirect_uris must be localhost' }],
  ])('RG04: that is about the redirect URI (%j) is told apart, so that another can be tried', async (refusal) => {
    auth.routes['/register'] = (_, response) => sendJson(response, 400, refusal);
    expect(await ask()).toMatchObject({ kind: 'redirect_refused', error: { code: 'E_REGISTRATION_REFUSED' } });
    expect(auth.hits).toHaveLength(1);
  });
});

describe('without registration at the server', () => {
  it('RG01: the user is asked for a client ID, and told the redirect URI', async () => {
    const error = await failure(ask({ server: metadata({ registration_endpoint: undefined }) }));
    expect(error.code).toBe('E_CLIENT_ID_NEEDED');
    expect(error.message).toContain(redirectUri);
    expect(error.about('work').toInfo().redirectUri).toBe(redirectUri);
  });

  it('a client ID that the user entered is used before any other', async () => {
    await registered();
    await servers.update(accountKey, { clientId: 'mine' });
    const { registration, reused } = await registered();
    expect(registration).toMatchObject({ client_id: 'mine', token_endpoint_auth_method: 'none', how: 'configured' });
    expect(reused).toBe(false);
    expect(auth.hits).toHaveLength(1);
  });

  it.each<[readonly string[] | undefined, string]>([
    [undefined, 'client_secret_basic'],
    [['client_secret_post'], 'client_secret_post'],
    [['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
  ])('its secret is sent in the way that the server offers (%j)', async (methods, wanted) => {
    await vault.writeClientSecret(
      secretKeyOf(servers.find(accountKey) as Server, 'clientSecret'),
      new Secret('mine-too'),
    );
    await servers.update(accountKey, { clientId: 'mine', hasClientSecret: true });
    const { registration, clientSecret } = await registered({
      server: metadata(methods ? { token_endpoint_auth_methods_supported: methods } : {}),
    });
    expect(registration.token_endpoint_auth_method).toBe(wanted);
    expect(clientSecret?.reveal()).toBe('mine-too');
  });

  it('DM33: it is never shown to another authorization server than the first one', async () => {
    await servers.update(accountKey, { clientId: 'mine' });
    await registered();
    const error = await failure(ask({ server: metadata({ issuer: 'https://other.example' }) }));
    expect(error.code).toBe('E_CLIENT_ID_NEEDED');
    await servers.update(accountKey, { clientId: 'another' });
    expect((await registered({ server: metadata({ issuer: 'https://other.example' }) })).registration.client_id).toBe(
      'another',
    );
  });
});
