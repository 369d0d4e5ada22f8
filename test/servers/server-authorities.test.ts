import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { createLog } from '../../electron/core/base/log.ts';
import { createHttp } from '../../electron/core/http/client.ts';
import { companyHttp } from '../../electron/core/oauth/enterprise/company-http.ts';
import type { Server } from '../../electron/core/servers/server.ts';
import { createServerClient } from '../../electron/relay/server-client.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { failure } from '../fixtures/failure.ts';
import { startProduct } from '../fixtures/product.ts';
import { createServerTlsRig, siteCertificate, siteRequest } from '../fixtures/server-tls-rig.ts';
import type { ServerSettings } from '../../shared/server-settings.ts';

const { clientOf, file, later, pathOf, site } = createServerTlsRig();

describe('the certificate authorities of one server (caFile)', () => {
  it('HT36: are trusted for this server only', async () => {
    const { origin } = await site();
    const trusting = clientOf(origin, { caFile: file('ca.pem', siteCertificate.cert) });
    expect((await trusting.client.fetch(siteRequest(origin))).status).toBe(200);
    const other = clientOf(origin, {});
    expect(await failure(other.client.fetch(siteRequest(origin)))).toMatchObject({ code: 'E_TLS', sent: false });
    // The other server did not reuse or break the connection of the first.
    expect((await trusting.client.fetch(siteRequest(origin))).status).toBe(200);
  });

  it('are trusted at another host, such as the authorization server, only if caOrigins names it', async () => {
    const { origin } = await site();
    const { client, set } = clientOf('https://mcp.test/', { caFile: file('ca.pem', siteCertificate.cert) });
    const error = await failure(client.fetch(siteRequest(origin, { forTokens: true })));
    expect(error).toMatchObject({ code: 'E_TLS', sent: false, field: 'settings.caOrigins' });
    expect(error.message).toContain(
      `are trusted at mcp.test only. To trust them at ${origin} too, add it to the setting caOrigins`,
    );
    set({ caFile: file('ca.pem', siteCertificate.cert), caOrigins: ['https://login.test', origin] });
    expect((await client.fetch(siteRequest(origin))).status).toBe(200);
    set({ caFile: file('ca.pem', siteCertificate.cert), caOrigins: ['https://localhost:1'] });
    expect((await failure(client.fetch(siteRequest(origin)))).code).toBe('E_TLS');
  });

  it('are trusted on every port of the server’s own host, where its authorization server may be', async () => {
    const [server, beside] = [await site(), await site()];
    const { client } = clientOf(server.origin, { caFile: file('ca.pem', siteCertificate.cert) });
    expect((await client.fetch(siteRequest(beside.origin))).status).toBe(200);
  });

  it('do not apply to the company’s identity provider; the company’s own apply to all of its servers', async () => {
    const { origin } = await site();
    const enterprise = { issuer: origin, clientId: 'desktop' };
    const serverWith = (settings: ServerSettings) =>
      ({ settings: { grant: 'enterprise_managed', ...settings } }) as unknown as Server;
    const caFile = file('ca.pem', siteCertificate.cert);
    let servers = [serverWith({ enterprise }), serverWith({ enterprise, caFile, caOrigins: [origin] })];
    const client = later(companyHttp(() => servers, later(createHttp())));
    expect((await failure(client.fetch(siteRequest(origin)))).code).toBe('E_TLS');
    servers = [serverWith({ enterprise }), serverWith({ enterprise: { ...enterprise, caFile } })];
    expect((await client.fetch(siteRequest(origin))).status).toBe(200);
    servers = [serverWith({ enterprise: { ...enterprise, issuer: 'https://idp.test', caFile } })];
    expect((await failure(client.fetch(siteRequest(origin)))).code).toBe('E_TLS');
    servers = [
      serverWith({
        enterprise: { ...enterprise, issuer: 'https://idp.test', caFile, tokenEndpoint: `${origin}/token` },
      }),
    ];
    expect((await client.fetch(siteRequest(origin))).status).toBe(200);
  });

  it('are trusted in addition to the default authorities', async () => {
    const { origin } = await site();
    const http = later(createHttp({ ca: [siteCertificate.cert] }));
    const both = later(http.withTls({ ca: [selfSigned(['else.test']).cert] }));
    expect((await both.fetch(siteRequest(origin))).status).toBe(200);
  });

  it('apply from the next request on when the setting or the file changes', async () => {
    const { origin } = await site();
    const ca = file('ca.pem', selfSigned(['else.test']).cert);
    const { client, set } = clientOf(origin, {});
    expect((await failure(client.fetch(siteRequest(origin)))).code).toBe('E_TLS');
    set({ caFile: ca });
    expect((await failure(client.fetch(siteRequest(origin)))).code).toBe('E_TLS');
    writeFileSync(ca, `${siteCertificate.cert}\n${selfSigned(['else.test']).cert}`);
    expect((await client.fetch(siteRequest(origin))).status).toBe(200);
  });

  it.each([
    ['does not exist', undefined, 'cannot be read (ENOENT)'],
    ['is not PEM', 'hello', 'does not contain a PEM certificate'],
    ['is damaged', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'contains a damaged certificate'],
  ])('cause E_BAD_INPUT, which names the file, if the file %s', async (_, content, message) => {
    const { origin, seen } = await site();
    const place = pathOf('company.pem');
    if (content !== undefined) file('company.pem', content);
    const error = await failure(clientOf(origin, { caFile: place }).client.fetch(siteRequest(origin)));
    expect(error).toMatchObject({ code: 'E_BAD_INPUT', sent: false });
    expect(error.message).toContain('company.pem');
    expect(error.message).toContain(message);
    expect(seen).toEqual([]);
  });
});

describe('an unusable caFile', () => {
  it.each([
    ['/nowhere/company.pem', 'cannot be read (ENOENT)'],
    ['company.pem', 'must be given with its full path'],
  ])('fails sign-ins and calls with E_BAD_INPUT: %s', async (caFile, message) => {
    const { origin } = await site();
    const product = later(await startProduct());
    await product.call('addServer', { url: origin, name: 'company', settings: { caFile } });
    const error = await product
      .call('signIn', { server: 'company', openBrowser: true })
      .catch((caught: Error) => caught);
    expect(error).toMatchObject({ message: 'E_BAD_INPUT' });
    expect((error as Error & { cause: { message: string } }).cause.message).toContain(message);
    const connection = product.app.connect('company');
    const serverClient = createServerClient({
      connection,
      http: product.app.http,
      log: createLog(() => {}, Date.now),
      clock: systemClock(),
    });
    const refused = await failure(
      serverClient.request({ method: 'POST', headers: {}, timeoutMs: 5_000, repeatable: true, onChallenge: 'ignore' }),
    );
    connection.close();
    expect(refused).toMatchObject({ code: 'E_BAD_INPUT', server: 'company', sent: false });
  });
});
