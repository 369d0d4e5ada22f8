import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { callBroker } from '../../../electron/broker/control-client.ts';
import { createRecords } from '../../../electron/core/vault/records.ts';
import type { ServerSettings } from '../../../shared/model.ts';
import type { ErrorInfo } from '../../../shared/reply.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { startCompany, type Company } from '../../fixtures/company.ts';
import { createFakeStore, locked } from '../../fixtures/fake-store.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';
import { startSite, type Site } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';

// What a company's identity provider gives, and what was entered for it, led away by settings that another program
// changes.

const closing = closeAfterEach();

/** Takes whatever it is sent, at a host of its own. */
async function attacker(): Promise<Site> {
  const site = await startSite({ host: '127.0.0.3' });
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

const failure = (promise: Promise<unknown>): Promise<ErrorInfo | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => ((error as Error).cause as ErrorInfo | undefined) ?? (error as ErrorInfo),
  );
const posts = (site: Site) => site.hits.filter(({ method }) => method === 'POST');
const state = (product: Product, name: string) =>
  product.app.status.current().servers.find((one) => one.name === name)?.state;

describe('an ID token that is to be exchanged at a host of another owner', () => {
  it('does not go there where nobody can be asked, though the sign-in at the company needs no click', async () => {
    const { company, dataDir, product } = await desk();
    const settings = await add(company, product, 'a');
    await product.call('signIn', { server: 'a' });
    const evil = await attacker();
    await callBroker(dataDir, 'configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, tokenEndpoint: `${evil.origin}/token` } },
    });
    expect(await failure(callBroker(dataDir, 'signIn', { server: 'a' }))).toMatchObject({
      code: 'E_HOSTS_UNCONFIRMED',
    });
    expect([product.browser.openings, posts(evil)]).toEqual([1, []]);
  });

  it('does not go to another host of the same site either: there each company may have one', async () => {
    const { company, product } = await desk();
    const settings = await add(company, product, 'a');
    const neighbour = company.idp.issuer.replace('127.0.0.1', 'localhost');
    await product.call('configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, tokenEndpoint: `${neighbour}/token` } },
    });
    expect(await failure(product.call('signIn', { server: 'a' }))).toMatchObject({ code: 'E_HOSTS_UNCONFIRMED' });
    expect([product.browser.openings, company.exchanges]).toEqual([0, []]);
  });

  it('does not go there with a server that joins the sign-in of another one', async () => {
    const { company, product } = await desk();
    await add(company, product, 'a');
    const settings = await add(company, product, 'b');
    const evil = await attacker();
    await product.call('configureServer', {
      server: 'b',
      settings: { ...settings, enterprise: { ...company.enterprise, tokenEndpoint: `${evil.origin}/token` } },
    });
    const [a, b] = [failure(product.call('signIn', { server: 'a' })), failure(product.call('signIn', { server: 'b' }))];
    expect([await a, (await b)?.code]).toEqual([undefined, 'E_HOSTS_UNCONFIRMED']);
    expect(posts(evil)).toEqual([]);
  });

  it('goes there after a person has confirmed it, and the answer holds for the sign-ins that follow', async () => {
    const { company, product } = await desk();
    const settings = await add(company, product, 'a');
    const gateway = await attacker();
    await product.call('configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, tokenEndpoint: `${gateway.origin}/token` } },
    });
    const hosts = [
      { what: 'issuer' as const, host: new URL(company.idp.issuer).host },
      { what: 'exchange' as const, host: new URL(gateway.origin).host },
    ];
    const ended = failure(product.call('signIn', { server: 'a', canAsk: true }));
    await until(() => JSON.stringify(state(product, 'a')).includes('"confirm"'), 'the question');
    expect(state(product, 'a')).toMatchObject({ confirm: hosts });
    expect(product.browser.openings).toBe(0);
    await product.call('confirmSignIn', { server: 'a', hosts });
    // The server does not take what this endpoint gives; what counts is that it was asked.
    expect((await ended)?.code).toBe('E_TOKEN_REFUSED');
    expect(posts(gateway)).toHaveLength(1);
    await failure(product.call('signOut', { server: 'a' }));
    expect((await failure(product.call('signIn', { server: 'a' })))?.code).toBe('E_TOKEN_REFUSED');
    expect(product.browser.openings).toBe(2);
  });
});

describe('a secret for a company', () => {
  it.each(['enterpriseClientSecret', 'enterpriseIdToken'] as const)(
    'is not taken before the setting says for which company: the first that names itself would get the %s',
    async (name) => {
      const { company, product } = await desk();
      const server = await company.server();
      const added = { url: server.mcp.url, name: 'a', clientId: server.clientId, clientSecret: server.clientSecret };
      const secrets = { [name]: new UnsecuredJWT({ sub: 'ada' }).encode() };
      expect(await failure(product.call('addServer', { ...added, secrets }))).toMatchObject({
        code: 'E_BAD_INPUT',
        field: `secrets.${name}`,
      });
      expect(product.app.status.current().servers).toEqual([]);
      await product.call('addServer', added);
      expect(await failure(product.call('configureServer', { server: 'a', secrets }))).toMatchObject({
        code: 'E_BAD_INPUT',
        field: `secrets.${name}`,
      });
      const settings = { grant: 'enterprise_managed' as const, enterprise: company.enterprise };
      expect(await failure(product.call('configureServer', { server: 'a', settings, secrets }))).toBeUndefined();
    },
  );

  it('of an older version is bound by the list as it was read, not by what was changed in it before the keychain opened', async () => {
    const { company, dataDir, store, open, product } = await desk();
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
    const evil = await attacker();
    await callBroker(dataDir, 'configureServer', {
      server: 'a',
      settings: { ...settings, enterprise: { ...company.enterprise, issuer: evil.origin } },
    });
    store.fault = undefined;
    await next.call('unlockStore');
    expect(await failure(next.call('signIn', { server: 'a' }))).toMatchObject({ code: 'E_SECRET_AGAIN' });
    expect(JSON.stringify(evil.hits)).not.toContain(idToken);
  });
});
