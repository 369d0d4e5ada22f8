import { readFileSync } from 'node:fs';
import path from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { redirectPath } from '../../electron/core/oauth/authorization/loopback-server.ts';
import { freePort } from '../fixtures/free-port.ts';
import { rows } from '../fixtures/behaviour/rows.ts';
import { createWorlds, type Side } from '../fixtures/behaviour/worlds.ts';
import type { AuthorizationServerOptions } from '../fixtures/authorization-server.ts';
import type { FaultyOptions } from '../fixtures/faulty/world.ts';

const worlds = createWorlds();
afterEach(worlds.close);

/** Signs in, calls, refreshes and calls again, with one browser page at most. */
async function worksAsUsual({ product, signIn, echo }: Side, pages = 1): Promise<void> {
  await signIn();
  expect(await echo('first')).toBe('first');
  await product.call('refreshNow', { server: 'work' });
  expect(await echo('renewed')).toBe('renewed');
  expect(product.browser.openings).toBe(pages);
}

const layouts: readonly (readonly [string, FaultyOptions])[] = [
  [
    'an issuer with a path and metadata between host and path (RFC 8414)',
    { issuerPath: '/realms/x', metadataAt: 'oauth' },
  ],
  ['an issuer with a path and OpenID metadata between host and path', { issuerPath: '/realms/x', metadataAt: 'oidc' }],
  ['an issuer with a path and OpenID metadata after the path', { issuerPath: '/realms/x', metadataAt: 'appended' }],
  ['an issuer without a path and with OpenID metadata only', { metadataAt: 'oidc' }],
  ['resource metadata only at the path', { resourceMetadataAt: 'path', challenge: 'none' }],
  ['resource metadata only at the root', { resourceMetadataAt: 'root', challenge: 'none' }],
  ['a challenge without parameters', { challenge: 'bare' }],
  ['no WWW-Authenticate', { challenge: 'none' }],
  ['the MCP endpoint at the root', { path: '/' }],
];

const shipped = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../docs/client-metadata.json'), 'utf8'),
) as object;
const documentUrl = 'https://apps.company.example/keybridge/client-metadata.json';
const byHand = {
  client_id: 'by-hand',
  application_type: 'native' as const,
  grant_types: ['authorization_code', 'refresh_token'],
};

describe(rows.everyLayout, () => {
  it.each(layouts)('works with %s', async (_name, options) => {
    await worksAsUsual(await worlds.faulty(options));
  });

  it.each<[string, AuthorizationServerOptions]>([
    ['opaque tokens', { accessTokens: 'opaque' }],
    ['JWTs', { accessTokens: 'jwt' }],
    ['a refresh token for offline_access only', { refreshTokens: 'offline_access' }],
  ])('works with oidc-provider and the official SDK, with %s', async (_name, as) => {
    await worksAsUsual(await worlds.peers({ as }));
  });

  it('works with a client ID metadata document', async () => {
    const world = await worlds.peers({
      as: { clientDocument: { ...shipped, client_id: documentUrl } },
      server: { settings: { clientMetadataUrl: documentUrl } },
    });
    await worksAsUsual(world);
    expect(world.as.counts.registrations).toBe(0);
  });

  it.each(['none', 'client_secret_basic'] as const)(
    'works with a client that was registered by hand, with %s',
    async (method) => {
      const port = await freePort();
      const redirect_uris = [`http://127.0.0.1${redirectPath(`http://127.0.0.1:${port}`)}`];
      const clientSecret = method === 'none' ? undefined : 'a-secret-of-some-length';
      const client = {
        ...byHand,
        redirect_uris,
        token_endpoint_auth_method: method,
        ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
      };
      const world = await worlds.peers({
        as: { port, registration: false, clients: [client] },
        server: { clientId: 'by-hand', ...(clientSecret === undefined ? {} : { clientSecret }) },
      });
      await worksAsUsual(world);
      expect(world.as.counts.refreshesGranted).toBe(1);
    },
  );

  it.each(['a secret', 'a key'])('works with client credentials and %s', async (proof) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const own =
      proof === 'a secret'
        ? { client_secret: 'robots-secret' }
        : {
            token_endpoint_auth_method: 'private_key_jwt' as const,
            jwks: { keys: [publicKey.export({ format: 'jwk' })] },
          };
    const world = await worlds.peers({
      as: {
        clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
        clients: [
          { client_id: 'robot', grant_types: ['client_credentials'], redirect_uris: [], response_types: [], ...own },
        ],
      },
      server: {
        clientId: 'robot',
        settings: { grant: 'client_credentials' },
        ...(proof === 'a secret'
          ? { clientSecret: 'robots-secret' }
          : { secrets: { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() } }),
      },
    });
    await worksAsUsual(world, 0);
  });
});
