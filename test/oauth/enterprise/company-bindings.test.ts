import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { callBroker } from '../../../electron/broker/control-client.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { startCompany, type Company } from '../../fixtures/company.ts';
import { commandFailure, startAttacker } from '../../fixtures/company-rig.ts';
import { createFakeStore, type FakeStore } from '../../fixtures/fake-store.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';
import type { Site } from '../../fixtures/site.ts';

const closing = closeAfterEach();

async function startRig() {
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

const received = (site: Site, secrets: readonly string[]): string[] => {
  const requests = JSON.stringify(site.hits);
  return secrets.filter(
    (secret) =>
      secret.length > 12 &&
      (requests.includes(secret) ||
        requests.includes(encodeURIComponent(secret)) ||
        requests.includes(Buffer.from(secret).toString('base64').slice(0, 16))),
  );
};

describe('a change of the settings over the local socket', () => {
  it.each(['tokenEndpoint', 'issuer'] as const)(
    'of enterprise.%s redirects no ID token, client secret or refresh token of the company',
    async (changed) => {
      const { company, dataDir, product } = await startRig();
      const settings = await add(company, product, 'a', {});
      await product.call('signIn', { server: 'a' });
      const evil = await startAttacker(closing);
      const enterprise = {
        ...company.enterprise,
        ...settings.enterprise,
        [changed]: changed === 'issuer' ? evil.origin : `${evil.origin}/token`,
      };
      await callBroker(dataDir, 'configureServer', { server: 'a', settings: { ...settings, enterprise } });
      expect(await commandFailure(callBroker(dataDir, 'refreshNow', { server: 'a' }))).toMatchObject({
        code: 'E_SIGN_IN_AGAIN',
      });
      const idTokens = company.exchanges.map(({ params }) => String(params['subject_token']));
      expect(idTokens.length).toBeGreaterThan(0);
      expect(received(evil, ['secret-at-company', ...idTokens, ...company.idp.secrets()])).toEqual([]);
      expect(evil.hits.filter(({ method }) => method === 'POST')).toEqual([]);

      // After the setting is restored, no user is needed: the company's sign-in is kept while a server uses it.
      await callBroker(dataDir, 'configureServer', { server: 'a', settings });
      if (changed === 'tokenEndpoint')
        expect(await commandFailure(callBroker(dataDir, 'refreshNow', { server: 'a' }))).toBeUndefined();
    },
  );

  it.each(['tokenEndpoint', 'issuer'] as const)(
    'of enterprise.%s redirects neither a manually entered ID token nor the client secret',
    async (changed) => {
      const { company, dataDir, product } = await startRig();
      const idToken = new UnsecuredJWT({ iss: company.idp.issuer, aud: company.clientId, sub: 'ada' }).encode();
      const settings = await add(company, product, 'a', { enterpriseIdToken: idToken });
      const evil = await startAttacker(closing);
      const enterprise = {
        ...company.enterprise,
        ...settings.enterprise,
        [changed]: changed === 'issuer' ? evil.origin : `${evil.origin}/token`,
      };
      await callBroker(dataDir, 'configureServer', { server: 'a', settings: { ...settings, enterprise } });
      const error = await commandFailure(product.call('signIn', { server: 'a' }));
      expect(error).toMatchObject({ code: 'E_SECRET_AGAIN', server: 'a', field: 'secrets.enterpriseIdToken' });
      expect(error?.message).toContain(evil.origin);
      expect(error?.message).toContain('keybridge configure a --secret-file enterpriseIdToken=FILE');
      expect(received(evil, ['secret-at-company', idToken])).toEqual([]);
    },
  );

  it('of enterprise.issuer does not redirect the client secret at the next sign-in', async () => {
    const { company, dataDir, product } = await startRig();
    const settings = await add(company, product, 'a', {});
    const evil = await startAttacker(closing);
    await callBroker(dataDir, 'configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, issuer: evil.origin } },
    });
    expect(await commandFailure(product.call('signIn', { server: 'a' }))).toMatchObject({
      code: 'E_SECRET_AGAIN',
      field: 'secrets.enterpriseClientSecret',
    });
    expect(evil.hits).toEqual([]);
  });
});

describe('a change of the company that a user confirms', () => {
  it('sends the secret to the new place after it was entered again', async () => {
    const { company, product } = await startRig();
    const settings = await add(company, product, 'a', {}, { issuer: 'https://old.company.example' });
    const right = { ...settings, enterprise: company.enterprise };
    await product.call('configureServer', { server: 'a', settings: right });
    expect(await commandFailure(product.call('signIn', { server: 'a' }))).toMatchObject({ code: 'E_SECRET_AGAIN' });
    await product.call('configureServer', { server: 'a', secrets: { enterpriseClientSecret: 'secret-at-company' } });
    expect((await product.call('signIn', { server: 'a' })).state.kind).toBe('signed_in');
  });

  it('uses the new token endpoint after a new secret and a new sign-in', async () => {
    const { company, product } = await startRig();
    const settings = await add(company, product, 'a', {});
    await product.call('signIn', { server: 'a' });
    const gateway = await startAttacker(closing);
    const moved = { ...company.enterprise, tokenEndpoint: `${gateway.origin}/token` };
    await product.call('configureServer', { server: 'a', settings: { ...settings, enterprise: moved } });
    await commandFailure(product.call('refreshNow', { server: 'a' }));
    expect(gateway.hits).toEqual([]);
    expect(product.browser.openings).toBe(1);
    expect(await commandFailure(product.call('signIn', { server: 'a' }))).toMatchObject({ code: 'E_SECRET_AGAIN' });
    await product.call('configureServer', { server: 'a', secrets: { enterpriseClientSecret: 'secret-at-company' } });
    expect(gateway.hits).toEqual([]);
    // The server rejects the assertion of this endpoint, but the endpoint was used.
    expect(await commandFailure(product.call('signIn', { server: 'a' }))).toMatchObject({ code: 'E_TOKEN_REFUSED' });
    expect(product.browser.openings).toBe(2);
    expect(new Set(gateway.hits.map(({ path: at }) => at))).toEqual(new Set(['/token']));
  });
});

describe('a company’s sign-in from an older version', () => {
  it('is valid only for the token endpoint in the settings at the first start', async () => {
    const { company, dataDir, store, product } = await startRig();
    const { origin } = new URL(company.idp.issuer);
    const settings = await add(company, product, 'a', {}, { tokenEndpoint: `${origin}/token` });
    await product.call('signIn', { server: 'a' });
    await product.close();
    await forgetBindings(dataDir, store);

    const second = await startProduct({ dataDir, store });
    closing.push(() => second.close());
    expect(await commandFailure(second.call('refreshNow', { server: 'a' }))).toBeUndefined();
    const evil = await startAttacker(closing);
    await second.call('configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, tokenEndpoint: `${evil.origin}/token` } },
    });
    expect(await commandFailure(second.call('refreshNow', { server: 'a' }))).toMatchObject({ code: 'E_SIGN_IN_AGAIN' });
    expect(evil.hits).toEqual([]);
    expect(second.browser.openings).toBe(0);
  });
});

/** Makes the items look as an older version wrote them, without bindings. */
async function forgetBindings(dataDir: string, store: FakeStore): Promise<void> {
  const index = path.join(dataDir, 'credentials.json');
  await writeFile(index, (await readFile(index, 'utf8')).replaceAll(/"exchangeOrigins": \[[^\]]*\],?/g, ''));
  expect(store.items.size).toBeGreaterThan(0);
}
