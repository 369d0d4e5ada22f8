import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeDiscovery } from '../../../electron/core/oauth/discovery/describe.ts';
import {
  type DiscoveryRig,
  authorizationServerPath,
  requestedPaths,
  resourcePath,
  startDiscoveryRig,
} from '../../fixtures/discovery-rig.ts';
import { failure } from '../../fixtures/failure.ts';
import { startSite } from '../../fixtures/site.ts';

let rig: DiscoveryRig;
beforeEach(async () => {
  rig = await startDiscoveryRig();
});
afterEach(() => rig.close());

describe('the authorization server metadata', () => {
  it.each([
    ['', [authorizationServerPath, '/.well-known/openid-configuration']],
    [
      '/realms/one',
      [
        '/.well-known/oauth-authorization-server/realms/one',
        '/.well-known/openid-configuration/realms/one',
        '/realms/one/.well-known/openid-configuration',
      ],
    ],
  ])('is searched in MCP’s order for the issuer path "%s"', async (path, wanted) => {
    delete rig.auth.routes[authorizationServerPath];
    rig.setResource({ authorization_servers: [`${rig.auth.origin}${path}`] });
    expect((await failure(rig.discover())).code).toBe('E_METADATA_MISSING');
    expect(requestedPaths(rig.auth)).toEqual(wanted);
    for (const place of wanted) {
      rig.auth.routes[place] = rig.metadata({ issuer: `${rig.auth.origin}${path}` });
      expect((await rig.discoverProtected()).authorizationServer.issuer).toBe(`${rig.auth.origin}${path}`);
      delete rig.auth.routes[place];
    }
  });

  it('UI04: offers no issuer exception for an issuer that cannot be shown unchanged', async () => {
    rig.setAuthorizationServer({ issuer: `${rig.auth.origin}/\u202egnp` });
    const error = await failure(rig.discover());
    expect(error.code).toBe('E_ISSUER_MISMATCH');
    expect(error.issuers).toBeUndefined();
  });

  it.each([
    ['DM01: of another server', 'https://other.example', 'they are different servers'],
    ['DM02: with an added trailing slash', '/', 'they differ only in a trailing slash'],
    ['DM02: in upper case', 'HTTP', 'they differ only in upper and lower case'],
    ['DM02: in another spelling', '/x/..', 'they are two spellings of one address'],
  ])('rejects an issuer %s and reports both values', async (_, text, why) => {
    const issuer = text.startsWith('/')
      ? `${rig.auth.origin}${text}`
      : text === 'HTTP'
        ? rig.auth.origin.replace('http', 'HTTP')
        : text;
    rig.setAuthorizationServer({ issuer });
    const error = await failure(rig.discover());
    expect(error.code).toBe('E_ISSUER_MISMATCH');
    expect(error.issuers).toEqual({ named: rig.auth.origin, found: issuer });
    expect(error.about('work').toInfo().issuers).toEqual(error.issuers);
    expect(error.message).toContain(`"${issuer}"`);
    expect(error.message).toContain(`"${rig.auth.origin}"`);
    expect(error.message).toContain(why);
  });

  it.each([
    ['DM03', 'file:///etc/passwd'],
    ['DM04', 'javascript:alert(1)'],
    ['DM04', 'data:text/html,x'],
    ['DM04', 'vbscript:x'],
    ['DM05', 'a:$(touch /tmp/marker)?x'],
    ['DM06', 'ms-msdt:/id PCWDiagnostic'],
    ['DM06', 'smb://host/share'],
    ['DM06', 'vscode://x'],
    ['DM06', 'search-ms:query=x'],
    ['DM07', '-flag'],
    ['DM07', '\\\\host\\share'],
    ['DM07', 'https://login.example/ a'],
    ['DM07', 'https://login.example/\n-flag'],
    ['DM07', 'https://login.example\\@evil.example/'],
    ['DM08', 'http://login.example/authorize'],
    ['DM08', 'http://192.168.1.1/authorize'],
    ['DM09', 'https://user:pass@login.example/authorize'],
    ['DM09', 'https://login.example@evil.example/authorize'],
    ['DM09', 'https://login.\u202eexample/authorize'],
  ])('%s: rejects the endpoint %s', async (_, text) => {
    for (const name of ['authorization_endpoint', 'token_endpoint', 'registration_endpoint']) {
      rig.setAuthorizationServer({ [name]: text });
      const error = await failure(rig.discover());
      expect(error.code).toBe('E_ENDPOINT_REFUSED');
      expect(error.message).toContain(name);
      expect(error.message).not.toMatch(/[\u0000-\u001f\u202e]/);
    }
  });

  it('DM05: percent-encodes shell characters in an endpoint', async () => {
    rig.setAuthorizationServer({ authorization_endpoint: 'https://login.example/a"b`c?d=$(x)|<e>' });
    expect((await rig.discoverProtected()).authorizationServer.authorization_endpoint).toBe(
      'https://login.example/a%22b%60c?d=$(x)|%3Ce%3E',
    );
  });

  it('DM09: shows a look-alike host in punycode', async () => {
    rig.setAuthorizationServer({ authorization_endpoint: 'https://lоgin.example/authorize' });
    const discovery = await rig.discoverProtected();
    expect(describeDiscovery(new URL(`${rig.mcp.origin}/mcp`), discovery).summary).toContain('xn--');
    expect(discovery.otherHosts).toEqual([expect.stringContaining('xn--')]);
  });

  it.each([
    ['DM10: no code challenge methods', undefined],
    ['DM11: only the method `plain`', ['plain']],
  ])('reports missing PKCE if the metadata has %s', async (_, methods) => {
    rig.setAuthorizationServer({ code_challenge_methods_supported: methods });
    expect((await rig.discoverProtected()).pkceMissing).toBe(true);
  });

  it('DM34: lists the hosts of endpoints that are not the issuer’s', async () => {
    rig.setAuthorizationServer({
      token_endpoint: 'https://tokens.example/token',
      authorization_endpoint: 'https://login.example/authorize',
    });
    expect((await rig.discoverProtected()).otherHosts).toEqual(['login.example', 'tokens.example']);
  });

  it.each([
    ['issuer', 7],
    ['authorization_endpoint', undefined],
    ['token_endpoint', ['x']],
    ['scopes_supported', 'a b'],
    ['code_challenge_methods_supported', 'S256'],
    ['response_types_supported', ['token']],
    ['registration_endpoint', {}],
  ])('DM26: names an invalid %s in the error', async (name, value) => {
    rig.setAuthorizationServer({ [name]: value });
    const error = await failure(rig.discover());
    expect(error.code).toBe('E_METADATA_INVALID');
    expect(error.message).toContain(name);
  });

  it.each([[[]], ['text'], [7], [null]])('DM26: rejects %j in place of an object', async (value) => {
    rig.auth.routes[authorizationServerPath] = (_, response) => response.end(JSON.stringify(value));
    expect((await failure(rig.discover())).code).toBe('E_METADATA_INVALID');
  });

  it('DM26: treats null members as absent', async () => {
    rig.setAuthorizationServer({ registration_endpoint: null, scopes_supported: null });
    expect((await rig.discoverProtected()).authorizationServer).not.toHaveProperty('registration_endpoint');
  });

  it('DM26: tries only three of 200 authorization servers', async () => {
    rig.setResource({ authorization_servers: Array.from({ length: 200 }, (_, n) => `${rig.auth.origin}/as${n}`) });
    expect((await failure(rig.discover())).code).toBe('E_METADATA_MISSING');
    expect(new Set(requestedPaths(rig.auth).map((path) => /as\d+/.exec(path)?.[0]))).toEqual(
      new Set(['as0', 'as1', 'as2']),
    );
  });

  it('DM20: looks up an issuer whose path resembles another host on its own host only', async () => {
    const other = await startSite({ host: '127.0.0.3' });
    const named = `${rig.auth.origin}//${new URL(other.origin).host}/x`;
    for (const path of ['/x/.well-known/openid-configuration', '/.well-known/openid-configuration'])
      other.routes[path] = rig.metadata({ issuer: named }, other.origin);
    rig.setResource({ authorization_servers: [named] });
    try {
      expect((await failure(rig.discover())).code).toBe('E_METADATA_MISSING');
      expect(other.acceptedConnections).toBe(0);
      expect(rig.auth.hits).toHaveLength(3);
    } finally {
      await other.close();
    }
  });

  it('uses the second authorization server if the first does not answer', async () => {
    rig.setResource({ authorization_servers: ['http://127.0.0.1:1', rig.auth.origin] });
    expect((await rig.discoverProtected()).authorizationServer.issuer).toBe(rig.auth.origin);
  });

  it('is read from the server’s own origin for MCP 2025-03-26, without guessing endpoints', async () => {
    delete rig.mcp.routes[resourcePath];
    expect((await failure(rig.discover())).code).toBe('E_METADATA_MISSING');
    rig.mcp.routes[authorizationServerPath] = rig.metadata({ issuer: `${rig.mcp.origin}/` }, rig.mcp.origin);
    expect(await rig.discoverProtected()).toMatchObject({
      resource: `${rig.mcp.origin}/mcp`,
      authorizationServer: { issuer: `${rig.mcp.origin}/` },
    });
    expect(requestedPaths(rig.mcp).some((path) => /authorize|token$|register/.test(path))).toBe(false);
  });
});
