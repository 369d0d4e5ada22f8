import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../electron/core/base/errors.ts';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { createHttp } from '../../../electron/core/http/client.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import type { Http } from '../../../electron/core/http/http.ts';
import type { TokenClient } from '../../../electron/core/oauth/model.ts';
import { exchangeCode } from '../../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { failure } from '../../fixtures/failure.ts';
import { until } from '../../fixtures/wait.ts';
import { startSite, type Hit } from '../../fixtures/site.ts';
import { authorize, clientOf, exchange, redirectUri, withFaulty } from '../../fixtures/token-endpoint-rig.ts';

let http: Http;
beforeEach(() => {
  http = createHttp();
});
afterEach(() => http.close());

describe('exchanging an authorization code', () => {
  it('sends exactly the parameters of the specification, and returns the tokens', () =>
    withFaulty('healthy', {}, async (faulty) => {
      const tokens = await exchange(http, faulty);
      expect(tokens.accessToken.reveal()).toMatch(/^kb-access-/);
      expect(tokens.refreshToken?.reveal()).toMatch(/^kb-refresh-/);
      expect(tokens).toMatchObject({ expiresInMs: 60_000, scopes: ['mcp:tools'] });
      const { code: _code, code_verifier: _verifier, ...sent } = faulty.seen.token[0] ?? {};
      expect(sent).toEqual({
        grant_type: 'authorization_code',
        redirect_uri: redirectUri,
        resource: faulty.url,
        client_id: 'c1',
      });
    }));

  it.each([
    ['TR01', 'token-html', 'E_NOT_JSON'],
    ['TR02', 'token-500', 'E_HTTP_STATUS'],
    ['TR04', 'token-huge', 'E_TOO_LARGE'],
    ['TR05', 'token-missing', 'E_TOKEN_RESPONSE'],
    ['TR05', 'token-not-a-string', 'E_TOKEN_RESPONSE'],
    ['TR06', 'token-type-mac', 'E_TOKEN_RESPONSE'],
    ['TR07', 'token-crlf', 'E_TOKEN_RESPONSE'],
    ['TR07', 'token-nul', 'E_TOKEN_RESPONSE'],
    ['TR07', 'token-nonascii', 'E_TOKEN_RESPONSE'],
    ['TR09', 'token-redirect-307', 'E_REDIRECTED'],
    ['TR10', 'token-error-200', 'E_TOKEN_REFUSED'],
    ['TR14', 'token-reset', 'E_CONNECTION_LOST'],
  ])('%s fails for %s with %s, sends the code once, and shows no secret', (_row, scenario, code) =>
    withFaulty(scenario, { bytes: 1_000_000 }, async (faulty) => {
      const error = await failure(exchange(http, faulty));
      expect(error.code).toBe(code);
      expect(faulty.counts.codeExchanges).toBe(1);
      expect(faulty.evilHits).toBe(0);
      expect(error.message.length).toBeLessThanOrEqual(300);
      for (const secret of faulty.secrets()) expect(JSON.stringify(error.toInfo())).not.toContain(secret);
    }),
  );

  it('TR02 sends the code again after "connection refused", since it was not used', () =>
    withFaulty('healthy', {}, async (faulty) => {
      const grant = await authorize(faulty);
      let tries = 0;
      const flaky: Http = {
        ...http,
        fetch: (request) => {
          tries += 1;
          return tries === 1
            ? Promise.reject(new AppError('E_CONNECT', 'Refused.', { sent: false }))
            : http.fetch(request);
        },
      };
      expect(
        (await exchangeCode(clientOf(faulty), grant, { http: flaky, clock: systemClock() })).refreshToken,
      ).toBeDefined();
      expect(tries).toBe(2);
    }));

  it('TR03 fails after 30 s without a response', () =>
    withFaulty('token-hang', {}, async (faulty) => {
      const timeouts: number[] = [];
      const impatient: Http = {
        ...http,
        fetch: (request) => {
          timeouts.push(request.timeoutMs);
          return http.fetch({ ...request, timeoutMs: 200 });
        },
      };
      expect((await failure(exchange(impatient, faulty))).code).toBe('E_TIMEOUT');
      expect(timeouts).toEqual([30_000]);
    }));

  it.each([[-1], [0], [1e308], ['3600'], [null], [undefined], ['soon'], [{}]])(
    'TR08 succeeds with expires_in %j',
    (expiresIn) =>
      withFaulty('token-expires-weird', { expiresIn }, async (faulty) => {
        const tokens = await exchange(http, faulty);
        expect(tokens.refreshToken).toBeDefined();
        expect(tokens.expiresInMs).toBe(expiresIn === '3600' ? 3_600_000 : undefined);
      }),
  );

  it.each(['token-null-members', 'token-no-type', 'token-201'])('accepts the tokens of %s', (scenario) =>
    withFaulty(scenario, {}, async (faulty) => {
      expect((await exchange(http, faulty)).refreshToken?.reveal()).toMatch(/^kb-refresh-/);
    }),
  );

  it('succeeds without a refresh token (token-null-refresh)', () =>
    withFaulty('token-null-refresh', {}, async (faulty) => {
      expect((await exchange(http, faulty)).refreshToken).toBeUndefined();
    }));

  it('TR11 returns a narrower scope', () =>
    withFaulty('token-scope-less', {}, async (faulty) => {
      expect((await exchange(http, faulty)).scopes).toEqual(['mcp:read']);
    }));

  it('TR12 returns a 12 KB access token and a 4 KB refresh token', () =>
    withFaulty('token-long', {}, async (faulty) => {
      const tokens = await exchange(http, faulty);
      expect(tokens.accessToken.reveal()).toHaveLength(12_000);
      expect(tokens.refreshToken?.reveal()).toHaveLength(4_000);
    }));

  it('TR13 sends the code again once after a 429, not before Retry-After', () =>
    withFaulty('token-429', { retryAfterSeconds: 1 }, async (faulty) => {
      expect((await exchange(http, faulty)).refreshToken).toBeDefined();
      expect(faulty.counts.codeExchanges).toBe(2);
      expect(faulty.counts.early).toBe(0);
    }));

  it('is cancelled during the pause before the second attempt', () =>
    withFaulty('token-429', { retryAfterSeconds: 15 }, async (faulty) => {
      const abort = new AbortController();
      // Not advanced: only the signal can end the pause.
      const clock = createFakeClock();
      const ended = failure(
        exchangeCode(clientOf(faulty), await authorize(faulty), { http, clock, signal: abort.signal }),
      );
      await until(() => clock.pending === 1, 'it waits for the second attempt');
      abort.abort();
      expect((await ended).code).toBe('E_CANCELLED');
      expect(faulty.counts.codeExchanges).toBe(1);
    }));

  it('LG02 redacts code, verifier and client secret from an error that repeats them', async () => {
    const site = await startSite();
    site.routes['/token'] = (request: IncomingMessage, response: ServerResponse, hit: Hit) => {
      const form = new URLSearchParams(hit.body);
      const { authorization = '' } = request.headers;
      const secret = decodeURIComponent(
        Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':')[1] ?? '',
      );
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end(
          JSON.stringify({
            error: 'invalid_grant',
            error_description: `no ${form.get('code')} ${form.get('code_verifier')} ${secret}`,
          }),
        );
    };
    try {
      const client: TokenClient = {
        issuer: site.origin,
        tokenEndpoint: `${site.origin}/token`,
        clientId: 'c1',
        clientSecret: new Secret('kb-secret'),
        clientAuth: 'client_secret_basic',
        resource: site.origin,
        allow: ['loopback'],
      };
      const error = await failure(
        exchangeCode(
          client,
          { code: new Secret('kb-code-1'), codeVerifier: new Secret('kb-verifier'), redirectUri },
          { http, clock: systemClock() },
        ),
      );
      expect(error.message).toContain('no ... ... ...');
      expect(error.message).not.toContain('kb-');
    } finally {
      await site.close();
    }
  });

  it('reports an unknown client with a code of its own', () =>
    withFaulty('healthy', {}, async (faulty) => {
      expect((await failure(exchange(http, faulty, clientOf(faulty, { clientId: 'unknown' })))).code).toBe(
        'E_CLIENT_REFUSED',
      );
    }));
});
