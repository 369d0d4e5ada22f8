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
import { startSite, type Route } from '../../fixtures/site.ts';

let rig: DiscoveryRig;
beforeEach(async () => {
  rig = await startDiscoveryRig();
});
afterEach(() => rig.close());

describe('the protected resource metadata', () => {
  it.each([
    ['another origin', 'https://evil.example/mcp'],
    ['another port', 'http://127.0.0.1:1/mcp'],
    ['a path that is a string prefix only', '/mc'],
    ['a deeper path', '/mcp/deeper'],
    ['a different query', '/mcp?tenant=1'],
    ['a user name', 'user'],
  ])('DM12: is rejected if its resource has %s', async (_, text) => {
    rig.setResource({
      resource:
        text === 'user'
          ? `${rig.mcp.origin.replace('//', '//user@')}/mcp`
          : text.startsWith('/')
            ? `${rig.mcp.origin}${text}`
            : text,
    });
    expect((await failure(rig.discover())).code).toBe('E_RESOURCE_MISMATCH');
    expect(rig.auth.hits).toEqual([]);
  });

  it.each(['', '/', '/mcp', '/mcp/'])(
    'DM13: may have the server or its parent path "%s" as its resource, kept byte for byte',
    async (path) => {
      rig.setResource({ resource: `${rig.mcp.origin}${path}` });
      expect((await rig.discoverProtected()).resource).toBe(`${rig.mcp.origin}${path}`);
    },
  );

  it('DM14: is read from the well-known URL if the challenge names a URL on another origin', async () => {
    const other = await startSite({ host: '127.0.0.3' });
    other.routes['/prm'] = { resource: `${rig.mcp.origin}/mcp`, authorization_servers: [other.origin] };
    rig.mcp.routes['/mcp'] = challengeRoute(`resource_metadata="${other.origin}/prm"`);
    try {
      expect((await rig.discoverProtected()).authorizationServer.issuer).toBe(rig.auth.origin);
      expect(other.hits).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it('DM32: is rejected if its list of authorization servers is empty, and nothing is guessed', async () => {
    rig.setResource({ authorization_servers: [] });
    const error = await failure(rig.discover());
    expect(error.code).toBe('E_METADATA_INVALID');
    expect(error.message).toContain('authorization_servers');
    expect(rig.auth.hits).toEqual([]);
  });
});

describe('discovery and addresses inside the user’s network', () => {
  it('DM15: does not connect to an internal authorization server that a public server names', async () => {
    rig.mcp.routes['/mcp'] = challengeRoute(`resource_metadata="${rig.internal.origin}/prm"`);
    rig.setResource({ authorization_servers: [rig.internal.origin] });
    rig.internal.routes[authorizationServerPath] = rig.metadata({}, rig.internal.origin);
    expect((await failure(rig.discover())).code).toBe('E_ADDRESS_REFUSED');
    expect(rig.internal.acceptedConnections).toBe(0);
  });

  it('DM15: connects to an internal authorization server if the MCP server is internal too', async () => {
    rig.internal.routes['/mcp'] = challengeRoute('');
    rig.internal.routes[resourcePath] = {
      resource: `${rig.internal.origin}/mcp`,
      authorization_servers: [rig.internal.origin],
    };
    rig.internal.routes[authorizationServerPath] = rig.metadata({}, rig.internal.origin);
    const discovery = await rig.discoverAt(`${rig.internal.origin}/mcp`);
    expect(discovery).toMatchObject({ kind: 'protected', allow: { origin: rig.internal.origin, own: 'private' } });
  });

  it.each(['authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'revocation_endpoint'])(
    'RG10: rejects an internal %s in the metadata of a public authorization server',
    async (name) => {
      rig.setAuthorizationServer({ [name]: `${rig.internal.origin}/inner` });
      expect((await failure(rig.discover())).code).toBe('E_ENDPOINT_REFUSED');
      expect(rig.internal.acceptedConnections).toBe(0);
    },
  );

  it('DM17: does not follow a redirect of metadata to an internal address', async () => {
    for (const path of ['/mcp', '']) {
      rig.mcp.routes[`/.well-known/oauth-protected-resource${path}`] = (_, response) =>
        response.writeHead(302, { location: `${rig.internal.origin}/prm` }).end();
    }
    expect((await failure(rig.discover())).code).toBe('E_REDIRECTED');
    expect(rig.internal.acceptedConnections).toBe(0);
  });
});

describe('redirects of metadata requests', () => {
  it('follows three redirects on the same origin, but not a fourth', async () => {
    const hop =
      (n: number): Route =>
      (_, response) =>
        response.writeHead(302, { location: `/hop${n}` }).end();
    for (let n = 1; n < 3; n += 1) rig.mcp.routes[`/hop${n}`] = hop(n + 1);
    rig.mcp.routes['/hop3'] = rig.mcp.routes[resourcePath] ?? {};
    rig.mcp.routes[resourcePath] = hop(1);
    expect((await rig.discoverProtected()).kind).toBe('protected');
    rig.mcp.routes['/hop3'] = hop(4);
    rig.mcp.routes['/hop4'] = {};
    expect((await failure(rig.discover())).code).toBe('E_REDIRECTED');
    expect(requestedPaths(rig.mcp)).not.toContain('/hop4');
  });

  it('DM19: stops after a few requests when a redirect points to itself', async () => {
    rig.auth.routes[authorizationServerPath] = (_, response) =>
      response.writeHead(302, { location: authorizationServerPath }).end();
    expect((await failure(rig.discover())).code).toBe('E_REDIRECTED');
    expect(rig.auth.hits.length).toBeLessThanOrEqual(5);
  });

  it('DM20: does not follow a redirect to another origin, even if that claims the issuer', async () => {
    const other = await startSite({ host: '127.0.0.3' });
    other.routes['/as'] = rig.metadata();
    rig.auth.routes[authorizationServerPath] = (_, response) =>
      response.writeHead(302, { location: `${other.origin}/as` }).end();
    try {
      expect((await failure(rig.discover())).code).toBe('E_REDIRECTED');
      expect(other.hits).toEqual([]);
    } finally {
      await other.close();
    }
  });
});
