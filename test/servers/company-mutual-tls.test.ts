import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../electron/core/base/system-clock.ts';
import { createLog } from '../../electron/core/base/log.ts';
import { createServerClient } from '../../electron/relay/server-client.ts';
import { startHttpsListener } from '../fixtures/https-listener.ts';
import { readBody } from '../fixtures/listener.ts';
import { startProduct } from '../fixtures/product.ts';
import { clientCertificate, createServerTlsRig, siteCertificate } from '../fixtures/server-tls-rig.ts';

const { file, later } = createServerTlsRig();

const day = 86_400_000;

describe('a company with its own certificate authority and mutual TLS', () => {
  it('RFC 8705: gets its tokens by certificate, and they are bound to the certificate', async () => {
    const me = clientCertificate();
    const certificateOf = (request: IncomingMessage) =>
      (request.socket as TLSSocket).getPeerCertificate().fingerprint256 ?? 'nobody';
    const requests: { readonly to: string; readonly certificate: string; readonly body: string }[] = [];
    const boundTo = new Map<string, string>();
    const json = (response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    const listen = async (
      demand: boolean,
      handle: (request: IncomingMessage, response: ServerResponse, body: string) => void,
    ) => {
      const listener = later(
        await startHttpsListener(
          { ...siteCertificate, requestCert: true, rejectUnauthorized: demand, ca: me.cert },
          (request, response) => {
            void readBody(request).then((body) => handle(request, response, body));
          },
        ),
      );
      return `https://localhost:${listener.port}`;
    };

    // Demands a certificate, and issues tokens that are bound to it.
    const tokens = await listen(true, (request, response, body) => {
      requests.push({ to: 'token', certificate: certificateOf(request), body });
      boundTo.set(`Bearer token-${requests.length}`, certificateOf(request));
      json(response, 200, { access_token: `token-${requests.length}`, token_type: 'Bearer', expires_in: 600 });
    });
    const issuer: string = await listen(false, (request, response) => {
      requests.push({ to: 'metadata', certificate: certificateOf(request), body: '' });
      if (request.url !== '/.well-known/oauth-authorization-server') return response.writeHead(404).end();
      return json(response, 200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        token_endpoint_auth_methods_supported: ['tls_client_auth'],
        tls_client_certificate_bound_access_tokens: true,
        mtls_endpoint_aliases: { token_endpoint: `${tokens}/token` },
      });
    });
    const server: string = await listen(true, (request, response) => {
      if (request.url === '/.well-known/oauth-protected-resource/mcp')
        return json(response, 200, { resource: `${server}/mcp`, authorization_servers: [issuer] });
      const bound = boundTo.get(request.headers.authorization ?? '') === certificateOf(request);
      const challenge = {
        'www-authenticate': `Bearer resource_metadata="${server}/.well-known/oauth-protected-resource/mcp"`,
      };
      return bound ? json(response, 200, { jsonrpc: '2.0', id: 1, result: {} }) : json(response, 401, {}, challenge);
    });

    const product = later(await startProduct());
    const settings = {
      grant: 'client_credentials',
      caFile: file('ca.pem', siteCertificate.cert),
      clientCertificateFile: file('me.pem', me.cert + me.key),
    } as const;
    await product.call('addServer', { url: `${server}/mcp`, name: 'company', clientId: 'laptop', settings });
    await product.call('signIn', { server: 'company', openBrowser: true });

    const connection = product.app.connect('company');
    const serverClient = createServerClient({
      connection,
      http: product.app.http,
      log: createLog(() => {}, Date.now),
      clock: systemClock(),
    });
    const response = await serverClient.request({
      method: 'POST',
      headers: {},
      body: Buffer.from('{}'),
      timeoutMs: 5_000,
      repeatable: true,
      onChallenge: 'ignore',
    });
    response.body.destroy();
    connection.close();
    expect(response.status).toBe(200);
    expect(requests.filter(({ to }) => to === 'token')).toHaveLength(1);
    for (const { to, certificate, body } of requests) {
      expect(certificate === 'nobody').toBe(to === 'metadata');
      if (to === 'token')
        expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
          client_id: 'laptop',
          grant_type: 'client_credentials',
        });
      expect(body).not.toContain('client_secret');
      expect(body).not.toContain('client_assertion');
    }
    const detail = await product.call('serverDetail', { server: 'company' });
    expect((detail.certificateExpiresAt ?? 0) - Date.now()).toBeGreaterThan(day / 2);
  });
});
