import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { startSignInRig } from '../../fixtures/sign-in-rig.ts';
import { startSite, type Hit } from '../../fixtures/site.ts';

const closing = closeAfterEach();

/** An MCP server with an authorization server that can forget its registered clients. */
async function forgetfulSite() {
  const site = await startSite();
  closing.push(() => site.close());
  const { origin } = site;
  const forgotten = new Set<string>();
  let clients = 0;
  site.routes['/mcp'] = (_request: IncomingMessage, response: ServerResponse) =>
    void response
      .writeHead(401, {
        'www-authenticate': `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
      })
      .end();
  site.routes['/.well-known/oauth-protected-resource/mcp'] = {
    resource: `${origin}/mcp`,
    authorization_servers: [origin],
  };
  site.routes['/.well-known/oauth-authorization-server'] = {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  };
  site.routes['/register'] = (_request: IncomingMessage, response: ServerResponse) =>
    sendJson(response, 201, { client_id: `client-${(clients += 1)}` });
  site.routes['/authorize'] = (_request: IncomingMessage, response: ServerResponse, { path }: Hit) => {
    const request = new URL(path, origin).searchParams;
    const callback = new URL(request.get('redirect_uri') ?? '');
    callback.searchParams.set('code', 'a-code');
    callback.searchParams.set('state', request.get('state') ?? '');
    response.writeHead(302, { location: callback.href }).end();
  };
  site.routes['/token'] = (_request: IncomingMessage, response: ServerResponse, { body }: Hit) => {
    const client = new URLSearchParams(body).get('client_id') ?? '';
    if (forgotten.has(client)) sendJson(response, 401, { error: 'invalid_client' });
    else
      sendJson(response, 200, { access_token: `token-of-${client}`, token_type: 'Bearer', refresh_token: 'refresh-1' });
  };
  return { url: `${origin}/mcp`, forgotten, count: () => clients };
}

it('RG08: a sign-in registers a third client if the server has forgotten two earlier ones', async () => {
  const site = await forgetfulSite();
  const rig = await startSignInRig();
  closing.push(() => rig.close());
  const { id } = await rig.add(site.url);
  const start = () => rig.signIns.start(id, { openBrowser: true });
  await start();
  // While the port is in use, the next sign-in registers another redirect URI.
  const [first] = rig.servers.find(id)?.registrations ?? [];
  const occupier = createServer();
  const port = Number(new URL(first?.redirect_uri ?? '').port);
  await rig.signIns.close();
  await new Promise<void>((resolve) => occupier.listen(port, '127.0.0.1', resolve));
  await start();
  await new Promise((resolve) => occupier.close(resolve));
  expect(site.count()).toBe(2);

  site.forgotten.add('client-1').add('client-2');
  await start();
  expect(site.count()).toBe(3);
  expect(rig.vault.facts(id)?.clientId).toBe('client-3');
  expect(await rig.tokens.accessToken(id)).toMatchObject({ kind: 'token' });
});
