import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createServerClient } from '../../../electron/relay/server-client.ts';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { createHttp } from '../../../electron/core/http/client.ts';
import { createLog } from '../../../electron/core/base/log.ts';
import { createDpopHttp } from '../../../electron/core/oauth/client-auth/dpop-http.ts';
import { createDpopKey } from '../../../electron/core/oauth/client-auth/dpop.ts';
import type { Secret } from '../../../electron/core/base/secret.ts';
import { createMemoryStore } from '../../../electron/core/vault/memory.ts';
import {
  startAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '../../fixtures/authorization-server.ts';
import { startDpopServer, type DpopServer } from '../../fixtures/dpop-server.ts';
import { startProduct, type Product } from '../../fixtures/product.ts';
import { startSite } from '../../fixtures/site.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';

const closing = closeAfterEach();

function later<Value extends { close(): Promise<unknown> }>(value: Value): Value {
  closing.push(() => value.close());
  return value;
}

interface World {
  readonly as: AuthorizationServer;
  readonly server: DpopServer;
  readonly product: Product;
  readonly call: () => Promise<number>;
}

async function world(
  options: {
    readonly as?: AuthorizationServerOptions;
    readonly nonce?: boolean;
    readonly settings?: ServerSettings;
  } = {},
): Promise<World> {
  const as = later(
    await startAuthorizationServer({ accessTokens: 'jwt', dpop: options.nonce ? 'nonce' : 'offered', ...options.as }),
  );
  const server = later(await startDpopServer(as, { nonce: options.nonce ?? false }));
  const product = later(await startProduct({ store: createMemoryStore() }));
  await product.call('addServer', { url: server.url, name: 'bound', settings: options.settings ?? { dpop: true } });
  return { as, server, product, call: () => callThrough(product) };
}

/** Sends one request like the relay. Returns the status. */
async function callThrough({ app }: Product): Promise<number> {
  const connection = app.connect('bound');
  try {
    const upstream = createServerClient({
      connection,
      http: app.http,
      log: createLog(() => {}, Date.now),
      clock: systemClock(),
    });
    const body = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}');
    const stream = await upstream.request({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      timeoutMs: 5_000,
      repeatable: true,
      onChallenge: 'ignore',
    });
    for await (const _ of stream.body);
    return stream.status;
  } finally {
    connection.close();
  }
}

describe('DPoP-bound tokens (RFC 9449)', () => {
  it('work for sign-in, calls and refresh with real peers, with a new proof for each request', async () => {
    const { as, server, product, call } = await world();
    await product.call('signIn', { server: 'bound', openBrowser: true });
    expect(await call()).toBe(200);
    expect(await call()).toBe(200);
    await product.call('refreshNow', { server: 'bound' });
    expect(await call()).toBe(200);
    expect(server.verdicts.filter((verdict) => verdict !== 'missing')).toEqual(['', '', '']);
    expect(new Set(server.keys).size).toBe(1);
    expect(as.counts).toMatchObject({ codeExchangesGranted: 1, refreshesGranted: 1 });
  });

  it.each([false, true])('work for userinfo with a proof (nonce: %s)', async (nonce) => {
    // Without `resource` the token is valid only for userinfo.
    const { product } = await world({
      nonce,
      as: { thinIdTokens: true, dpop: nonce ? 'nonce' : 'offered' },
      settings: { dpop: true, identity: true, resource: 'omit' },
    });
    await product.call('signIn', { server: 'bound', openBrowser: true });
    expect(await product.call('serverDetail', { server: 'bound' })).toMatchObject({
      status: { identity: 'ada' },
      identityVerified: true,
      idTokenClaims: { email: 'ada@example.test' },
    });
  });

  it('work when token endpoint and server require a nonce, which is stored until it changes', async () => {
    const { as, server, product, call } = await world({ nonce: true });
    await product.call('signIn', { server: 'bound', openBrowser: true });
    expect(as.counts).toMatchObject({ codeExchanges: 2, codeExchangesGranted: 1 });
    server.verdicts.length = 0;
    expect(await call()).toBe(200);
    expect(await call()).toBe(200);
    expect(server.verdicts).toEqual(['use_dpop_nonce', '', '']);
    server.nextNonce();
    expect(await call()).toBe(200);
    expect(server.verdicts.slice(3)).toEqual(['use_dpop_nonce', '']);
    expect(as.counts.refreshes).toBe(0);
  });

  it('can be refreshed after a restart, because the key is stored', async () => {
    const as = later(await startAuthorizationServer({ accessTokens: 'jwt', dpop: 'nonce' }));
    const server = later(await startDpopServer(as, { nonce: true }));
    const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-dpop-'));
    closing.push(() => rm(dataDir, { recursive: true, force: true }));
    // Named like a persistent store, so that its index is a file.
    const store = { ...createMemoryStore(), name: 'keychain' as const, close: async () => {} };
    const first = await startProduct({ dataDir, store });
    await first.call('addServer', { url: server.url, name: 'bound', settings: { dpop: true } });
    await first.call('signIn', { server: 'bound', openBrowser: true });
    expect(await callThrough(first)).toBe(200);
    await first.close();
    const second = later(await startProduct({ dataDir, store }));
    expect(await callThrough(second)).toBe(200);
    expect(as.counts).toMatchObject({ codeExchangesGranted: 1, refreshesGranted: 1 });
    expect(new Set(server.keys).size).toBe(1);
  });

  it('are bound to a new key after a sign-out', async () => {
    const { server, product, call } = await world();
    await product.call('signIn', { server: 'bound', openBrowser: true });
    await call();
    expect((await product.call('signOut', { server: 'bound' })).revoked).toBe('confirmed');
    await product.call('signIn', { server: 'bound', openBrowser: true });
    expect(await call()).toBe(200);
    expect(new Set(server.keys).size).toBe(2);
  });

  it('are used without a setting if the resource requires them, and the detail shows it', async () => {
    const { product, server, call } = await world({ settings: {} });
    await product.call('signIn', { server: 'bound', openBrowser: true });
    expect(await call()).toBe(200);
    expect((await product.call('serverDetail', { server: 'bound' })).settings.dpop).toBe(true);
    expect(server.keys).toHaveLength(1);
  });

  it('can be switched off by the user', async () => {
    const { product, server, call } = await world({ settings: { dpop: false } });
    await product.call('signIn', { server: 'bound', openBrowser: true });
    expect(await call()).toBe(401);
    expect(server.keys).toEqual([]);
    expect(server.verdicts).toContain('not DPoP');
  });

  it('do not appear in the log, nor does the key', async () => {
    const { as, product, call } = await world({ nonce: true });
    await product.call('signIn', { server: 'bound', openBrowser: true });
    await call();
    const text = product.log.join('');
    for (const secret of as.secrets()) expect(text).not.toContain(secret);
    expect(text).not.toContain('"d"');
  });
});

describe('the HTTP client that binds tokens to a key', () => {
  async function bound(answer: object, home: () => string | undefined = () => undefined) {
    const site = later(await startSite());
    site.routes['/token'] = answer;
    site.routes['/mcp'] = {};
    let key: Secret | undefined;
    const http = later(
      createDpopHttp({
        http: createHttp(),
        home,
        readKey: async () => key,
        keepKey: async (made) => {
          key = made;
        },
        now: Date.now,
      }),
    );
    const ask = (path: string, more: object = {}) =>
      http.fetch({
        url: new URL(path, site.origin),
        method: 'POST',
        allow: ['loopback'],
        timeoutMs: 5_000,
        maxBytes: 10_000,
        body: 'grant_type=authorization_code',
        ...more,
      });
    const useKey = async () => {
      key = await createDpopKey();
    };
    return { site, ask, useKey };
  }

  it('changes nothing without the setting, not even the type of a DPoP token', async () => {
    const { site, ask } = await bound({ access_token: 'x', token_type: 'DPoP' });
    expect(JSON.parse((await ask('/token', { forTokens: true })).body.toString())).toEqual({
      access_token: 'x',
      token_type: 'DPoP',
    });
    await ask('/mcp', { headers: { authorization: 'Bearer x' } });
    expect(site.hits.map(({ headers }) => [headers.authorization, headers['dpop']])).toEqual([
      [undefined, undefined],
      ['Bearer x', undefined],
    ]);
  });

  it('rejects a Bearer token in the response, because it is not bound (RFC 9449 5)', async () => {
    const { ask } = await bound({ access_token: 'x', token_type: 'Bearer' }, () => 'https://mcp.test');
    await expect(ask('/token', { forTokens: true })).rejects.toMatchObject({ code: 'E_TOKEN_RESPONSE' });
    // A refresh may have used up the old token, so its response is accepted.
    const refreshed = await ask('/token', { forTokens: true, body: 'grant_type=refresh_token' });
    expect(refreshed.status).toBe(200);
  });

  it('sends proof and token only to the origin of the server', async () => {
    let home: string | undefined;
    const { site, ask, useKey } = await bound({}, () => home);
    await useKey();
    home = 'https://mcp.test';
    await ask('/mcp', { headers: { authorization: 'Bearer x' } });
    home = site.origin;
    await ask('/mcp', { headers: { authorization: 'Bearer x' } });
    expect(site.hits.map(({ headers }) => headers.authorization)).toEqual(['Bearer x', 'DPoP x']);
    expect(site.hits[0]?.headers['dpop']).toBeUndefined();
    expect(site.hits[1]?.headers['dpop']).toMatch(/^ey/);
  });

  it('leaves the token that manages a registration a Bearer token, also on the same origin', async () => {
    let home: string | undefined;
    const { site, ask, useKey } = await bound({}, () => home);
    await useKey();
    home = site.origin;
    await ask('/mcp', { headers: { authorization: 'Bearer manage' }, ownBearer: true });
    expect(site.hits.map(({ headers }) => [headers.authorization, headers['dpop']])).toEqual([
      ['Bearer manage', undefined],
    ]);
  });

  it('sends a request at most twice to a server that always requires a new nonce', async () => {
    let home: string | undefined;
    const { site, ask, useKey } = await bound({}, () => home);
    await useKey();
    home = site.origin;
    let count = 0;
    site.routes['/mcp'] = (_, response) =>
      response
        .writeHead(401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': `n${(count += 1)}` })
        .end();
    expect((await ask('/mcp', { headers: { authorization: 'Bearer x' } })).status).toBe(401);
    expect(count).toBe(2);
  });
});
