import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../../electron/core/http/client.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import type { Http } from '../../../electron/core/http/http.ts';
import { refresh, revoke } from '../../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { clientAt, clientOf, exchange, withEndpoint, withFaulty } from '../../fixtures/token-endpoint-rig.ts';

let http: Http;
beforeEach(() => {
  http = createHttp();
});
afterEach(() => http.close());

describe('a revocation', () => {
  it('is confirmed by the server, and the token no longer works', () =>
    withFaulty('healthy', {}, async (faulty) => {
      const { refreshToken } = await exchange(http, faulty);
      expect(await revoke(clientOf(faulty), refreshToken ?? new Secret(''), 'refresh_token', { http })).toBe(
        'confirmed',
      );
      expect((await refresh(clientOf(faulty), refreshToken ?? new Secret(''), {}, { http })).kind).toBe('rejected');
    }));

  it('reports a server that does not offer it and one that does not confirm it', async () => {
    await withFaulty('refresh-as-down', {}, async (faulty) => {
      expect(await revoke(clientOf(faulty), new Secret('t'), 'refresh_token', { http })).toBe('failed');
      const { revocationEndpoint: _none, ...client } = clientOf(faulty);
      expect(await revoke(client, new Secret('t'), 'refresh_token', { http })).toBe('not_offered');
    });
    await withEndpoint({ status: 503 }, async (_seen, origin) => {
      expect(
        await revoke(clientAt(origin, { revocationEndpoint: `${origin}/revoke` }), new Secret('t'), 'refresh_token', {
          http,
        }),
      ).toBe('failed');
    });
  });
});
