import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { callBroker } from '../../../electron/broker/control-client.ts';
import type { ErrorInfo } from '../../../shared/reply.ts';
import type { ServerSettings } from '../../../shared/model.ts';
import { startCompany, type Company } from '../../fixtures/company.ts';
import { createFakeStore, type FakeStore } from '../../fixtures/fake-store.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';
import { startSite, type Site } from '../../fixtures/site.ts';

// Settings that another program changes over the local socket, to have a company's secrets sent to itself.

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Takes whatever it is sent, and describes itself as an identity provider. */
async function attacker(): Promise<Site> {
  const site = await startSite();
  closing.push(() => site.close());
  const { origin } = site;
  Object.assign(site.routes, {
    '/.well-known/openid-configuration': {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      response_types_supported: ['code'],
    },
    '/token': {
      access_token: 'theirs',
      token_type: 'N_A',
      issued_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
    },
  });
  return site;
}

async function desk() {
  const company = await startCompany({ clientSecret: 'secret-at-company' });
  closing.push(() => company.close());
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-bound-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  const store = createFakeStore();
  const product = await startProduct({ dataDir, store });
  closing.push(() => product.close());
  return { company, dataDir, store, product };
}

async function add(
  company: Company,
  product: Product,
  name: string,
  secrets: Record<string, string>,
  more: Partial<NonNullable<ServerSettings['enterprise']>> = {},
): Promise<ServerSettings> {
  const server = await company.server();
  const settings: ServerSettings = { grant: 'enterprise_managed', enterprise: { ...company.enterprise, ...more } };
  await product.call('addServer', {
    url: server.mcp.url,
    name,
    clientId: server.clientId,
    clientSecret: server.clientSecret,
    settings,
    secrets: { enterpriseClientSecret: 'secret-at-company', ...secrets },
  });
  return settings;
}

const failure = (promise: Promise<unknown>): Promise<ErrorInfo | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => ((error as Error).cause as ErrorInfo | undefined) ?? (error as ErrorInfo),
  );

const received = (site: Site, secrets: readonly string[]): string[] => {
  const heard = JSON.stringify(site.hits);
  return secrets.filter(
    (secret) =>
      secret.length > 12 &&
      (heard.includes(secret) ||
        heard.includes(encodeURIComponent(secret)) ||
        heard.includes(Buffer.from(secret).toString('base64').slice(0, 16))),
  );
};

describe('over the local socket, without a click', () => {
  it.each(['tokenEndpoint', 'issuer'] as const)(
    'a changed enterprise.%s gets neither the ID token nor the client secret nor a refresh token of the company',
    async (changed) => {
      const { company, dataDir, product } = await desk();
      const settings = await add(company, product, 'a', {});
      await product.call('signIn', { server: 'a' });
      const evil = await attacker();
      const enterprise = {
        ...company.enterprise,
        ...settings.enterprise,
        [changed]: changed === 'issuer' ? evil.origin : `${evil.origin}/token`,
      };
      await callBroker(dataDir, 'configureServer', { server: 'a', settings: { ...settings, enterprise } });
      expect(await failure(callBroker(dataDir, 'refreshNow', { server: 'a' }))).toMatchObject({
        code: 'E_SIGN_IN_AGAIN',
      });
      const idTokens = company.exchanges.map(({ params }) => String(params['subject_token']));
      expect(idTokens.length).toBeGreaterThan(0);
      expect(received(evil, ['secret-at-company', ...idTokens, ...company.idp.secrets()])).toEqual([]);
      expect(evil.hits.filter(({ method }) => method === 'POST')).toEqual([]);

      // Put back, it goes on without anybody: the company's sign-in is still there, unless no server used it any more.
      await callBroker(dataDir, 'configureServer', { server: 'a', settings });
      if (changed === 'tokenEndpoint')
        expect(await failure(callBroker(dataDir, 'refreshNow', { server: 'a' }))).toBeUndefined();
    },
  );

  it.each(['tokenEndpoint', 'issuer'] as const)(
    'a changed enterprise.%s gets neither the ID token that was entered by hand nor the client secret',
    async (changed) => {
      const { company, dataDir, product } = await desk();
      const idToken = new UnsecuredJWT({ iss: company.idp.issuer, aud: company.clientId, sub: 'ada' }).encode();
      const settings = await add(company, product, 'a', { enterpriseIdToken: idToken });
      const evil = await attacker();
      const enterprise = {
        ...company.enterprise,
        ...settings.enterprise,
        [changed]: changed === 'issuer' ? evil.origin : `${evil.origin}/token`,
      };
      await callBroker(dataDir, 'configureServer', { server: 'a', settings: { ...settings, enterprise } });
      const error = await failure(product.call('signIn', { server: 'a' }));
      expect(error).toMatchObject({ code: 'E_SECRET_AGAIN', server: 'a', field: 'secrets.enterpriseIdToken' });
      expect(error?.message).toContain(evil.origin);
      expect(error?.message).toContain('keybridge configure a --secret-file enterpriseIdToken=FILE');
      expect(received(evil, ['secret-at-company', idToken])).toEqual([]);
    },
  );

  it('a changed enterprise.issuer does not get the client secret at the next sign-in either', async () => {
    const { company, dataDir, product } = await desk();
    const settings = await add(company, product, 'a', {});
    const evil = await attacker();
    await callBroker(dataDir, 'configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, issuer: evil.origin } },
    });
    expect(await failure(product.call('signIn', { server: 'a' }))).toMatchObject({
      code: 'E_SECRET_AGAIN',
      field: 'secrets.enterpriseClientSecret',
    });
    expect(evil.hits).toEqual([]);
  });
});

describe('a person who means it', () => {
  it('enters the secret again with the new setting, and it goes there', async () => {
    const { company, product } = await desk();
    const settings = await add(company, product, 'a', {}, { issuer: 'https://old.company.example' });
    const right = { ...settings, enterprise: company.enterprise };
    await product.call('configureServer', { server: 'a', settings: right });
    expect(await failure(product.call('signIn', { server: 'a' }))).toMatchObject({ code: 'E_SECRET_AGAIN' });
    await product.call('configureServer', { server: 'a', secrets: { enterpriseClientSecret: 'secret-at-company' } });
    expect((await product.call('signIn', { server: 'a' })).state.kind).toBe('signed_in');
  });

  it('enters the secret again and signs in again at the company, and its ID token is exchanged at the new endpoint from then on', async () => {
    const { company, product } = await desk();
    const settings = await add(company, product, 'a', {});
    await product.call('signIn', { server: 'a' });
    const gateway = await attacker();
    const moved = { ...company.enterprise, tokenEndpoint: `${gateway.origin}/token` };
    await product.call('configureServer', { server: 'a', settings: { ...settings, enterprise: moved } });
    await failure(product.call('refreshNow', { server: 'a' }));
    expect(gateway.hits).toEqual([]);
    expect(product.browser.openings).toBe(1);
    expect(await failure(product.call('signIn', { server: 'a' }))).toMatchObject({ code: 'E_SECRET_AGAIN' });
    await product.call('configureServer', { server: 'a', secrets: { enterpriseClientSecret: 'secret-at-company' } });
    expect(gateway.hits).toEqual([]);
    // The server does not take what this endpoint gives; what counts is that it was asked.
    expect(await failure(product.call('signIn', { server: 'a' }))).toMatchObject({ code: 'E_TOKEN_REFUSED' });
    expect(product.browser.openings).toBe(2);
    expect(new Set(gateway.hits.map(({ path: at }) => at))).toEqual(new Set(['/token']));
  });
});

describe('a sign-in at the company that an older version stored', () => {
  it('is good for the endpoint that the settings name at the first start, and for no other', async () => {
    const { company, dataDir, store, product } = await desk();
    const { origin } = new URL(company.idp.issuer);
    const settings = await add(company, product, 'a', {}, { tokenEndpoint: `${origin}/token` });
    await product.call('signIn', { server: 'a' });
    await product.close();
    await forgetBindings(dataDir, store);

    const second = await startProduct({ dataDir, store });
    closing.push(() => second.close());
    expect(await failure(second.call('refreshNow', { server: 'a' }))).toBeUndefined();
    const evil = await attacker();
    await second.call('configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, tokenEndpoint: `${evil.origin}/token` } },
    });
    expect(await failure(second.call('refreshNow', { server: 'a' }))).toMatchObject({ code: 'E_SIGN_IN_AGAIN' });
    expect(evil.hits).toEqual([]);
    expect(second.browser.openings).toBe(0);
  });
});

/** As if the items had been written before there were bindings. */
async function forgetBindings(dataDir: string, store: FakeStore): Promise<void> {
  const index = path.join(dataDir, 'credentials.json');
  await writeFile(index, (await readFile(index, 'utf8')).replaceAll(/"exchangeOrigins": \[[^\]]*\],?/g, ''));
  expect(store.items.size).toBeGreaterThan(0);
}
