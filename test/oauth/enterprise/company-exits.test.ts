import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { callBroker } from '../../../electron/broker/control-client.ts';
import { createRecords } from '../../../electron/core/vault/records.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { startCompany, type Company } from '../../fixtures/company.ts';
import { commandFailure, startAttacker } from '../../fixtures/company-rig.ts';
import { createFakeStore, locked } from '../../fixtures/fake-store.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';
import type { Site } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';

const closing = closeAfterEach();

async function startRig() {
  const company = await startCompany();
  closing.push(() => company.close());
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-exits-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  const store = createFakeStore();
  const open = async () => {
    const product = await startProduct({ dataDir, store });
    closing.push(() => product.close());
    return product;
  };
  return { company, dataDir, store, open, product: await open() };
}

async function add(company: Company, product: Product, name: string): Promise<ServerSettings> {
  const server = await company.server();
  const settings: ServerSettings = { grant: 'enterprise_managed', enterprise: company.enterprise };
  await product.call('addServer', {
    url: server.mcp.url,
    name,
    clientId: server.clientId,
    clientSecret: server.clientSecret,
    settings,
  });
  return settings;
}

const posts = (site: Site) => site.hits.filter(({ method }) => method === 'POST');
const state = (product: Product, name: string) =>
  product.app.status.current().servers.find((one) => one.name === name)?.state;

describe('an ID token for a token endpoint on another host', () => {
  it('is not sent there if nobody can be asked, even if the company’s sign-in needs no click', async () => {
    const { company, dataDir, product } = await startRig();
    const settings = await add(company, product, 'a');
    await product.call('signIn', { server: 'a' });
    const evil = await startAttacker(closing, { host: '127.0.0.3' });
    await callBroker(dataDir, 'configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, tokenEndpoint: `${evil.origin}/token` } },
    });
    expect(await commandFailure(callBroker(dataDir, 'signIn', { server: 'a' }))).toMatchObject({
      code: 'E_HOSTS_UNCONFIRMED',
    });
    expect([product.browser.openings, posts(evil)]).toEqual([1, []]);
  });

  it('is not sent to another host of the same site either', async () => {
    const { company, product } = await startRig();
    const settings = await add(company, product, 'a');
    const neighbour = company.idp.issuer.replace('127.0.0.1', 'localhost');
    await product.call('configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, tokenEndpoint: `${neighbour}/token` } },
    });
    expect(await commandFailure(product.call('signIn', { server: 'a' }))).toMatchObject({
      code: 'E_HOSTS_UNCONFIRMED',
    });
    expect([product.browser.openings, company.exchanges]).toEqual([0, []]);
  });

  it('is not sent there for a server that joins the sign-in of another one', async () => {
    const { company, product } = await startRig();
    await add(company, product, 'a');
    const settings = await add(company, product, 'b');
    const evil = await startAttacker(closing, { host: '127.0.0.3' });
    await product.call('configureServer', {
      server: 'b',
      settings: { ...settings, enterprise: { ...company.enterprise, tokenEndpoint: `${evil.origin}/token` } },
    });
    const [a, b] = [
      commandFailure(product.call('signIn', { server: 'a' })),
      commandFailure(product.call('signIn', { server: 'b' })),
    ];
    expect([await a, (await b)?.code]).toEqual([undefined, 'E_HOSTS_UNCONFIRMED']);
    expect(posts(evil)).toEqual([]);
  });

  it('is sent there after a user has confirmed the host, including in later sign-ins', async () => {
    const { company, product } = await startRig();
    const settings = await add(company, product, 'a');
    const gateway = await startAttacker(closing, { host: '127.0.0.3' });
    await product.call('configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, tokenEndpoint: `${gateway.origin}/token` } },
    });
    const hosts = [
      { what: 'issuer' as const, host: new URL(company.idp.issuer).host },
      { what: 'exchange' as const, host: new URL(gateway.origin).host },
    ];
    const ended = commandFailure(product.call('signIn', { server: 'a', canAsk: true }));
    await until(() => JSON.stringify(state(product, 'a')).includes('"confirm"'), 'the person is asked');
    expect(state(product, 'a')).toMatchObject({ confirm: hosts });
    expect(product.browser.openings).toBe(0);
    await product.call('confirmSignIn', { server: 'a', hosts });
    // The server rejects the assertion of this endpoint, but the endpoint was used.
    expect((await ended)?.code).toBe('E_TOKEN_REFUSED');
    expect(posts(gateway)).toHaveLength(1);
    await commandFailure(product.call('signOut', { server: 'a' }));
    expect((await commandFailure(product.call('signIn', { server: 'a' })))?.code).toBe('E_TOKEN_REFUSED');
    expect(product.browser.openings).toBe(2);
  });
});

describe('a secret for a company', () => {
  it.each(['enterpriseClientSecret', 'enterpriseIdToken'] as const)(
    'is not accepted as %s before the setting names the company',
    async (name) => {
      const { company, product } = await startRig();
      const server = await company.server();
      const added = { url: server.mcp.url, name: 'a', clientId: server.clientId, clientSecret: server.clientSecret };
      const secrets = { [name]: new UnsecuredJWT({ sub: 'ada' }).encode() };
      expect(await commandFailure(product.call('addServer', { ...added, secrets }))).toMatchObject({
        code: 'E_BAD_INPUT',
        field: `secrets.${name}`,
      });
      expect(product.app.status.current().servers).toEqual([]);
      await product.call('addServer', added);
      expect(await commandFailure(product.call('configureServer', { server: 'a', secrets }))).toMatchObject({
        code: 'E_BAD_INPUT',
        field: `secrets.${name}`,
      });
      const settings = { grant: 'enterprise_managed' as const, enterprise: company.enterprise };
      expect(await commandFailure(product.call('configureServer', { server: 'a', settings, secrets }))).toBeUndefined();
    },
  );

  it('of an older version is bound to the list as read, not to changes before the keychain was unlocked', async () => {
    const { company, dataDir, store, open, product } = await startRig();
    const server = await company.server();
    const settings: ServerSettings = { grant: 'enterprise_managed', enterprise: company.enterprise };
    const idToken = new UnsecuredJWT({ iss: company.idp.issuer, aud: company.clientId, sub: 'ada' }).encode();
    await product.call('addServer', {
      url: server.mcp.url,
      name: 'a',
      clientId: server.clientId,
      clientSecret: server.clientSecret,
      settings,
      secrets: { enterpriseIdToken: idToken },
    });
    await product.close();
    for (const item of store.items.keys()) {
      if (item.endsWith('/list-key')) store.items.delete(item);
      if (item.endsWith(':enterpriseIdToken/head'))
        await createRecords(store).write(item.replace(/\/head$/, ''), 2, idToken);
    }
    store.fault = () => locked;
    const next = await open();
    const evil = await startAttacker(closing, { host: '127.0.0.3' });
    await callBroker(dataDir, 'configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, issuer: evil.origin } },
    });
    store.fault = undefined;
    await next.call('unlockStore');
    expect(await commandFailure(next.call('signIn', { server: 'a' }))).toMatchObject({ code: 'E_SECRET_AGAIN' });
    expect(JSON.stringify(evil.hits)).not.toContain(idToken);
  });
});
