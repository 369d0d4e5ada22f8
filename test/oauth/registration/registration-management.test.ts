import { describe, expect, it } from 'vitest';
import { managementTokenKey } from '../../../electron/core/oauth/registration/registration-secrets.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { startPeers, startSignedInProduct, startSignInRigFor } from '../../fixtures/oidc-peers.ts';

const closing = closeAfterEach();

describe('a sign-out', () => {
  it('deletes the registration (RFC 7592, oidc-provider), and the next sign-in registers again', async () => {
    const { as, url } = await startPeers(closing);
    const started = await startSignedInProduct(closing, url);
    expect(await started.call('signOut', { server: 'work' })).toEqual({
      revoked: 'confirmed',
      deleted: true,
      registration: 'deleted',
    });
    expect((await started.call('serverDetail', { server: 'work' })).clientId).toBeUndefined();
    await started.call('signIn', { server: 'work' });
    expect(as.counts).toMatchObject({ registrations: 2, codeExchangesGranted: 2 });
    const secrets = as.secrets();
    expect(started.log.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
  });

  it('reports that the registration remains if the server cannot delete it', async () => {
    const { url } = await startPeers(closing, { registrationManagement: false });
    const started = await startSignedInProduct(closing, url);
    expect(await started.call('signOut', { server: 'work' })).toEqual({
      revoked: 'confirmed',
      deleted: true,
      registration: 'not_offered',
    });
    expect((await started.call('serverDetail', { server: 'work' })).clientId).toBeDefined();
  });

  it('keeps the registration and reports a failure if the server is unreachable', async () => {
    const { as, url } = await startPeers(closing);
    const started = await startSignedInProduct(closing, url);
    await as.stop();
    expect(await started.call('signOut', { server: 'work' })).toMatchObject({
      revoked: 'failed',
      deleted: true,
      registration: 'failed',
    });
    await as.start();
    await started.call('signIn', { server: 'work' });
    expect(as.counts.registrations).toBe(1);
    expect(await started.call('signOut', { server: 'work' })).toMatchObject({ registration: 'deleted' });
  });

  it('of all servers reports each result, including failures', async () => {
    const [one, two] = [await startPeers(closing), await startPeers(closing)];
    const started = await startSignedInProduct(closing, one.url, ['one']);
    await started.call('addServer', { url: two.url, name: 'two' });
    await started.call('signIn', { server: 'two' });
    await started.call('addServer', { url: two.url, name: 'three' });
    await two.as.stop();
    expect(await started.call('signOutEverywhere')).toEqual([
      { server: 'one', report: { revoked: 'confirmed', deleted: true, registration: 'deleted' } },
      {
        server: 'two',
        report: expect.objectContaining({ revoked: 'failed', deleted: true, registration: 'failed' }) as unknown,
      },
      { server: 'three', report: { revoked: 'nothing_to_revoke', deleted: true } },
    ]);
    expect((await started.call('status')).servers.map(({ state }) => state.kind)).toEqual([
      'signed_out',
      'signed_out',
      'not_checked',
    ]);
  });

  it('needs a registration access token, which is in the vault only', async () => {
    const { as, url } = await startPeers(closing);
    const rig = await startSignInRigFor(closing);
    const { id } = await rig.add(url);
    await rig.signIns.start(id, { openBrowser: true });
    const [registration] = rig.servers.find(id)?.registrations ?? [];
    if (!registration) throw new Error('no registration');
    expect(registration.registration_client_uri?.startsWith(as.issuer)).toBe(true);
    const kept = await rig.vault.readClientSecret(managementTokenKey(id, registration), {});
    expect(kept.kind === 'found' && as.secrets().includes(kept.value.reveal())).toBe(true);
    expect(as.secrets().some((secret) => JSON.stringify(rig.servers.list()).includes(secret))).toBe(false);
  });
});
