import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { redirectPath } from '../../../electron/core/oauth/authorization/loopback-server.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { freePort } from '../../fixtures/free-port.ts';
import { failure } from '../../fixtures/failure.ts';
import { createGrantRig, ping } from '../../fixtures/grant-rig.ts';

const { withServer, provider, tokenSite } = createGrantRig(closeAfterEach());

const keys = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const;

describe('client authentication by private_key_jwt', () => {
  it.each(Object.keys(keys) as (keyof typeof keys)[])(
    'signs with %s, and a real authorization server accepts it',
    async (alg) => {
      const { privateKey, publicKey } = keys[alg];
      const { as, mcp } = await provider({
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'key-1', use: 'sig' }] },
      });
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const { start, token } = await withServer(mcp.url, {
        settings: { grant: 'client_credentials', keyId: 'key-1', signingAlgorithm: alg },
        secrets: { privateKey: pem },
      });
      await start();
      expect(await ping(mcp.url, await token())).toBe(200);
      expect(as.seen.token).toHaveLength(1);
    },
  );

  it('uses the algorithm and the key ID of a JWK', async () => {
    const site = await tokenSite();
    const jwk = JSON.stringify({ ...keys.PS256.privateKey.export({ format: 'jwk' }), kid: 'from-jwk', alg: 'PS256' });
    const { start, rig } = await withServer(site.url, {
      settings: { grant: 'client_credentials' },
      secrets: { privateKey: jwk },
    });
    await start();
    const assertion = site.forms[0]?.get('client_assertion') ?? '';
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'PS256', kid: 'from-jwk' });
    const claims = decodeJwt(assertion);
    expect(claims).toEqual({
      iss: 'robot',
      sub: 'robot',
      aud: site.site.origin,
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: (claims.iat ?? 0) + 60,
    });
    expect(site.forms[0]?.has('client_secret')).toBe(false);
    expect(rig.log.join('\n')).not.toContain(assertion);
  });

  it.each([
    ['is not a key', 'not a key'],
    [
      'cannot sign with the chosen algorithm',
      keys.ES256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
    ['has only the public part', keys.RS256.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  ])('sends nothing with a key that %s, and does not show the key', async (_what, privateKey) => {
    const site = await tokenSite();
    const { start } = await withServer(site.url, {
      settings: { grant: 'client_credentials', signingAlgorithm: 'RS256' },
      secrets: { privateKey },
    });
    const error = await failure(start());
    expect(error).toMatchObject({ code: 'E_BAD_INPUT' });
    expect(error.message).not.toContain(privateKey.slice(30, 60) || privateKey);
    expect(site.forms).toEqual([]);
  });

  it('is also used for the authorization code grant and its refresh', async () => {
    const port = await freePort();
    const { as, mcp } = await provider(
      {
        token_endpoint_auth_method: 'private_key_jwt',
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [`http://127.0.0.1${redirectPath(`http://127.0.0.1:${port}`)}`],
        jwks: { keys: [keys.ES256.publicKey.export({ format: 'jwk' })] },
      },
      { port },
    );
    const pem = keys.ES256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const started = await withServer(mcp.url, {
      settings: { clientAuth: 'private_key_jwt' },
      secrets: { privateKey: pem },
    });
    await started.start();
    await started.rig.tokens.refreshNow(started.id);
    expect(as.counts).toMatchObject({ codeExchangesGranted: 1, refreshesGranted: 1 });
    expect(started.rig.vault.facts(started.id)).toMatchObject({ clientAuth: 'private_key_jwt' });
  });
});
