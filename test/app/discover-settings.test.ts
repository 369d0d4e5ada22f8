import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { presets } from '../../electron/core/oauth/providers/presets.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startHttpsListener, type HttpsListener } from '../fixtures/https-listener.ts';
import { startProduct, type Product } from '../fixtures/product.ts';

/** The "add a server" screen previews an address with settings before the server is in the list. */
describe('the preview of an address with settings', () => {
  const own = selfSigned(['localhost']);
  let folder: string;
  let site: HttpsListener;
  let product: Product;
  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'keybridge-look-'));
    writeFileSync(path.join(folder, 'ca.pem'), own.cert);
    // As real servers do: 404 for unknown paths, and a response without a sign-in at the endpoint.
    site = await startHttpsListener(
      own,
      (request, response) =>
        void response
          .writeHead(request.url === '/mcp' ? 200 : 404, { 'content-type': 'application/json' })
          .end('{"jsonrpc":"2.0","id":0,"result":{}}'),
    );
    product = await startProduct();
  });
  afterEach(async () => {
    await product.close();
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('HT36: reaches a server with a private certificate authority, which is not trusted afterwards', async () => {
    const url = `https://localhost:${site.port}/mcp`;
    await expect(product.call('discover', { url })).rejects.toThrow('E_TLS');
    expect(await product.call('discover', { url, settings: { caFile: path.join(folder, 'ca.pem') } })).toMatchObject({
      url,
      needsSignIn: false,
    });
    await expect(product.call('discover', { url })).rejects.toThrow('E_TLS');
    expect((await product.call('status')).servers).toEqual([]);
  });

  it('lists the values of the setting `preset`', async () => {
    const named = await product.call('presets');
    expect(named).toContainEqual({ name: 'keycloak', title: 'Keycloak' });
    expect(named).toHaveLength(presets.length);
  });
});
