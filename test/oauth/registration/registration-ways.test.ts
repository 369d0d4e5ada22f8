import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../electron/core/base/errors.ts';
import { redirectPorts } from '../../../electron/core/oauth/authorization/loopback-server.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../../fixtures/authorization-server.ts';
import { startMcpServer } from '../../fixtures/mcp-server.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';
import { startSignInRig, type SignInRig, type SignInRigOptions } from '../../fixtures/sign-in-rig.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { secretKeyOf } from '../../../electron/core/servers/server.ts';
import { managementTokenKey } from '../../../electron/core/oauth/registration/registration-secrets.ts';

const closing = closeAfterEach();

async function peers(options: AuthorizationServerOptions = {}): Promise<{ as: AuthorizationServer; url: string }> {
  const as = await startAuthorizationServer(options);
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  return { as, url: mcp.url };
}

async function login(options: SignInRigOptions = {}): Promise<SignInRig> {
  const rig = await startSignInRig(options);
  closing.push(() => rig.close());
  return rig;
}

async function product(url: string, names: readonly string[] = ['work']): Promise<Product> {
  const started = await startProduct();
  closing.push(() => started.close());
  for (const name of names) {
    await started.call('addServer', { url, name });
    await started.call('signIn', { server: name });
  }
  return started;
}

const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : 'no AppError'),
  );

const documentUrl = 'https://apps.company.example/keybridge/client-metadata.json';
const shipped = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../../docs/client-metadata.json'), 'utf8'),
) as { client_id: string; redirect_uris: string[] };

describe('a client ID metadata document', () => {
  it('uses its URL as client ID without a registration (oidc-provider, draft 02)', async () => {
    const { as, url } = await peers({ clientDocument: { ...shipped, client_id: documentUrl } });
    const rig = await login({ redirectPorts });
    const { id } = await rig.add(url, { settings: { clientMetadataUrl: documentUrl } });
    await rig.signIns.start(id, { openBrowser: true });
    expect(as.counts).toMatchObject({ registrations: 0, codeExchangesGranted: 1 });
    expect(as.seen.authorize[0]?.get('client_id')).toBe(documentUrl);
    expect(shipped.redirect_uris).toContain(as.seen.authorize[0]?.get('redirect_uri'));
    expect(rig.vault.facts(id)).toMatchObject({ clientId: documentUrl, clientAuth: 'none' });
    expect(await rig.tokens.refreshNow(id)).toMatchObject({ kind: 'token' });
  });

  it('is shown in the server’s detail', async () => {
    const { url } = await peers({ clientDocument: { ...shipped, client_id: documentUrl } });
    const started = await startProduct();
    closing.push(() => started.close());
    await started.call('addServer', { url, name: 'work', settings: { clientMetadataUrl: documentUrl } });
    await started.call('signIn', { server: 'work' });
    expect(await started.call('serverDetail', { server: 'work' })).toMatchObject({
      clientId: documentUrl,
      registration: 'metadata_document',
    });
    expect(await started.call('signOut', { server: 'work' })).toEqual({ revoked: 'confirmed', deleted: true });
  });

  it('RG11: lists every redirect URI that Keybridge uses, with and without a port', () => {
    const places = ['127.0.0.1', 'localhost'].flatMap((host) => [
      `http://${host}/callback`,
      ...redirectPorts.map((port) => `http://${host}:${port}/callback`),
    ]);
    expect(shipped).toMatchObject({
      redirect_uris: places,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    });
  });

  it('is not used if a client ID was entered or the server does not support such documents', async () => {
    const without = await peers();
    const rig = await login();
    const { id } = await rig.add(without.url, { settings: { clientMetadataUrl: documentUrl } });
    await rig.signIns.start(id, { openBrowser: true });
    expect(without.as.counts.registrations).toBe(1);

    const both = await peers({
      clientDocument: shipped,
      clients: [
        {
          client_id: 'entered',
          redirect_uris: ['http://127.0.0.1/callback'],
          token_endpoint_auth_method: 'none',
          application_type: 'native',
        },
      ],
    });
    const second = await rig.add(both.url, { clientId: 'entered', settings: { clientMetadataUrl: documentUrl } });
    const started = rig.signIns.start(second.id, { openBrowser: false });
    await expect.poll(() => rig.signIns.progress(second.id)?.url).toContain('client_id=entered');
    rig.signIns.cancel(second.id);
    expect(await failed(started)).toBe('E_CANCELLED');
  });

  it.each([
    'http://apps.company.example/x.json',
    'https://apps.company.example/',
    'https://apps.company.example/a/../b.json',
    'https://u@apps.company.example/x.json',
    'https://apps.company.example/x.json#a',
    'nonsense',
  ])('is rejected at a URL that servers must reject: %s', async (clientMetadataUrl) => {
    const { url, as } = await peers({ clientDocument: shipped });
    const rig = await login();
    const { id } = await rig.add(url, { settings: { clientMetadataUrl } });
    expect(await failed(rig.signIns.start(id, { openBrowser: true }))).toBe('E_BAD_INPUT');
    expect(as.counts).toMatchObject({ authorizationRequests: 0, registrations: 0 });
  });
});

describe('an initial access token', () => {
  const token = 'kb-initial-access-token';

  async function withToken(rig: SignInRig, url: string): Promise<string> {
    const server = await rig.add(url);
    const { id } = server;
    await rig.vault.writeClientSecret(secretKeyOf(server, 'initialAccessToken'), new Secret(token));
    await rig.servers.update(id, { storedSecrets: ['initialAccessToken'] });
    return id;
  }

  it('authorizes a registration (oidc-provider), and is not in the list of servers or the log', async () => {
    const { as, url } = await peers({ initialAccessToken: token });
    const rig = await login();
    const bare = await rig.add(url);
    expect(await failed(rig.signIns.start(bare.id, { openBrowser: true }))).toBe('E_REGISTRATION_REFUSED');
    const id = await withToken(rig, url);
    await rig.signIns.start(id, { openBrowser: true });
    expect(as.counts).toMatchObject({ registrations: 1, codeExchangesGranted: 1 });
    expect(JSON.stringify([rig.servers.list(), rig.log])).not.toContain(token);
  });

  it('is sent to its first issuer only, even after the server moved to another', async () => {
    const [first, second] = [await peers({ initialAccessToken: token }), await peers({ initialAccessToken: token })];
    const rig = await login();
    const id = await withToken(rig, first.url);
    await rig.signIns.start(id, { openBrowser: true });
    await rig.servers.update(id, { url: second.url });
    expect(await failed(rig.signIns.start(id, { openBrowser: true }))).toBe('E_SECRET_AGAIN');
    expect(second.as.counts.registrations).toBe(0);
  });
});

describe('a sign-out', () => {
  it('deletes the registration (RFC 7592, oidc-provider), and the next sign-in registers again', async () => {
    const { as, url } = await peers();
    const started = await product(url);
    expect(await started.call('signOut', { server: 'work' })).toEqual({
      revoked: 'confirmed',
      deleted: true,
      registration: 'deleted',
    });
    expect((await started.call('serverDetail', { server: 'work' })).clientId).toBeUndefined();
    await started.call('signIn', { server: 'work' });
    expect(as.counts).toMatchObject({ registrations: 2, codeExchangesGranted: 2 });
    const secrets = as.secrets();
    expect(started.log.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
  });

  it('reports that the registration remains if the server cannot delete it', async () => {
    const { url } = await peers({ registrationManagement: false });
    const started = await product(url);
    expect(await started.call('signOut', { server: 'work' })).toEqual({
      revoked: 'confirmed',
      deleted: true,
      registration: 'not_offered',
    });
    expect((await started.call('serverDetail', { server: 'work' })).clientId).toBeDefined();
  });

  it('keeps the registration and reports a failure if the server is unreachable', async () => {
    const { as, url } = await peers();
    const started = await product(url);
    await as.stop();
    expect(await started.call('signOut', { server: 'work' })).toMatchObject({
      revoked: 'failed',
      deleted: true,
      registration: 'failed',
    });
    await as.start();
    await started.call('signIn', { server: 'work' });
    expect(as.counts.registrations).toBe(1);
    expect(await started.call('signOut', { server: 'work' })).toMatchObject({ registration: 'deleted' });
  });

  it('of all servers reports each result, including failures', async () => {
    const [one, two] = [await peers(), await peers()];
    const started = await product(one.url, ['one']);
    await started.call('addServer', { url: two.url, name: 'two' });
    await started.call('signIn', { server: 'two' });
    await started.call('addServer', { url: two.url, name: 'three' });
    await two.as.stop();
    expect(await started.call('signOutEverywhere')).toEqual([
      { server: 'one', report: { revoked: 'confirmed', deleted: true, registration: 'deleted' } },
      {
        server: 'two',
        report: expect.objectContaining({ revoked: 'failed', deleted: true, registration: 'failed' }) as unknown,
      },
      { server: 'three', report: { revoked: 'nothing_to_revoke', deleted: true } },
    ]);
    expect((await started.call('status')).servers.map(({ state }) => state.kind)).toEqual([
      'signed_out',
      'signed_out',
      'not_checked',
    ]);
  });

  it('needs a management token that is in the vault only', async () => {
    const { as, url } = await peers();
    const rig = await login();
    const { id } = await rig.add(url);
    await rig.signIns.start(id, { openBrowser: true });
    const [registration] = rig.servers.find(id)?.registrations ?? [];
    if (!registration) throw new Error('no registration');
    expect(registration.registration_client_uri?.startsWith(as.issuer)).toBe(true);
    const kept = await rig.vault.readClientSecret(managementTokenKey(id, registration), {});
    expect(kept.kind === 'found' && as.secrets().includes(kept.value.reveal())).toBe(true);
    expect(as.secrets().some((secret) => JSON.stringify(rig.servers.list()).includes(secret))).toBe(false);
  });
});

describe('a pushed authorization request (RFC 9126)', () => {
  it.each(['offered', 'required'] as const)(
    'keeps the request parameters out of the browser if it is %s (oidc-provider)',
    async (pushedRequests) => {
      const { as, url } = await peers({ pushedRequests });
      const rig = await login();
      const { id } = await rig.add(url);
      await rig.signIns.start(id, { openBrowser: true });
      expect([...(as.seen.authorize[0]?.keys() ?? [])].toSorted()).toEqual(['client_id', 'request_uri']);
      expect(rig.vault.facts(id)).toMatchObject({ resource: url, clientAuth: 'none' });
      expect(as.counts.codeExchangesGranted).toBe(1);
    },
  );

  it('registers again, once, if the server forgot the client', async () => {
    const { as, url } = await peers({ pushedRequests: 'required' });
    const rig = await login();
    const { id } = await rig.add(url);
    await rig.signIns.start(id, { openBrowser: true });
    as.forgetClients();
    await rig.signIns.start(id, { openBrowser: true });
    expect(as.counts).toMatchObject({ registrations: 2, codeExchangesGranted: 2 });
  });
});
