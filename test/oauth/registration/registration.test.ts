import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientSecretKey, clientSecretKeys } from '../../../electron/core/oauth/registration/registration-secrets.ts';
import { dropRegistration } from '../../../electron/core/oauth/registration/registration-store.ts';
import { failure } from '../../fixtures/failure.ts';
import {
  acceptRegistration,
  redirectUri,
  startRegistrationRig,
  type RegistrationRig,
} from '../../fixtures/registration-rig.ts';

let rig: RegistrationRig;
beforeEach(async () => {
  rig = await startRegistrationRig();
});
afterEach(() => rig.close());

describe('a dynamic registration', () => {
  it('sends the client metadata with the exact redirect URI of the listener', async () => {
    const { registration, reused } = await rig.registered({ scopes: ['a', 'b'] });
    expect(rig.lastRequest()).toEqual({
      client_name: 'Keybridge',
      application_type: 'native',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'a b',
    });
    expect(reused).toBe(false);
    expect(rig.saved()).toEqual([registration]);
    expect(registration).toMatchObject({
      issuer: rig.auth.origin,
      redirect_uri: redirectUri,
      token_endpoint_auth_method: 'none',
      hasSecret: false,
      how: 'dynamic',
    });
  });

  it('is reused for the same issuer and redirect URI only', async () => {
    const first = await rig.registered();
    expect(await rig.registered()).toEqual({ ...first, reused: true });
    expect(rig.auth.hits).toHaveLength(1);
    const otherPort = await rig.registered({ redirectUri: redirectUri.replace('33427', '33436') });
    const otherIssuer = await rig.registered({ server: rig.metadata({ issuer: 'https://other.example' }) });
    expect(new Set([first, otherPort, otherIssuer].map(({ registration }) => registration.client_id)).size).toBe(3);
    expect(rig.saved()).toHaveLength(3);
    expect((await rig.registered()).registration).toEqual(first.registration);
  });

  it.each<[readonly string[] | undefined, string]>([
    [undefined, 'none'],
    [['none', 'client_secret_basic'], 'none'],
    [['client_secret_post', 'client_secret_basic'], 'client_secret_post'],
    [['private_key_jwt', 'client_secret_basic', 'client_secret_post'], 'client_secret_basic'],
    [['client_secret_post', 'private_key_jwt'], 'client_secret_post'],
    [['private_key_jwt'], 'none'],
  ])('requests, if the server supports %j, the authentication method %s', async (methods, wanted) => {
    await rig
      .register({ server: rig.metadata(methods ? { token_endpoint_auth_methods_supported: methods } : {}) })
      .catch(() => {});
    expect(rig.lastRequest()['token_endpoint_auth_method']).toBe(wanted);
  });

  it('stores a client secret in the vault, not in the list of servers', async () => {
    rig.auth.routes['/register'] = acceptRegistration({
      client_secret: 'the-client-secret',
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const { registration, clientSecret } = await rig.registered();
    expect(clientSecret?.reveal()).toBe('the-client-secret');
    expect(registration).toMatchObject({ hasSecret: true, token_endpoint_auth_method: 'client_secret_basic' });
    expect(registration).not.toHaveProperty('secretExpiresAt');
    expect(JSON.stringify(rig.servers.list())).not.toContain('the-client-secret');
    expect((await rig.registered()).clientSecret?.reveal()).toBe('the-client-secret');
    expect(rig.auth.hits).toHaveLength(1);
  });

  it('RG07: is repeated once after its client secret has expired', async () => {
    const expiresAt = Math.floor(rig.clock.now() / 1000) + 3600;
    rig.auth.routes['/register'] = acceptRegistration({
      client_secret: 's',
      client_secret_expires_at: expiresAt,
      token_endpoint_auth_method: 'client_secret_post',
    });
    const first = await rig.registered();
    expect(first.registration.secretExpiresAt).toBe(expiresAt * 1000);
    rig.clock.jump(3_601_000);
    rig.auth.routes['/register'] = acceptRegistration();
    const second = await rig.registered();
    expect(second.registration.client_id).not.toBe(first.registration.client_id);
    expect((await rig.registered()).reused).toBe(true);
    expect(rig.saved()).toEqual([second.registration]);
  });

  it.each([
    ['a string', (seconds: number) => String(seconds), true],
    ['a string with a fraction', (seconds: number) => `${seconds}.0`, true],
    ['the string 0', () => '0', false],
    ['text', () => 'never', false],
    ['null', () => null, false],
  ])('accepts client_secret_expires_at as %s', async (_, written, ends) => {
    const expiresAt = Math.floor(rig.clock.now() / 1000) + 3600;
    rig.auth.routes['/register'] = acceptRegistration({
      client_secret: 's',
      client_secret_expires_at: written(expiresAt),
      token_endpoint_auth_method: 'client_secret_post',
    });
    const { registration } = await rig.registered();
    expect(registration.secretExpiresAt).toBe(ends ? expiresAt * 1000 : undefined);
  });

  it('is repeated if its client secret was lost', async () => {
    rig.auth.routes['/register'] = acceptRegistration({
      client_secret: 's',
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const { registration } = await rig.registered();
    await rig.vault.deleteClientSecret(clientSecretKey(rig.accountKey, registration));
    expect((await rig.registered()).reused).toBe(false);
  });

  it('is kept, and the error reported, if its client secret cannot be read now', async () => {
    rig.auth.routes['/register'] = acceptRegistration({
      client_secret: 's',
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const { registration } = await rig.registered();
    rig.store.fault = () => ({ kind: 'locked', detail: '' });
    expect((await failure(rig.register())).code).toBe('E_STORE_LOCKED');
    expect(rig.saved()).toEqual([registration]);
    expect(rig.auth.hits).toHaveLength(1);
  });

  it('RG08: is deleted with its secret when the server rejects it as unknown, and the others are kept', async () => {
    rig.auth.routes['/register'] = acceptRegistration({
      client_secret: 's',
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const other = await rig.registered({ redirectUri: `${redirectUri}/other` });
    const { registration } = await rig.registered();
    const server = rig.servers.find(rig.accountKey);
    expect(server && clientSecretKeys(server)).toEqual(
      [other.registration, registration].map((one) => clientSecretKey(rig.accountKey, one)),
    );
    await dropRegistration(rig.deps, rig.accountKey, registration);
    expect(rig.saved()).toEqual([other.registration]);
    expect(await rig.vault.readClientSecret(clientSecretKey(rig.accountKey, registration), {})).toEqual({
      kind: 'absent',
    });
    expect((await rig.registered()).reused).toBe(false);
  });
});
