import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import { secretKeyOf, type Server } from '../../../electron/core/servers/server.ts';
import { failure } from '../../fixtures/failure.ts';
import { redirectUri, startRegistrationRig, type RegistrationRig } from '../../fixtures/registration-rig.ts';

let rig: RegistrationRig;
beforeEach(async () => {
  rig = await startRegistrationRig();
});
afterEach(() => rig.close());

describe('a client ID that the user enters', () => {
  it('RG01: is needed, with the redirect URI in the error, if the server has no registration endpoint', async () => {
    const error = await failure(rig.register({ server: rig.metadata({ registration_endpoint: undefined }) }));
    expect(error.code).toBe('E_CLIENT_ID_NEEDED');
    expect(error.message).toContain(redirectUri);
    expect(error.about('work').toInfo().redirectUri).toBe(redirectUri);
  });

  it('takes precedence over a dynamic registration', async () => {
    await rig.registered();
    await rig.servers.update(rig.accountKey, { clientId: 'mine' });
    const { registration, reused } = await rig.registered();
    expect(registration).toMatchObject({ client_id: 'mine', token_endpoint_auth_method: 'none', how: 'configured' });
    expect(reused).toBe(false);
    expect(rig.auth.hits).toHaveLength(1);
  });

  it.each<[readonly string[] | undefined, string]>([
    [undefined, 'client_secret_basic'],
    [['client_secret_post'], 'client_secret_post'],
    [['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
  ])('has its secret sent by a method that the server supports (%j)', async (methods, wanted) => {
    await rig.vault.writeClientSecret(
      secretKeyOf(rig.servers.find(rig.accountKey) as Server, 'clientSecret'),
      new Secret('mine-too'),
    );
    await rig.servers.update(rig.accountKey, { clientId: 'mine', hasClientSecret: true });
    const { registration, clientSecret } = await rig.registered({
      server: rig.metadata(methods ? { token_endpoint_auth_methods_supported: methods } : {}),
    });
    expect(registration.token_endpoint_auth_method).toBe(wanted);
    expect(clientSecret?.reveal()).toBe('mine-too');
  });

  it('DM33: is never sent to any authorization server but the first', async () => {
    await rig.servers.update(rig.accountKey, { clientId: 'mine' });
    await rig.registered();
    const error = await failure(rig.register({ server: rig.metadata({ issuer: 'https://other.example' }) }));
    expect(error.code).toBe('E_CLIENT_ID_NEEDED');
    await rig.servers.update(rig.accountKey, { clientId: 'another' });
    expect(
      (await rig.registered({ server: rig.metadata({ issuer: 'https://other.example' }) })).registration.client_id,
    ).toBe('another');
  });
});
