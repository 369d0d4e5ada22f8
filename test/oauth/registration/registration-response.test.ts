import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../fixtures/failure.ts';
import { sendHtml, sendJson } from '../../fixtures/listener.ts';
import {
  acceptRegistration,
  redirectUri,
  startRegistrationRig,
  type RegistrationRig,
} from '../../fixtures/registration-rig.ts';
import type { Route } from '../../fixtures/site.ts';

let rig: RegistrationRig;
beforeEach(async () => {
  rig = await startRegistrationRig();
});
afterEach(() => rig.close());

describe('the response to a registration', () => {
  it.each<[string, object, object]>([
    [
      'null members',
      {
        client_secret: null,
        client_secret_expires_at: null,
        redirect_uris: null,
        scope: null,
        token_endpoint_auth_method: null,
      },
      { token_endpoint_auth_method: 'none' },
    ],
    [
      'invalid members that Keybridge does not use',
      { client_name: 7, grant_types: 'x', contacts: {} },
      { token_endpoint_auth_method: 'none' },
    ],
    [
      'a secret but no authentication method',
      { token_endpoint_auth_method: undefined, client_secret: 's' },
      { token_endpoint_auth_method: 'client_secret_basic', hasSecret: true },
    ],
    [
      'a secret but the authentication method none',
      { token_endpoint_auth_method: 'none', client_secret: 's' },
      { token_endpoint_auth_method: 'none', hasSecret: false },
    ],
    ['additional redirect URIs', { redirect_uris: ['https://x.example/', redirectUri] }, { redirect_uri: redirectUri }],
  ])('is accepted with %s', async (_, members, expected) => {
    rig.auth.routes['/register'] = acceptRegistration(members);
    expect((await rig.registered()).registration).toMatchObject(expected);
  });

  it.each<[string, object]>([
    ['another redirect URI', { redirect_uris: ['https://evil.example/'] }],
    ['no redirect URI', { redirect_uris: [] }],
    ['an empty client_id', { client_id: '' }],
    ['no client_id', { client_id: undefined }],
    ['a client_id that is not a string', { client_id: 7 }],
    ['a client_id with a line break', { client_id: 'a\r\nb' }],
    ['a secret with a control character', { client_secret: 'a\u0000' }],
    ['an authentication method that was not requested', { token_endpoint_auth_method: 'private_key_jwt' }],
    [
      'an authentication method that needs a secret, but no secret',
      { token_endpoint_auth_method: 'client_secret_basic' },
    ],
  ])('RG05: is rejected with %s, and nothing is saved', async (_, members) => {
    rig.auth.routes['/register'] = acceptRegistration(members);
    const error = await failure(rig.register());
    expect(error.code).toBe('E_REGISTRATION_INVALID');
    expect(error.message).not.toMatch(/evil|[\r\n]/);
    expect(rig.saved()).toEqual([]);
  });

  it.each<[string, Route, string]>([
    ['RG05: HTML', (_, response) => sendHtml(response, 201, '<html>'), 'E_REGISTRATION_INVALID'],
    ['RG03: HTML with status 500', (_, response) => sendHtml(response, 500, '<html>'), 'E_HTTP_STATUS'],
    ['text with status 403', (_, response) => response.writeHead(403).end('Forbidden'), 'E_REGISTRATION_REFUSED'],
    ['status 404', (_, response) => response.writeHead(404).end(), 'E_REGISTRATION_REFUSED'],
    [
      'a redirect to another origin',
      (_, response) => response.writeHead(307, { location: 'http://127.0.0.2:1/elsewhere' }).end(),
      'E_REDIRECTED',
    ],
    [
      'another OAuth error',
      (_, response) =>
        sendJson(response, 400, { error: 'invalid_software_statement', error_description: '<b>no</b>\r\n' }),
      'E_REGISTRATION_REFUSED',
    ],
  ])('%s is an error, and the request is not repeated', async (_, route, code) => {
    rig.auth.routes['/register'] = route;
    const error = await failure(rig.register());
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/[\r\n]/);
    expect(rig.auth.hits).toHaveLength(1);
    expect(rig.saved()).toEqual([]);
  });
});

describe('an OAuth error in response to a registration', () => {
  it('RG02: delays the next request by its Retry-After', async () => {
    rig.auth.routes['/register'] = (_, response) => response.writeHead(429, { 'retry-after': '30' }).end();
    expect(await failure(rig.register())).toMatchObject({ code: 'E_REGISTRATION_REFUSED', retryAfterMs: 30_000 });
    await rig.clock.advance(29_000);
    expect(await failure(rig.register())).toMatchObject({ code: 'E_REGISTRATION_REFUSED', retryAfterMs: 1_000 });
    expect(rig.auth.hits).toHaveLength(1);
    await rig.clock.advance(1_000);
    rig.auth.routes['/register'] = acceptRegistration();
    expect((await rig.registered()).reused).toBe(false);
  });

  it.each([
    [{ error: 'invalid_client_metadata', error_description: 'Unknown scope: x' }],
    [{ error: 'invalid_scope' }],
  ])('leads to one registration without scopes if it names none of the requested ones (%j)', async (refusal) => {
    rig.auth.routes['/register'] = (request, response, hit) => {
      if ('scope' in (JSON.parse(hit.body) as object)) sendJson(response, 400, refusal);
      else (acceptRegistration() as (...args: unknown[]) => void)(request, response, hit);
    };
    await rig.registered({ scopes: ['a', 'b'] });
    expect(rig.auth.hits).toHaveLength(2);
    rig.auth.routes['/register'] = (_, response) => sendJson(response, 400, refusal);
    expect((await failure(rig.register({ scopes: ['a'], redirectUri: `${redirectUri}/2` }))).code).toBe(
      'E_REGISTRATION_REFUSED',
    );
    expect(rig.auth.hits).toHaveLength(4);
  });

  it.each([
    [{ error: 'invalid_redirect_uri' }],
    [{ error: 'invalid_client_metadata', error_description: 'redirect_uris must be localhost' }],
  ])('RG04: has its own result if it concerns the redirect URI (%j), so that another can be tried', async (refusal) => {
    rig.auth.routes['/register'] = (_, response) => sendJson(response, 400, refusal);
    expect(await rig.register()).toMatchObject({ kind: 'redirect_refused', error: { code: 'E_REGISTRATION_REFUSED' } });
    expect(rig.auth.hits).toHaveLength(1);
  });
});
