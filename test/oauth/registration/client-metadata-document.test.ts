import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { redirectPorts } from '../../../electron/core/oauth/authorization/loopback-server.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { errorCode, startPeers, startSignInRigFor } from '../../fixtures/oidc-peers.ts';
import { startProduct } from '../../fixtures/product.ts';

const closing = closeAfterEach();

const documentUrl = 'https://apps.company.example/keybridge/client-metadata.json';
const shipped = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../../docs/client-metadata.json'), 'utf8'),
) as { client_id: string; redirect_uris: string[] };

describe('a client ID metadata document', () => {
  it('uses its URL as client ID without a registration (oidc-provider, draft 02)', async () => {
    const { as, url } = await startPeers(closing, { clientDocument: { ...shipped, client_id: documentUrl } });
    const rig = await startSignInRigFor(closing, { redirectPorts });
    const { id } = await rig.add(url, { settings: { clientMetadataUrl: documentUrl } });
    await rig.signIns.start(id, { openBrowser: true });
    expect(as.counts).toMatchObject({ registrations: 0, codeExchangesGranted: 1 });
    expect(as.seen.authorize[0]?.get('client_id')).toBe(documentUrl);
    expect(shipped.redirect_uris).toContain(as.seen.authorize[0]?.get('redirect_uri'));
    expect(rig.vault.facts(id)).toMatchObject({ clientId: documentUrl, clientAuth: 'none' });
    expect(await rig.tokens.refreshNow(id)).toMatchObject({ kind: 'token' });
  });

  it('is shown in the server’s detail', async () => {
    const { url } = await startPeers(closing, { clientDocument: { ...shipped, client_id: documentUrl } });
    const started = await startProduct();
    closing.push(() => started.close());
    await started.call('addServer', { url, name: 'work', settings: { clientMetadataUrl: documentUrl } });
    await started.call('signIn', { server: 'work' });
    expect(await started.call('serverDetail', { server: 'work' })).toMatchObject({
      clientId: documentUrl,
      registration: 'metadata_document',
    });
    expect(await started.call('signOut', { server: 'work' })).toEqual({ revoked: 'confirmed', deleted: true });
  });

  it('RG11: lists every redirect URI that Keybridge uses, with and without a port', () => {
    const places = ['127.0.0.1', 'localhost'].flatMap((host) => [
      `http://${host}/callback`,
      ...redirectPorts.map((port) => `http://${host}:${port}/callback`),
    ]);
    expect(shipped).toMatchObject({
      redirect_uris: places,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    });
  });

  it('is not used if a client ID was entered or the server does not support such documents', async () => {
    const without = await startPeers(closing);
    const rig = await startSignInRigFor(closing);
    const { id } = await rig.add(without.url, { settings: { clientMetadataUrl: documentUrl } });
    await rig.signIns.start(id, { openBrowser: true });
    expect(without.as.counts.registrations).toBe(1);

    const both = await startPeers(closing, {
      clientDocument: shipped,
      clients: [
        {
          client_id: 'entered',
          redirect_uris: ['http://127.0.0.1/callback'],
          token_endpoint_auth_method: 'none',
          application_type: 'native',
        },
      ],
    });
    const second = await rig.add(both.url, { clientId: 'entered', settings: { clientMetadataUrl: documentUrl } });
    const started = rig.signIns.start(second.id, { openBrowser: false });
    await expect.poll(() => rig.signIns.progress(second.id)?.url).toContain('client_id=entered');
    rig.signIns.cancel(second.id);
    expect(await errorCode(started)).toBe('E_CANCELLED');
  });

  it.each([
    'http://apps.company.example/x.json',
    'https://apps.company.example/',
    'https://apps.company.example/a/../b.json',
    'https://u@apps.company.example/x.json',
    'https://apps.company.example/x.json#a',
    'nonsense',
  ])('is rejected at a URL that servers must reject: %s', async (clientMetadataUrl) => {
    const { url, as } = await startPeers(closing, { clientDocument: shipped });
    const rig = await startSignInRigFor(closing);
    const { id } = await rig.add(url, { settings: { clientMetadataUrl } });
    expect(await errorCode(rig.signIns.start(id, { openBrowser: true }))).toBe('E_BAD_INPUT');
    expect(as.counts).toMatchObject({ authorizationRequests: 0, registrations: 0 });
  });
});
