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
import { startListener } from '../../fixtures/listener.ts';
import { type Route } from '../../fixtures/site.ts';

let rig: DiscoveryRig;
beforeEach(async () => {
  rig = await startDiscoveryRig();
});
afterEach(() => rig.close());

describe('faults during discovery', () => {
  it.each([500, 502])(
    'DM25: reports status %i at every metadata URL of the server, and guesses nothing',
    async (status) => {
      const broken: Route = (_, response) => response.writeHead(status).end();
      for (const path of ['/mcp', '']) rig.mcp.routes[`/.well-known/oauth-protected-resource${path}`] = broken;
      rig.mcp.routes[authorizationServerPath] = rig.metadata({}, rig.mcp.origin);
      const error = await failure(rig.discover());
      expect(error.code).toBe('E_HTTP_STATUS');
      expect(error.message).toContain(resourcePath);
      expect(requestedPaths(rig.mcp)).not.toContain(authorizationServerPath);
    },
  );

  it.each([500, 404])('DM25: reports status %i at every metadata URL of the authorization server', async (status) => {
    rig.auth.routes[authorizationServerPath] = (_, response) => response.writeHead(status).end();
    expect((await failure(rig.discover())).code).toBe(status === 500 ? 'E_HTTP_STATUS' : 'E_METADATA_MISSING');
    expect(requestedPaths(rig.auth)).toEqual([authorizationServerPath, '/.well-known/openid-configuration']);
  });

  it('DM24: reports a web page in place of metadata as invalid metadata, not as a network error', async () => {
    const page: Route = (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>log in</html>');
    rig.auth.routes[authorizationServerPath] = page;
    rig.auth.routes['/.well-known/openid-configuration'] = page;
    const error = await failure(rig.discover());
    expect(error.code).toBe('E_METADATA_INVALID');
    expect(error.message).toContain('web page');
    rig.mcp.routes[resourcePath] = page;
    expect((await failure(rig.discover())).code).toBe('E_METADATA_INVALID');
  });

  it('DM21: stops reading metadata above 256 KB', async () => {
    for (const site of [rig.mcp, rig.auth]) {
      const name = site === rig.mcp ? resourcePath : authorizationServerPath;
      const before = site.routes[name];
      site.routes[name] = (_, response) => response.end(`{"filler":"${'x'.repeat(50_000_000)}"}`);
      expect((await failure(rig.discover())).code).toBe('E_TOO_LARGE');
      site.routes[name] = before ?? {};
    }
  });

  it('DM23: stops an endless, slow response at the total deadline', async () => {
    rig.auth.routes[authorizationServerPath] = (_, response) => {
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    };
    expect((await failure(rig.discover('/mcp', { timeoutMs: 500 }))).code).toBe('E_TIMEOUT');
  });

  it('DM28: reports a reset or truncated response as a lost connection', async () => {
    rig.auth.routes[authorizationServerPath] = (request) => request.socket.resetAndDestroy();
    expect((await failure(rig.discover())).code).toBe('E_CONNECTION_LOST');
    rig.auth.routes[authorizationServerPath] = (request, response) => {
      response.writeHead(200, { 'content-length': '9000' });
      response.write('{"issuer":', () => request.socket.destroy());
    };
    expect((await failure(rig.discover())).code).toBe('E_CONNECTION_LOST');
  });

  it('DM31: reports an authorization server that is down or has no TLS, and does not fall back to http', async () => {
    const down = await startListener((_, response) => response.end());
    await down.close();
    rig.setResource({ authorization_servers: [down.origin] });
    expect((await failure(rig.discover())).code).toBe('E_CONNECT');
    rig.setResource({ authorization_servers: [rig.auth.origin.replace('http:', 'https:')] });
    expect((await failure(rig.discover())).code).toBe('E_TLS');
    expect(rig.auth.hits).toEqual([]);
  });

  it('ends with E_CANCELLED when it is aborted', async () => {
    const abort = new AbortController();
    rig.auth.routes[authorizationServerPath] = () => abort.abort();
    expect((await failure(rig.discover('/mcp', { signal: abort.signal }))).code).toBe('E_CANCELLED');
  });

  it('DM36: shortens resource names to one line without control characters', async () => {
    rig.setResource({ resource_name: `<b>x</b>\n\u202e${'y'.repeat(10_000)}` });
    const name = (await rig.discoverProtected()).resourceName ?? '';
    expect(name.length).toBeLessThanOrEqual(80);
    expect(name).not.toMatch(/[\n\u202e]/);
  });
});

describe('missing metadata', () => {
  const nothing = { error: 'not_found', error_description: 'No such thing' };

  it('continues the search for resource metadata after a JSON error with status 200', async () => {
    rig.mcp.routes['/.well-known/oauth-protected-resource'] = {
      resource: rig.mcp.origin,
      authorization_servers: [rig.auth.origin],
    };
    rig.mcp.routes[resourcePath] = nothing;
    expect((await rig.discoverProtected()).authorizationServer.issuer).toBe(rig.auth.origin);
  });

  it('continues the search for authorization server metadata after a JSON error with status 200', async () => {
    rig.auth.routes[authorizationServerPath] = { error: { code: 404, message: 'no' } };
    rig.auth.routes['/.well-known/openid-configuration'] = rig.metadata();
    expect((await rig.discoverProtected()).authorizationServer.token_endpoint).toBe(`${rig.auth.origin}/token`);
  });

  it('is reported if every URL has a JSON error with status 200', async () => {
    for (const name of ['oauth-authorization-server', 'openid-configuration'])
      rig.auth.routes[`/.well-known/${name}`] = nothing;
    const error = await failure(rig.discover());
    expect(error).toMatchObject({
      code: 'E_METADATA_MISSING',
      message: expect.stringContaining('returned an error instead of metadata') as string,
    });
  });

  it('is reported as missing, not as an issuer mismatch, if the challenge names its URL', async () => {
    delete rig.mcp.routes[resourcePath];
    rig.mcp.routes['/mcp'] = challengeRoute(`resource_metadata="${rig.mcp.origin}/metadata/gone"`);
    rig.mcp.routes[authorizationServerPath] = rig.metadata({ issuer: 'https://other.example' }, rig.mcp.origin);
    const error = await failure(rig.discover());
    expect(error.code).toBe('E_METADATA_MISSING');
    expect(error.message).toContain('/metadata/gone');
  });

  it('at the challenge’s URL does not prevent a sign-in with the well-known metadata', async () => {
    rig.mcp.routes['/mcp'] = challengeRoute(`resource_metadata="${rig.mcp.origin}/metadata/gone"`);
    expect((await rig.discoverProtected()).authorizationServer.issuer).toBe(rig.auth.origin);
  });
});
