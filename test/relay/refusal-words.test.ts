import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { remedyFor } from '../../shared/remedies.ts';
import { asAppError, type AppError } from '../../electron/core/base/errors.ts';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { createHttp } from '../../electron/core/http/client.ts';
import { readErrorResponse } from '../../electron/core/oauth/error-response.ts';
import { deviceCode } from '../../electron/core/oauth/token-endpoint/device-authorization.ts';
import { registerClient } from '../../electron/core/oauth/registration/registration-request.ts';
import { pushedRequest } from '../../electron/core/oauth/authorization/pushed-request.ts';
import { exchangeCode, refresh, revoke } from '../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { startSite, type Site } from '../fixtures/site.ts';
import type { Http } from '../../electron/core/http/http.ts';
import type { AuthorizationServer, TokenClient } from '../../electron/core/oauth/model.ts';

let site: Site;
let http: Http;
beforeEach(async () => {
  site = await startSite();
  http = createHttp();
});
afterEach(async () => {
  await http.close();
  await site.close();
});

const code = 'kb-code-4711-0815';
const clientSecret = 'kb-secret/with+signs 4711';
const words = 'The code was used before';

/** Refusals as real servers send them: the content type and the body. */
const refusals: readonly (readonly [what: string, type: string, body: string])[] = [
  ['RFC 6749', 'application/json', `{"error":"invalid_request","error_description":"${words}"}`],
  ['a list', 'application/json', `[{"error":"invalid_request","error_description":"${words}"}]`],
  ['an error object', 'application/json', `{"error":{"message":"${words}"}}`],
  [
    'an error object with a numeric code',
    'application/json',
    `{"error":{"code":400,"message":"${words}","status":"INVALID_ARGUMENT"}}`,
  ],
  ['only a message', 'application/json', `{"message":"${words}"}`],
  ['a list of errors', 'application/json', `{"errors":[{"message":"${words}"}]}`],
  [
    'problem details',
    'application/problem+json',
    `{"type":"about:blank","title":"Bad Request","detail":"${words}","status":400}`,
  ],
  ['problem details with only a title', 'application/problem+json', `{"title":"${words}"}`],
  ['the validation errors of a Python framework', 'application/json', `{"detail":[{"loc":["body"],"msg":"${words}"}]}`],
  ['plain text', 'text/plain', words],
  ['JSON as plain text', 'text/plain', `{"error":"invalid_request","error_description":"${words}"}`],
  [
    'a form',
    'application/x-www-form-urlencoded',
    `error=invalid_request&error_description=${words.replaceAll(' ', '+')}`,
  ],
  ['a byte order mark', 'application/json', `\ufeff{"message":"${words}"}`],
];

const say = (path: string, type: string, body: string, status = 400) => {
  site.routes[path] = (_request, response) => void response.writeHead(status, { 'content-type': type }).end(body);
};

const client = (more: Partial<TokenClient> = {}): TokenClient => ({
  issuer: site.origin,
  tokenEndpoint: `${site.origin}/token`,
  revocationEndpoint: `${site.origin}/revoke`,
  clientId: 'c1',
  clientAuth: 'none',
  resource: `${site.origin}/mcp`,
  allow: ['loopback'],
  ...more,
});
const options = () => ({ http, clock: systemClock() });
const exchange = (more: Partial<TokenClient> = {}): Promise<AppError> =>
  exchangeCode(
    client(more),
    { code: new Secret(code), codeVerifier: new Secret('v'.repeat(43)), redirectUri: 'http://127.0.0.1:9/callback' },
    options(),
  ).then(() => {
    throw new Error('The request was accepted.');
  }, asAppError);

describe('the reason in a refusal reaches the user', () => {
  it.each(refusals)('from the token endpoint, as %s', async (_what, type, body) => {
    say('/token', type, body);
    const error = await exchange();
    expect(error).toMatchObject({ code: 'E_TOKEN_REFUSED', message: expect.stringContaining(words) as unknown });
    expect(remedyFor(error.code)).not.toMatch(/try again/i);
  });

  it.each(refusals)('from a refresh, as %s', async (_what, type, body) => {
    say('/token', type, body);
    const outcome = await refresh(client(), new Secret('kb-refresh-4711'), {}, options());
    expect(outcome).toMatchObject({
      kind: 'unreachable',
      error: { message: expect.stringContaining(words) as unknown },
    });
    expect(outcome).toHaveProperty('refusal');
  });

  const server = () =>
    ({
      issuer: site.origin,
      authorization_endpoint: `${site.origin}/authorize`,
      token_endpoint: `${site.origin}/token`,
      pushed_authorization_request_endpoint: `${site.origin}/par`,
      require_pushed_authorization_requests: true,
    }) as AuthorizationServer;

  it.each(refusals)('from a registration, as %s', async (_what, type, body) => {
    say('/register', type, body);
    const registration = registerClient(http, {
      endpoint: `${site.origin}/register`,
      authorizationServer: server(),
      allow: ['loopback'],
      redirectUri: 'http://127.0.0.1:9/callback',
      scopes: [],
    });
    await expect(registration).rejects.toMatchObject({
      code: 'E_REGISTRATION_REFUSED',
      message: expect.stringContaining(words) as unknown,
    });
  });

  it.each(refusals)('from a pushed authorization request, as %s', async (_what, type, body) => {
    say('/par', type, body);
    const request = new URL(
      `${site.origin}/authorize?response_type=code&client_id=c1&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcallback`,
    );
    expect(await pushedRequest(client(), server(), request, options())).toMatchObject({
      kind: 'refused',
      error: { code: 'E_AUTHORIZATION_ERROR', message: expect.stringContaining(words) as unknown },
    });
  });

  it('from a pushed authorization request, without the Basic header that the server repeats', async () => {
    const basic = `Basic ${Buffer.from('c1:very-long-secret').toString('base64')}`;
    say('/par', 'application/json', JSON.stringify({ error: 'invalid_request', error_description: `not ${basic}` }));
    const known = {
      ...client(),
      clientAuth: 'client_secret_basic' as const,
      clientSecret: new Secret('very-long-secret'),
    };
    const request = new URL(`${site.origin}/authorize?response_type=code&client_id=c1`);
    const pushed = await pushedRequest(known, server(), request, options());
    expect(pushed).toMatchObject({ error: { message: expect.stringContaining('invalid_request') as unknown } });
    expect((pushed as { error: Error }).error.message).not.toContain(basic.slice('Basic '.length));
  });

  it.each(refusals)('from a device authorization request, as %s', async (_what, type, body) => {
    say('/device', type, body);
    await expect(deviceCode(client(), `${site.origin}/device`, [], options())).rejects.toMatchObject({
      code: 'E_TOKEN_REFUSED',
      message: expect.stringContaining(words) as unknown,
    });
  });

  it.each(refusals)('from a revocation, as %s', async (_what, type, body) => {
    say('/revoke', type, body);
    const said: string[] = [];
    expect(
      await revoke(client(), new Secret('kb-refresh-4711'), 'refresh_token', {
        ...options(),
        onRefusal: (one) => said.push(one),
      }),
    ).toBe('failed');
    expect(said).toEqual([expect.stringContaining(words)]);
  });
});

describe('the text of a refusal', () => {
  it('is one short line without anything that was sent, in any encoding', async () => {
    const basic = Buffer.from(`c1:${new URLSearchParams({ a: clientSecret }).toString().slice(2)}`).toString('base64');
    const form = new URLSearchParams({ a: clientSecret }).toString().slice(2);
    const secrets = [clientSecret, encodeURIComponent(clientSecret), form, basic].join(' or ');
    const echo = `got code=${code}\r\nwith ${secrets}`;
    for (const body of [echo, JSON.stringify({ message: echo }), JSON.stringify({ error: { message: echo } })]) {
      say('/token', 'text/plain', body);
      const { message } = await exchange({ clientAuth: 'client_secret_basic', clientSecret: new Secret(clientSecret) });
      expect(message).toContain('got code=... ');
      for (const secret of [code, clientSecret, encodeURIComponent(clientSecret), basic])
        expect(message).not.toContain(secret);
    }
    say('/token', 'text/plain', `${'x'.repeat(140)}${code}${'x'.repeat(20_000)}`);
    const { message } = await exchange();
    expect(message.length).toBeLessThan(300);
    expect(message).not.toContain('kb-code');
  });

  it('is empty for a web page, which is still a refusal', async () => {
    say('/token', 'text/html', '<h1>secret page</h1>', 403);
    expect(await exchange()).toMatchObject({
      code: 'E_TOKEN_REFUSED',
      message: 'The token endpoint refused the request (status 403).',
    });
  });

  it('does not turn a transient error into a refusal', async () => {
    for (const status of [408, 429, 500, 503]) {
      say('/token', 'application/json', '{"message":"Too busy"}', status);
      expect(await exchange()).toMatchObject({
        code: 'E_HTTP_STATUS',
        message: expect.stringContaining('Too busy') as unknown,
      });
      expect(await refresh(client(), new Secret('kb-refresh-4711'), {}, options())).not.toHaveProperty('refusal');
    }
  });

  it.each<[string, string, string]>([
    ['invalid_grant in a list', '[{"error":"invalid_grant"}]', 'invalid_grant'],
    [
      'invalid_grant as the code of an error object',
      '{"error":{"code":"invalid_grant","message":"over"}}',
      'invalid_grant',
    ],
    ['a code as the message', '{"message":"authorization_pending"}', 'authorization_pending'],
    ['a code as plain text', 'invalid_client', 'invalid_client'],
  ])('may contain a known code: %s', (_what, body, code_) => {
    expect(readErrorResponse({ headers: {}, body: Buffer.from(body) }).error).toBe(code_);
  });

  it('is read from any body without throwing', () => {
    const deep = `${'{"error":'.repeat(500)}1${'}'.repeat(500)}`;
    for (const body of [
      '',
      '[]',
      '{}',
      'null',
      '7',
      '[[[[[["x"]]]]]]',
      deep,
      `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
      '{"error":null,"message":{"message":{"message":{"message":{"message":"deep"}}}}}',
      '{"error":"  "}',
    ]) {
      expect(() => readErrorResponse({ headers: {}, body: Buffer.from(body) })).not.toThrow();
    }
  });
});
