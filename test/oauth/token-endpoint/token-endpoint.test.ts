import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../electron/core/base/errors.ts';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { createHttp } from '../../../electron/core/http/client.ts';
import { retryAfterMs } from '../../../electron/core/http/retry-after.ts';
import { readTokenResponse } from '../../../electron/core/oauth/token-endpoint/token-response.ts';
import { exchangeCode, refresh, revoke } from '../../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { startFaulty, type Faulty } from '../../fixtures/faulty-server.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { failure } from '../../fixtures/failure.ts';
import { startSite, type Hit } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';
import type { Http } from '../../../electron/core/http/http.ts';
import type { TokenClient, Tokens } from '../../../electron/core/oauth/model.ts';

let http: Http;
beforeEach(() => {
  http = createHttp();
});
afterEach(() => http.close());

const redirectUri = 'http://127.0.0.1:9/callback/x';

function clientOf(faulty: Faulty, change: Partial<TokenClient> = {}): TokenClient {
  return {
    issuer: faulty.issuer,
    tokenEndpoint: `${faulty.issuer}/token`,
    revocationEndpoint: `${faulty.issuer}/revoke`,
    clientId: 'c1',
    clientAuth: 'none',
    resource: faulty.url,
    allow: ['loopback'],
    ...change,
  };
}

async function withFaulty(
  scenario: string,
  settings: Parameters<Faulty['setScenario']>[1],
  use: (faulty: Faulty) => Promise<void>,
): Promise<void> {
  const faulty = await startFaulty({ clients: [{ client_id: 'c1' }] });
  try {
    await faulty.setScenario(scenario, settings);
    await use(faulty);
  } finally {
    await faulty.close();
  }
}

/** A code of the fixture, as a browser would bring it. */
async function authorize(faulty: Faulty): Promise<{ code: Secret; codeVerifier: Secret; redirectUri: string }> {
  const codeVerifier = randomBytes(32).toString('base64url');
  const url = new URL(`${faulty.issuer}/authorize`);
  const challenge = createHash('sha256').update(codeVerifier).digest('base64url');
  const asked = {
    response_type: 'code',
    client_id: 'c1',
    redirect_uri: redirectUri,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource: faulty.url,
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  const answer = await fetch(url, { redirect: 'manual' });
  const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
  return { code: new Secret(code), codeVerifier: new Secret(codeVerifier), redirectUri };
}

const exchange = async (faulty: Faulty, client = clientOf(faulty), using = http): Promise<Tokens> =>
  exchangeCode(client, await authorize(faulty), { http: using, clock: systemClock() });

describe('the code exchange', () => {
  it('sends exactly what the specification asks for, and gives the tokens', () =>
    withFaulty('healthy', {}, async (faulty) => {
      const tokens = await exchange(faulty);
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
  ])('%s %s: refused with %s, the code is sent once, nothing of it leaks', (_row, scenario, code) =>
    withFaulty(scenario, { bytes: 1_000_000 }, async (faulty) => {
      const error = await failure(exchange(faulty));
      expect(error.code).toBe(code);
      expect(faulty.counts.codeExchanges).toBe(1);
      expect(faulty.evilHits).toBe(0);
      expect(error.message.length).toBeLessThanOrEqual(300);
      for (const secret of faulty.secrets()) expect(JSON.stringify(error.toInfo())).not.toContain(secret);
    }),
  );

  it('TR02 connection refused: the code was not used, and is sent once more', () =>
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

  it('TR03 a silent endpoint ends after 30 s', () =>
    withFaulty('token-hang', {}, async (faulty) => {
      const asked: number[] = [];
      const impatient: Http = {
        ...http,
        fetch: (request) => {
          asked.push(request.timeoutMs);
          return http.fetch({ ...request, timeoutMs: 200 });
        },
      };
      expect((await failure(exchange(faulty, clientOf(faulty), impatient))).code).toBe('E_TIMEOUT');
      expect(asked).toEqual([30_000]);
    }));

  it.each([[-1], [0], [1e308], ['3600'], [null], [undefined], ['soon'], [{}]])(
    'TR08 expires_in %j does not break the sign-in',
    (expiresIn) =>
      withFaulty('token-expires-weird', { expiresIn }, async (faulty) => {
        const tokens = await exchange(faulty);
        expect(tokens.refreshToken).toBeDefined();
        expect(tokens.expiresInMs).toBe(expiresIn === '3600' ? 3_600_000 : undefined);
      }),
  );

  it.each(['token-null-members', 'token-no-type', 'token-201'])('%s: tokens are taken as they come', (scenario) =>
    withFaulty(scenario, {}, async (faulty) => {
      expect((await exchange(faulty)).refreshToken?.reveal()).toMatch(/^kb-refresh-/);
    }),
  );

  it('token-null-refresh: no refresh token, no error', () =>
    withFaulty('token-null-refresh', {}, async (faulty) => {
      expect((await exchange(faulty)).refreshToken).toBeUndefined();
    }));

  it('TR11 a narrower scope is told', () =>
    withFaulty('token-scope-less', {}, async (faulty) => {
      expect((await exchange(faulty)).scopes).toEqual(['mcp:read']);
    }));

  it('TR12 a 12 KB access token and a 4 KB refresh token arrive byte-exact', () =>
    withFaulty('token-long', {}, async (faulty) => {
      const tokens = await exchange(faulty);
      expect(tokens.accessToken.reveal()).toHaveLength(12_000);
      expect(tokens.refreshToken?.reveal()).toHaveLength(4_000);
    }));

  it('TR13 429: one later try, none early', () =>
    withFaulty('token-429', { retryAfterSeconds: 1 }, async (faulty) => {
      expect((await exchange(faulty)).refreshToken).toBeDefined();
      expect(faulty.counts.codeExchanges).toBe(2);
      expect(faulty.counts.early).toBe(0);
    }));

  it('a cancelled sign-in does not wait for the later try', () =>
    withFaulty('token-429', { retryAfterSeconds: 15 }, async (faulty) => {
      const abort = new AbortController();
      // Stands still: nothing but the cancelling can end the wait.
      const clock = createFakeClock();
      const ended = failure(
        exchangeCode(clientOf(faulty), await authorize(faulty), { http, clock, signal: abort.signal }),
      );
      await until(() => clock.pending === 1, 'it waits for the later try');
      abort.abort();
      expect((await ended).code).toBe('E_CANCELLED');
      expect(faulty.counts.codeExchanges).toBe(1);
    }));

  it('LG02 an error that repeats the code, the verifier or the client secret is shown without them', async () => {
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

  it('an unknown client is told apart from other refusals', () =>
    withFaulty('healthy', {}, async (faulty) => {
      expect((await failure(exchange(faulty, clientOf(faulty, { clientId: 'unknown' })))).code).toBe(
        'E_CLIENT_REFUSED',
      );
    }));
});

describe('the refresh', () => {
  const refreshed = async (faulty: Faulty, client = clientOf(faulty)) => {
    const { refreshToken } = await exchange(faulty, client);
    return refresh(client, refreshToken ?? new Secret('none'), {}, { http });
  };

  it('sends the refresh token, the resource and the client, and no scope', () =>
    withFaulty('healthy', {}, async (faulty) => {
      const outcome = await refreshed(faulty);
      expect(outcome.kind).toBe('refreshed');
      const { refresh_token: token, ...sent } = faulty.seen.token[1] ?? {};
      expect(token).toMatch(/^kb-refresh-/);
      expect(sent).toEqual({ grant_type: 'refresh_token', resource: faulty.url, client_id: 'c1' });
    }));

  it.each([
    ['refresh-invalid-grant', 'rejected', 'E_TOKEN_REFUSED'],
    ['refresh-invalid-grant-401', 'rejected', 'E_TOKEN_REFUSED'],
    ['refresh-invalid-grant-text', 'rejected', 'E_TOKEN_REFUSED'],
    ['refresh-invalid-grant-200', 'rejected', 'E_TOKEN_REFUSED'],
    ['refresh-5xx', 'unreachable', 'E_HTTP_STATUS'],
    ['refresh-429', 'unreachable', 'E_HTTP_STATUS'],
    ['refresh-html', 'unreachable', 'E_NOT_JSON'],
    ['refresh-redirect-307', 'unreachable', 'E_REDIRECTED'],
    ['refresh-portal', 'unreachable', 'E_REDIRECTED'],
    ['refresh-drop-strict', 'unreachable', 'E_CONNECTION_LOST'],
    ['refresh-drop-mid', 'unreachable', 'E_CONNECTION_LOST'],
    ['refresh-no-access', 'unreachable', 'E_TOKEN_RESPONSE'],
  ])('%s is %s (%s)', (scenario, kind, code) =>
    withFaulty(scenario, {}, async (faulty) => {
      const outcome = await refreshed(faulty);
      expect(outcome.kind).toBe(kind);
      expect('error' in outcome && outcome.error.code).toBe(code);
      expect(faulty.leaked()).toEqual([]);
    }),
  );

  it('RF07 says how long the server asked us to wait', () =>
    withFaulty('refresh-429', { retryAfterSeconds: 7 }, async (faulty) => {
      const outcome = await refreshed(faulty);
      expect('error' in outcome && outcome.error.retryAfterMs).toBe(7_000);
    }));

  it('a rotated refresh token survives an answer that openid-client would refuse', () =>
    withFaulty('refresh-null-members', {}, async (faulty) => {
      const outcome = await refreshed(faulty);
      expect(outcome.kind === 'refreshed' && outcome.tokens.refreshToken?.reveal()).toMatch(/^kb-refresh-/);
    }));

  it('RF13 a rotated refresh token survives an answer without an access token', () =>
    withFaulty('refresh-no-access', {}, async (faulty) => {
      const outcome = await refreshed(faulty);
      if (outcome.kind !== 'unreachable' || !outcome.rotated) throw new Error(outcome.kind);
      expect(outcome.rotated.reveal()).not.toBe(faulty.seen.token.at(-1)?.['refresh_token']);
      await faulty.setScenario('healthy');
      expect((await refresh(clientOf(faulty), outcome.rotated, {}, { http })).kind).toBe('refreshed');
      expect(faulty.counts.graceReuses).toBe(0);
    }));

  it('RF11 an answer without a refresh token is no error', () =>
    withFaulty('healthy-norotate', {}, async (faulty) => {
      const outcome = await refreshed(faulty);
      expect(outcome.kind === 'refreshed' && outcome.tokens.refreshToken).toBe(undefined);
    }));

  it('RF14 an unknown client is client_refused', () =>
    withFaulty('healthy', {}, async (faulty) => {
      expect((await refresh(clientOf(faulty, { clientId: 'gone' }), new Secret('r'), {}, { http })).kind).toBe(
        'client_refused',
      );
    }));

  it('RF15 a server that is away is unreachable, and surely got nothing', () =>
    withFaulty('refresh-as-down', {}, async (faulty) => {
      const outcome = await refresh(clientOf(faulty), new Secret('r'), {}, { http });
      expect(outcome).toMatchObject({ kind: 'unreachable', error: { code: 'E_CONNECT', sent: false } });
    }));
});

/** A token endpoint that keeps what it got and answers as told. */
async function withEndpoint(
  answer: { status?: number; type?: string; body?: string },
  use: (seen: { headers: IncomingHttpHeaders; body: string; url: string }[], origin: string) => Promise<void>,
): Promise<void> {
  const seen: { headers: IncomingHttpHeaders; body: string; url: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ headers: request.headers, body, url: request.url ?? '' });
      response
        .writeHead(answer.status ?? 200, { 'content-type': answer.type ?? 'application/json' })
        .end(answer.body ?? '{"access_token":"a","token_type":"bearer"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(seen, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const someClient = (origin: string, change: Partial<TokenClient> = {}): TokenClient => ({
  issuer: origin,
  tokenEndpoint: `${origin}/token`,
  clientId: 'c1',
  clientAuth: 'none',
  resource: 'https://mcp.example/a?b=c%20d',
  allow: ['loopback'],
  ...change,
});

describe('the request', () => {
  it('form-encodes id and secret in client_secret_basic (RFC 6749 2.3.1)', () =>
    withEndpoint({}, async (seen, origin) => {
      const client = someClient(origin, {
        clientId: 'default:oac1',
        clientAuth: 'client_secret_basic',
        clientSecret: new Secret('s:%/+ ü'),
      });
      await refresh(client, new Secret('r'), {}, { http });
      const [id, secret] = Buffer.from((seen[0]?.headers.authorization ?? '').slice(6), 'base64')
        .toString()
        .split(':');
      expect(decodeURIComponent((id ?? '').replaceAll('+', ' '))).toBe('default:oac1');
      expect(decodeURIComponent((secret ?? '').replaceAll('+', ' '))).toBe('s:%/+ ü');
      expect(seen[0]?.body).not.toContain('client_secret');
    }));

  it('leaves a plain client ID as it is, for servers that forget to decode', () =>
    withEndpoint({}, async (seen, origin) => {
      await refresh(
        someClient(origin, {
          clientId: 'my-app_1.x',
          clientAuth: 'client_secret_basic',
          clientSecret: new Secret('a-b.c_d'),
        }),
        new Secret('r'),
        {},
        { http },
      );
      expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('my-app_1.x:a-b.c_d').toString('base64')}`);
    }));

  it('sends the secret in the body with client_secret_post, and never both ways', () =>
    withEndpoint({}, async (seen, origin) => {
      await refresh(
        someClient(origin, { clientAuth: 'client_secret_post', clientSecret: new Secret('s:%/+ ') }),
        new Secret('r'),
        {},
        { http },
      );
      expect(new URLSearchParams(seen[0]?.body).get('client_secret')).toBe('s:%/+ ');
      expect(seen[0]?.headers.authorization).toBeUndefined();
    }));

  it('sends one resource, byte-exact, in place of one in the address of the endpoint', () =>
    withEndpoint({}, async (seen, origin) => {
      await refresh(
        someClient(origin, { tokenEndpoint: `${origin}/token?resource=other&x=1` }),
        new Secret('r'),
        {},
        { http },
      );
      expect(seen[0]?.url).toBe('/token?x=1');
      expect(new URLSearchParams(seen[0]?.body).getAll('resource')).toEqual(['https://mcp.example/a?b=c%20d']);
    }));

  it('asks for JSON and does not name openid-client', () =>
    withEndpoint({}, async (seen, origin) => {
      await refresh(someClient(origin), new Secret('r'), { scopes: ['a', 'b'] }, { http });
      expect(seen[0]?.headers).toMatchObject({ accept: 'application/json' });
      expect(seen[0]?.headers['user-agent'] ?? '').not.toContain('openid');
      expect(new URLSearchParams(seen[0]?.body).get('scope')).toBe('a b');
    }));
});

it('gives the ID token on as it came: nothing in it is believed yet', () =>
  withEndpoint({}, async (_seen, origin) => {
    const body = Buffer.from(JSON.stringify({ access_token: 'a', id_token: 'not even a JWT' }));
    const answering: Http = { ...http, fetch: async () => ({ status: 200, headers: {}, body }) };
    const outcome = await refresh(someClient(origin), new Secret('r'), {}, { http: answering });
    if (outcome.kind !== 'refreshed') throw new Error(outcome.kind);
    expect(outcome.tokens.idToken?.reveal()).toBe('not even a JWT');
    expect(Object.keys(outcome.tokens).sort()).toEqual(['accessToken', 'idToken']);
  }));

describe('revocation', () => {
  it('is confirmed by the server', () =>
    withFaulty('healthy', {}, async (faulty) => {
      const { refreshToken } = await exchange(faulty);
      expect(await revoke(clientOf(faulty), refreshToken ?? new Secret(''), 'refresh_token', { http })).toBe(
        'confirmed',
      );
      expect((await refresh(clientOf(faulty), refreshToken ?? new Secret(''), {}, { http })).kind).toBe('rejected');
    }));

  it('says when the server offers none, or does not confirm', async () => {
    await withFaulty('refresh-as-down', {}, async (faulty) => {
      expect(await revoke(clientOf(faulty), new Secret('t'), 'refresh_token', { http })).toBe('failed');
      const { revocationEndpoint: _none, ...client } = clientOf(faulty);
      expect(await revoke(client, new Secret('t'), 'refresh_token', { http })).toBe('not_offered');
    });
    await withEndpoint({ status: 503 }, async (_seen, origin) => {
      expect(
        await revoke(someClient(origin, { revocationEndpoint: `${origin}/revoke` }), new Secret('t'), 'refresh_token', {
          http,
        }),
      ).toBe('failed');
    });
  });
});

describe('reading an answer', () => {
  const read = (body: string, status = 200, headers: Record<string, string> = {}) =>
    readTokenResponse({ status, headers, body: Buffer.from(body) }, 0);

  it.each(['bearer', 'Bearer', 'BEARER', null, undefined])('token_type %j is Bearer', (type) => {
    expect(read(JSON.stringify({ access_token: 'a', token_type: type })).kind).toBe('tokens');
  });

  it.each([
    ['not JSON at all', '<html>'],
    ['an array', '[1]'],
    ['a string', '"invalid_grant"'],
    ['nothing', ''],
    ['null', 'null'],
    ['deep nesting', '['.repeat(100_000)],
  ])('%s is unclear, not a refusal', (_what, body) => expect(read(body).kind).toBe('unclear'));

  it.each([400, 401, 403, 200, 500, 503])('an error object with status %i is seen as what it says', (status) => {
    expect(read('{"error":"invalid_grant"}', status, { 'www-authenticate': 'Basic' })).toMatchObject({
      kind: 'error',
      error: 'invalid_grant',
    });
  });

  it('unauthorized_client with 401 is an unknown client, as older servers on the Python SDK say it; with 400 it is not', () => {
    expect(read('{"error":"unauthorized_client"}', 401)).toMatchObject({ kind: 'error', error: 'invalid_client' });
    expect(read('{"error":"unauthorized_client"}', 400)).toMatchObject({ kind: 'error', error: 'unauthorized_client' });
  });

  it('an empty or null error is none', () => {
    expect(read('{"error":null,"access_token":"a"}').kind).toBe('tokens');
    expect(read('{"error":"","access_token":"a"}').kind).toBe('tokens');
  });

  it('a byte order mark, scopes as a list, and unknown members do no harm', () => {
    expect(read('\ufeff{"access_token":"a","scope":["x","y"],"more":{}}')).toMatchObject({
      tokens: { scopes: ['x', 'y'] },
    });
  });

  it('TR07 the value of a bad token is in no text', () => {
    const verdict = read(JSON.stringify({ access_token: 'hush\r\nhush', refresh_token: 'keep' }));
    expect(verdict).toMatchObject({ kind: 'unclear', fault: { code: 'E_TOKEN_RESPONSE' } });
    expect(JSON.stringify(verdict)).not.toMatch(/hush|keep/);
  });
});

describe('Retry-After', () => {
  const date = 'Thu, 01 Jan 2026 00:00:10 GMT';
  it.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '999999999' }, 3_600_000],
    [{ 'retry-after': date, date: 'Thu, 01 Jan 2026 00:00:00 GMT' }, 10_000],
    [{ 'retry-after': date }, 10_000],
    [{ 'retry-after': date, date: 'Thu, 01 Jan 2026 01:00:00 GMT' }, 0],
    [{}, undefined],
  ])('%j is %s ms', (headers: Record<string, string>, ms) =>
    expect(retryAfterMs(headers, Date.parse('2026-01-01T00:00:00Z'))).toBe(ms),
  );
});
