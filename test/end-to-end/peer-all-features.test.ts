import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createServerClient } from '../../electron/relay/server-client.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { createLog } from '../../electron/core/base/log.ts';
import { startAuthorizationServer, type AuthorizationServer } from '../fixtures/authorization-server.ts';
import { httpBrowser } from '../fixtures/browser.ts';
import { startDpopServer, type DpopServer } from '../fixtures/dpop-server.ts';
import { startProduct, type Product } from '../fixtures/product.ts';
import { until } from '../fixtures/wait.ts';
import { closeAfterEach } from '../fixtures/closing.ts';
import type { ServerSettings } from '../../shared/server-settings.ts';

// oidc-provider with all features turned on: they must not interfere with each other.

const closing = closeAfterEach();

function later<Value extends { close(): Promise<unknown> }>(value: Value): Value {
  closing.push(() => value.close());
  return value;
}

const documentUrl = 'https://apps.company.example/keybridge/client-metadata.json';
const shipped = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../docs/client-metadata.json'), 'utf8'),
) as object;

interface World {
  readonly as: AuthorizationServer;
  readonly server: DpopServer;
  readonly product: Product;
}

/** DPoP-bound JWTs with nonces; only pushed requests; resource indicators; all registration methods. */
async function world(settings: ServerSettings): Promise<World> {
  const as = later(
    await startAuthorizationServer({
      accessTokens: 'jwt',
      dpop: 'nonce',
      pushedRequests: 'required',
      deviceFlow: true,
      clientDocument: { ...shipped, client_id: documentUrl },
      clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    }),
  );
  const server = later(await startDpopServer(as, { nonce: true }));
  const product = later(await startProduct());
  await product.call('addServer', { url: server.url, name: 'bound', settings });
  return { as, server, product };
}

/** Sends one request as the relay does. Returns its status. */
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
    const answer = await upstream.request({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      timeoutMs: 5_000,
      repeatable: true,
      onChallenge: 'ignore',
    });
    for await (const _ of answer.body);
    return answer.status;
  } finally {
    connection.close();
  }
}

/** Enters the code that is shown, as a user on another device would. */
async function enterCode(product: Product): Promise<void> {
  const url = await until(async () => {
    const [server] = (await product.call('status')).servers;
    return server?.state.kind === 'signing_in' ? server.state.url : undefined;
  }, 'the code is shown');
  await httpBrowser().open(url);
}

it.each([
  ['a dynamic registration', 'through the browser', {}, 'dynamic', 'authorization_code'],
  [
    'a dynamic registration',
    'by device code',
    { grant: 'device_code' },
    'dynamic',
    'urn:ietf:params:oauth:grant-type:device_code',
  ],
  [
    'a client ID metadata document',
    'through the browser',
    { clientMetadataUrl: documentUrl },
    'metadata_document',
    'authorization_code',
  ],
] as const)(
  'the main job works with %s %s, and sign-out leaves nothing behind',
  async (_registration, _way, settings, registration, grant) => {
    const { as, server, product } = await world(settings);
    const byCode = grant !== 'authorization_code';
    await Promise.all([
      product.call('signIn', { server: 'bound', openBrowser: !byCode }),
      ...(byCode ? [enterCode(product)] : []),
    ]);
    expect(await product.call('serverDetail', { server: 'bound' })).toMatchObject({
      issuer: as.issuer,
      resource: server.url,
      registration,
      settings: { dpop: true },
      accessTokenClaims: { iss: as.issuer, aud: server.url },
      tokenNotes: [],
    });

    expect(await callThrough(product)).toBe(200);
    await product.call('refreshNow', { server: 'bound' });
    expect(await callThrough(product)).toBe(200);
    expect(new Set(server.keys).size).toBe(1);
    expect(new Set(as.seen.token.map(({ grant_type: kind }) => kind))).toEqual(new Set([grant, 'refresh_token']));
    expect(as.seen.token.every(({ resource }) => resource === server.url)).toBe(true);
    expect(as.counts).toMatchObject({
      refreshesGranted: 1,
      refreshReuses: 0,
      registrations: registration === 'dynamic' ? 1 : 0,
    });
    for (const asked of as.seen.authorize) expect([...asked.keys()].toSorted()).toEqual(['client_id', 'request_uri']);

    const own = registration === 'dynamic' ? { registration: 'deleted' } : {};
    expect(await product.call('signOut', { server: 'bound' })).toEqual({ revoked: 'confirmed', deleted: true, ...own });
    const secrets = as.secrets();
    expect(secrets.length).toBeGreaterThan(3);
    expect(product.log.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
  },
);
