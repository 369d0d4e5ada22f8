import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type DiscoveryRig,
  authorizationServerPath,
  challengeRoute,
  requestedPaths,
  resourcePath,
  startDiscoveryRig,
} from '../../fixtures/discovery-rig.ts';
import { failure } from '../../fixtures/failure.ts';
import { type Route } from '../../fixtures/site.ts';

let rig: DiscoveryRig;
beforeEach(async () => {
  rig = await startDiscoveryRig();
});
afterEach(() => rig.close());

describe('discovery of a server that needs a sign-in', () => {
  it('takes resource and issuer from the metadata byte for byte', async () => {
    rig.setResource({
      resource: `${rig.mcp.origin.replace('http', 'HTTP')}/mcp`,
      scopes_supported: ['mcp:tools', 'mcp:tools', 'bad scope'],
      resource_name: 'Tools',
    });
    rig.setAuthorizationServer({ scopes_supported: ['offline_access'], unknown_member: { kept: true } });
    const discovery = await rig.discoverProtected();
    expect(discovery).toMatchObject({
      resource: `${rig.mcp.origin.replace('http', 'HTTP')}/mcp`,
      resourceName: 'Tools',
      scopes: ['mcp:tools', 'offline_access'],
      pkceMissing: false,
      otherHosts: [],
      allow: { origin: rig.mcp.origin, own: 'public' },
    });
    expect(discovery.authorizationServer).toMatchObject({ issuer: rig.auth.origin, unknown_member: { kept: true } });
  });

  it('probes with a complete stateless request, without a token and without opening a session', async () => {
    await rig.discoverProtected();
    const question = JSON.parse(rig.mcp.hits[0]?.body ?? '');
    expect(question).toMatchObject({
      jsonrpc: '2.0',
      id: 1,
      method: 'server/discover',
      params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
    });
    expect(rig.mcp.hits[0]?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'server/discover',
    });
    expect(rig.mcp.hits[0]?.headers).not.toHaveProperty('authorization');
  });

  it('looks for resource metadata at the challenge’s URL, then for the path, then for the origin', async () => {
    delete rig.mcp.routes[resourcePath];
    rig.mcp.routes['/mcp'] = challengeRoute(`resource_metadata="${rig.mcp.origin}/elsewhere"`);
    rig.mcp.routes['/.well-known/oauth-protected-resource'] = {
      resource: rig.mcp.origin,
      authorization_servers: [rig.auth.origin],
    };
    expect((await rig.discoverProtected()).resource).toBe(rig.mcp.origin);
    expect(requestedPaths(rig.mcp)).toEqual([
      '/mcp',
      '/elsewhere',
      resourcePath,
      '/.well-known/oauth-protected-resource',
    ]);
  });

  it('accepts a 403 in place of a 401', async () => {
    rig.mcp.routes['/mcp'] = challengeRoute('scope="a b"', 403);
    expect((await rig.discoverProtected()).scopes).toEqual(['a', 'b']);
  });

  it('requests the scopes of the challenge only', async () => {
    rig.setResource({ scopes_supported: ['everything'] });
    expect((await rig.discoverProtected('/mcp', { challenge: { scope: 'read write' } })).scopes).toEqual([
      'read',
      'write',
    ]);
    expect(requestedPaths(rig.mcp)).not.toContain('/mcp');
  });

  it('finds the sign-in of a server that answers without a token but has metadata (as Google does)', async () => {
    rig.mcp.routes['/mcp'] = { jsonrpc: '2.0', id: 1, result: {} };
    expect((await rig.discoverProtected()).resource).toBe(`${rig.mcp.origin}/mcp`);
  });

  it('follows a redirect from /mcp to /mcp/', async () => {
    rig.mcp.routes['/mcp'] = (_, response) => response.writeHead(307, { location: '/mcp/' }).end();
    rig.mcp.routes['/mcp/'] = challengeRoute('');
    expect((await rig.discoverProtected()).resource).toBe(`${rig.mcp.origin}/mcp`);
  });
});

describe('discovery of a server without metadata', () => {
  beforeEach(() => {
    delete rig.mcp.routes[resourcePath];
  });

  it('treats a server as open although its metadata paths are web pages', async () => {
    rig.mcp.routes['/mcp'] = { jsonrpc: '2.0', id: 1, result: {} };
    const page: Route = (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>');
    for (const path of ['/.well-known/oauth-protected-resource', resourcePath]) rig.mcp.routes[path] = page;
    expect(await rig.discover()).toMatchObject({ kind: 'open' });
  });

  it.each([
    [
      'E_HTTP_STATUS',
      'the server is unavailable',
      (_, response) => response.writeHead(503, { 'retry-after': '7' }).end(),
    ],
    [
      'E_NOT_JSON',
      'the address is a web page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    ],
    [
      'E_SERVER_URL',
      'nothing is at the address',
      (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html>'),
    ],
    [
      'E_REDIRECTED',
      'the address redirects to another site',
      (_, response) => response.writeHead(302, { location: 'https://example.com/login' }).end(),
    ],
  ] satisfies [string, string, Route][])('throws %s when %s', async (code, _, route) => {
    rig.mcp.routes['/mcp'] = route;
    expect((await failure(rig.discover())).code).toBe(code);
  });
});

describe('the setting legacyEndpoints', () => {
  it('uses the fixed paths of MCP 2025-03-26 if the server has no metadata at all', async () => {
    delete rig.mcp.routes[resourcePath];
    const settings = { legacyEndpoints: true };
    const { authorizationServer, pkceMissing } = await rig.discoverProtected('/mcp', { settings });
    const { origin } = rig.mcp;
    expect(authorizationServer).toMatchObject({
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
    });
    expect(pkceMissing).toBe(false);
    rig.mcp.routes[authorizationServerPath] = rig.metadata({ token_endpoint: `${origin}/elsewhere` }, origin);
    expect((await rig.discoverProtected('/mcp', { settings })).authorizationServer.token_endpoint).toBe(
      `${origin}/elsewhere`,
    );
  });

  it('guesses no endpoints if the metadata is invalid or the server is unavailable', async () => {
    delete rig.mcp.routes[resourcePath];
    for (const status of [500, 200]) {
      rig.mcp.routes[authorizationServerPath] = (_, response) =>
        response.writeHead(status, { 'content-type': 'text/html' }).end('<html>');
      await failure(rig.discover('/mcp', { settings: { legacyEndpoints: true } }));
    }
  });
});
