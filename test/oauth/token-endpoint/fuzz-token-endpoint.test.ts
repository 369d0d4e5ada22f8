import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { isLoopbackHost } from '../../../shared/loopback.ts';
import { createDpopHttp } from '../../../electron/core/oauth/client-auth/dpop-http.ts';
import { createDpopKey } from '../../../electron/core/oauth/client-auth/dpop.ts';
import { deviceCode } from '../../../electron/core/oauth/token-endpoint/device-authorization.ts';
import { readTokenResponse } from '../../../electron/core/oauth/token-endpoint/token-response.ts';
import { exchangeCode, refresh } from '../../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { answering, fault, rounds, seed } from '../../fixtures/fuzz.ts';
import { damaged, distortedJson } from '../../fixtures/random.ts';
import type { TokenClient } from '../../../electron/core/oauth/model.ts';

describe(`the token endpoint under random damage, seed ${seed}`, () => {
  it('turns a token response into tokens that fit into a header, or into an error', async () => {
    const good = {
      access_token: 'the-access-token',
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: 'the-refresh-token',
      scope: 'a b',
      id_token: 'e30.e30.e30',
    };
    const client: TokenClient = {
      issuer: 'https://login.example',
      tokenEndpoint: 'https://login.example/token',
      clientId: 'c',
      clientAuth: 'none',
      resource: 'https://mcp.example/mcp',
      allow: ['public'],
    };
    const key = await createDpopKey();
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    let tokens = 0;
    await rounds(2_000, async (random, number) => {
      const value = random.chance(0.3)
        ? { error: 'invalid_grant', error_description: 'x', ...good }
        : { ...good, token_type: random.pick(['Bearer', 'DPoP']) };
      const usual = random.chance(0.4) ? damaged(random, JSON.stringify(value)) : distortedJson(random, value);
      // The first body is nested too deeply to be serialized again.
      const body = Buffer.from(
        number === 0
          ? `{"access_token":"a","token_type":"DPoP","refresh_token":"the-refresh-token","x":${deep}}`
          : usual,
      );
      const answer = {
        status: number === 0 ? 200 : random.pick([200, 200, 200, 201, 302, 400, 401, 429, 500]),
        headers: { 'retry-after': damaged(random, '7') },
        body,
      };
      const verdict = readTokenResponse(answer, 0);
      if (verdict.kind === 'tokens') {
        tokens += 1;
        expect(verdict.tokens.accessToken.reveal()).toMatch(/^[\x21-\x7e]+$/);
        expect(verdict.tokens.expiresInMs ?? 1).toBeGreaterThan(0);
      }
      if (verdict.kind === 'unclear') expect(verdict.fault.message).not.toMatch(/the-(access|refresh)-token/);
      if (number === 0 || random.chance(0.08)) {
        const http = answering(() => answer);
        for (const one of [
          http,
          createDpopHttp({
            http,
            home: () => 'https://mcp.example',
            readKey: async () => key,
            keepKey: async () => {},
            now: () => 0,
          }),
        ]) {
          const outcome = await refresh(client, new Secret('r'), {}, { http: one });
          // E_ENDPOINT_REFUSED would mean that reading the response threw.
          expect('error' in outcome ? outcome.error.code : outcome.kind).toMatch(
            /^(?!E_UNEXPECTED|E_ENDPOINT_REFUSED)/,
          );
          // A rotated refresh token is kept, whatever else is in the response.
          const kept =
            outcome.kind === 'refreshed'
              ? outcome.tokens.refreshToken
              : outcome.kind === 'unreachable'
                ? outcome.rotated
                : undefined;
          if (verdict.kind === 'unclear' && verdict.rotated) expect(kept?.equals(verdict.rotated)).toBe(true);
        }
        await fault(() =>
          exchangeCode(
            client,
            {
              code: new Secret('c'),
              codeVerifier: new Secret('v'.repeat(43)),
              redirectUri: 'http://127.0.0.1:1/callback',
            },
            { http },
          ),
        );
      }
    });
    expect(tokens).toBeGreaterThan(100);
  });

  it('turns a device authorization response into a code for an https page, or into an error', async () => {
    const client: TokenClient = {
      issuer: 'https://login.example',
      tokenEndpoint: 'https://login.example/t',
      clientId: 'c',
      clientAuth: 'none',
      resource: 'https://mcp.example/mcp',
      allow: ['public'],
    };
    const good = {
      device_code: 'd',
      user_code: 'WDJB-MJHT',
      verification_uri: 'https://login.example/device',
      verification_uri_complete: 'https://login.example/device?user_code=WDJB-MJHT',
      expires_in: 900,
      interval: 5,
    };
    let codes = 0;
    await rounds(500, async (random) => {
      const body = random.chance(0.3)
        ? Buffer.from(damaged(random, JSON.stringify(good)))
        : Buffer.from(distortedJson(random, good));
      const http = answering(() => ({ status: random.pick([200, 200, 200, 400, 500]), body }));
      await fault(async () => {
        const { url, userCode, expiresInMs, intervalMs } = await deviceCode(
          client,
          'https://login.example/device_authorization',
          ['a'],
          { http, clock: systemClock() },
        );
        codes += 1;
        expect(url.protocol === 'https:' || isLoopbackHost(url)).toBe(true);
        expect(url.username + url.password).toBe('');
        expect(userCode).toMatch(/^[\x20-\x7e]{1,64}$/);
        expect([expiresInMs > 0, expiresInMs <= 86_400_000, intervalMs >= 1_000, intervalMs <= 300_000]).toEqual([
          true,
          true,
          true,
          true,
        ]);
      });
    });
    expect(codes).toBeGreaterThan(50);
  });
});
