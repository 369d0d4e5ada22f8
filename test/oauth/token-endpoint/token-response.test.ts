import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../../electron/core/http/client.ts';
import { readTokenResponse } from '../../../electron/core/oauth/token-endpoint/token-response.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import type { Http } from '../../../electron/core/http/http.ts';
import { refresh } from '../../../electron/core/oauth/token-endpoint/token-endpoint.ts';
import { clientAt, withEndpoint } from '../../fixtures/token-endpoint-rig.ts';

let http: Http;
beforeEach(() => {
  http = createHttp();
});
afterEach(() => http.close());

describe('a token response', () => {
  const read = (body: string, status = 200, headers: Record<string, string> = {}) =>
    readTokenResponse({ status, headers, body: Buffer.from(body) }, 0);

  it.each(['bearer', 'Bearer', 'BEARER', null, undefined])('accepts token_type %j as Bearer', (type) => {
    expect(read(JSON.stringify({ access_token: 'a', token_type: type })).kind).toBe('tokens');
  });

  it.each([
    ['not JSON at all', '<html>'],
    ['an array', '[1]'],
    ['a string', '"invalid_grant"'],
    ['nothing', ''],
    ['null', 'null'],
    ['deep nesting', '['.repeat(100_000)],
  ])('is unclear, not a refusal, when it is %s', (_what, body) => expect(read(body).kind).toBe('unclear'));

  it.each([400, 401, 403, 200, 500, 503])('is read as its error code with status %i', (status) => {
    expect(read('{"error":"invalid_grant"}', status, { 'www-authenticate': 'Basic' })).toMatchObject({
      kind: 'error',
      error: 'invalid_grant',
    });
  });

  it('means an unknown client with unauthorized_client and 401, as in the Python SDK, and not with 400', () => {
    expect(read('{"error":"unauthorized_client"}', 401)).toMatchObject({ kind: 'error', error: 'invalid_client' });
    expect(read('{"error":"unauthorized_client"}', 400)).toMatchObject({ kind: 'error', error: 'unauthorized_client' });
  });

  it('is not an error when the member error is empty or null', () => {
    expect(read('{"error":null,"access_token":"a"}').kind).toBe('tokens');
    expect(read('{"error":"","access_token":"a"}').kind).toBe('tokens');
  });

  it('may have a byte order mark, a list of scopes, and unknown members', () => {
    expect(read('\ufeff{"access_token":"a","scope":["x","y"],"more":{}}')).toMatchObject({
      tokens: { scopes: ['x', 'y'] },
    });
  });

  it('TR07 does not show the value of an invalid token', () => {
    const verdict = read(JSON.stringify({ access_token: 'hush\r\nhush', refresh_token: 'keep' }));
    expect(verdict).toMatchObject({ kind: 'unclear', fault: { code: 'E_TOKEN_RESPONSE' } });
    expect(JSON.stringify(verdict)).not.toMatch(/hush|keep/);
  });
});

it('A token response’s ID token is returned without any check', () =>
  withEndpoint({}, async (_seen, origin) => {
    const body = Buffer.from(JSON.stringify({ access_token: 'a', id_token: 'not even a JWT' }));
    const answering: Http = { ...http, fetch: async () => ({ status: 200, headers: {}, body }) };
    const outcome = await refresh(clientAt(origin), new Secret('r'), {}, { http: answering });
    if (outcome.kind !== 'refreshed') throw new Error(outcome.kind);
    expect(outcome.tokens.idToken?.reveal()).toBe('not even a JWT');
    expect(Object.keys(outcome.tokens).sort()).toEqual(['accessToken', 'idToken']);
  }));
