import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../../electron/core/http/client.ts';
import { bearerChallenge, parseChallenges } from '../../../electron/core/oauth/discovery/challenge.ts';
import { describeDiscovery } from '../../../electron/core/oauth/discovery/describe.ts';
import { discover, type DiscoveryOptions } from '../../../electron/core/oauth/discovery/discovery.ts';
import { startSite, type Route, type Site } from '../../fixtures/site.ts';
import { startListener } from '../../fixtures/listener.ts';
import { failure } from '../../fixtures/failure.ts';
import type { AddressClass, Http } from '../../../electron/core/http/http.ts';
import type { Challenge, Discovery } from '../../../electron/core/oauth/model.ts';

// Three networks on one computer: 127.0.0.1 plays the internet, 127.0.0.2 the user's own network, 127.0.0.3 another
// site.
const classes: Record<string, AddressClass> = { '127.0.0.1': 'public', '127.0.0.2': 'private', '127.0.0.3': 'public' };
const classify = (address: string): AddressClass => classes[address] ?? 'unspecified';

let http: Http;
let mcp: Site;
let auth: Site;
let internal: Site;

beforeEach(async () => {
  http = createHttp({ classify });
  [mcp, auth, internal] = await Promise.all([startSite(), startSite(), startSite({ host: '127.0.0.2' })]);
  mcp.routes['/mcp'] = challenge('');
  mcp.routes['/.well-known/oauth-protected-resource/mcp'] = {
    resource: `${mcp.origin}/mcp`,
    authorization_servers: [auth.origin],
  };
  auth.routes['/.well-known/oauth-authorization-server'] = metadata();
});
afterEach(async () => {
  await http.close();
  await Promise.all([mcp.close(), auth.close(), internal.close()]);
});

const challenge =
  (params: string, status = 401): Route =>
  (_, response) =>
    response.writeHead(status, { 'www-authenticate': params === '' ? 'Bearer' : `Bearer ${params}` }).end();

const metadata = (more: object = {}, origin = auth.origin) => ({
  issuer: origin,
  authorization_endpoint: `${origin}/authorize`,
  token_endpoint: `${origin}/token`,
  registration_endpoint: `${origin}/register`,
  code_challenge_methods_supported: ['S256'],
  response_types_supported: ['code'],
  ...more,
});

const resource = (more: object) => {
  mcp.routes['/.well-known/oauth-protected-resource/mcp'] = {
    resource: `${mcp.origin}/mcp`,
    authorization_servers: [auth.origin],
    ...more,
  };
};
const server = (more: object) => {
  auth.routes['/.well-known/oauth-authorization-server'] = metadata(more);
};

const look = (path = '/mcp', options: Omit<DiscoveryOptions, 'http'> = {}) =>
  discover(new URL(`${mcp.origin}${path}`), { http, ...options });

async function found(...args: Parameters<typeof look>): Promise<Extract<Discovery, { kind: 'protected' }>> {
  const discovery = await look(...args);
  if (discovery.kind !== 'protected') throw new Error('The server is open.');
  return discovery;
}

const paths = (site: Site) => site.hits.map(({ path }) => path);

describe('a server that asks for a sign-in', () => {
  it('is found by its metadata, byte for byte', async () => {
    resource({
      resource: `${mcp.origin.replace('http', 'HTTP')}/mcp`,
      scopes_supported: ['mcp:tools', 'mcp:tools', 'bad scope'],
      resource_name: 'Tools',
    });
    server({ scopes_supported: ['offline_access'], unknown_member: { kept: true } });
    const discovery = await found();
    expect(discovery).toMatchObject({
      resource: `${mcp.origin.replace('http', 'HTTP')}/mcp`,
      resourceName: 'Tools',
      scopes: ['mcp:tools', 'offline_access'],
      pkceMissing: false,
      otherHosts: [],
      allow: { origin: mcp.origin, own: 'public' },
    });
    expect(discovery.authorizationServer).toMatchObject({ issuer: auth.origin, unknown_member: { kept: true } });
  });

  it('is asked in a way that opens no session, with what a stateless server demands and without a token', async () => {
    await found();
    const question = JSON.parse(mcp.hits[0]?.body ?? '');
    expect(question).toMatchObject({
      jsonrpc: '2.0',
      id: 1,
      method: 'server/discover',
      params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
    });
    expect(mcp.hits[0]?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'server/discover',
    });
    expect(mcp.hits[0]?.headers).not.toHaveProperty('authorization');
  });

  it('is looked for where the challenge says, then under its path, then under its origin', async () => {
    delete mcp.routes['/.well-known/oauth-protected-resource/mcp'];
    mcp.routes['/mcp'] = challenge(`resource_metadata="${mcp.origin}/elsewhere"`);
    mcp.routes['/.well-known/oauth-protected-resource'] = {
      resource: mcp.origin,
      authorization_servers: [auth.origin],
    };
    expect((await found()).resource).toBe(mcp.origin);
    expect(paths(mcp)).toEqual([
      '/mcp',
      '/elsewhere',
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-protected-resource',
    ]);
  });

  it('may say 403 instead of 401 when no token was sent', async () => {
    mcp.routes['/mcp'] = challenge('scope="a b"', 403);
    expect((await found()).scopes).toEqual(['a', 'b']);
  });

  it('wants the scopes of its challenge and no others', async () => {
    resource({ scopes_supported: ['everything'] });
    expect((await found('/mcp', { challenge: { scope: 'read write' } })).scopes).toEqual(['read', 'write']);
    expect(paths(mcp)).not.toContain('/mcp');
  });

  it('is found although it answers calls without a token, when it has metadata (as Google does)', async () => {
    mcp.routes['/mcp'] = { jsonrpc: '2.0', id: 1, result: {} };
    expect((await found()).resource).toBe(`${mcp.origin}/mcp`);
  });

  it('may redirect /mcp to /mcp/ first', async () => {
    mcp.routes['/mcp'] = (_, response) => response.writeHead(307, { location: '/mcp/' }).end();
    mcp.routes['/mcp/'] = challenge('');
    expect((await found()).resource).toBe(`${mcp.origin}/mcp`);
  });
});

describe('a server that does not', () => {
  beforeEach(() => {
    delete mcp.routes['/.well-known/oauth-protected-resource/mcp'];
  });

  it('is open even if every path there is a web page', async () => {
    mcp.routes['/mcp'] = { jsonrpc: '2.0', id: 1, result: {} };
    const page: Route = (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>');
    for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'])
      mcp.routes[path] = page;
    expect(await look()).toMatchObject({ kind: 'open' });
  });

  it.each([
    ['E_HTTP_STATUS', 'it fails', (_, response) => response.writeHead(503, { 'retry-after': '7' }).end()],
    [
      'E_NOT_JSON',
      'it is a web page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    ],
    [
      'E_SERVER_URL',
      'nothing is there',
      (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html>'),
    ],
    [
      'E_REDIRECTED',
      'it sends us elsewhere',
      (_, response) => response.writeHead(302, { location: 'https://example.com/login' }).end(),
    ],
  ] satisfies [string, string, Route][])('gives %s when %s', async (code, _, route) => {
    mcp.routes['/mcp'] = route;
    expect((await failure(look())).code).toBe(code);
  });
});

describe('the resource', () => {
  it.each([
    ['DM12: another origin', 'https://evil.example/mcp'],
    ['DM12: another port', 'http://127.0.0.1:1/mcp'],
    ['DM12: a sibling path that begins alike', '/mc'],
    ['DM12: a deeper path', '/mcp/deeper'],
    ['DM12: a query of its own', '/mcp?tenant=1'],
    ['DM12: a user name', 'user'],
  ])('%s is refused', async (_, text) => {
    resource({
      resource:
        text === 'user'
          ? `${mcp.origin.replace('//', '//user@')}/mcp`
          : text.startsWith('/')
            ? `${mcp.origin}${text}`
            : text,
    });
    expect((await failure(look())).code).toBe('E_RESOURCE_MISMATCH');
    expect(auth.hits).toEqual([]);
  });

  it.each(['', '/', '/mcp', '/mcp/'])(
    'DM13: the server itself or a parent path ("%s") is taken, byte for byte',
    async (path) => {
      resource({ resource: `${mcp.origin}${path}` });
      expect((await found()).resource).toBe(`${mcp.origin}${path}`);
    },
  );

  it('DM14: metadata that the challenge names on another origin is not fetched; the well-known place is used', async () => {
    const other = await startSite({ host: '127.0.0.3' });
    other.routes['/prm'] = { resource: `${mcp.origin}/mcp`, authorization_servers: [other.origin] };
    mcp.routes['/mcp'] = challenge(`resource_metadata="${other.origin}/prm"`);
    try {
      expect((await found()).authorizationServer.issuer).toBe(auth.origin);
      expect(other.hits).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it('DM32: an empty list of authorization servers is an error, and nothing is guessed', async () => {
    resource({ authorization_servers: [] });
    const error = await failure(look());
    expect(error.code).toBe('E_METADATA_INVALID');
    expect(error.message).toContain('authorization_servers');
    expect(auth.hits).toEqual([]);
  });
});

describe('addresses inside the user’s network', () => {
  it('DM15: are not asked when a public server names them', async () => {
    mcp.routes['/mcp'] = challenge(`resource_metadata="${internal.origin}/prm"`);
    resource({ authorization_servers: [internal.origin] });
    internal.routes['/.well-known/oauth-authorization-server'] = metadata({}, internal.origin);
    expect((await failure(look())).code).toBe('E_ADDRESS_REFUSED');
    expect(internal.acceptedConnections).toBe(0);
  });

  it('DM15: may be asked when the server lies there itself', async () => {
    internal.routes['/mcp'] = challenge('');
    internal.routes['/.well-known/oauth-protected-resource/mcp'] = {
      resource: `${internal.origin}/mcp`,
      authorization_servers: [internal.origin],
    };
    internal.routes['/.well-known/oauth-authorization-server'] = metadata({}, internal.origin);
    const discovery = await discover(new URL(`${internal.origin}/mcp`), { http });
    expect(discovery).toMatchObject({ kind: 'protected', allow: { origin: internal.origin, own: 'private' } });
  });

  it.each(['authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'revocation_endpoint'])(
    'RG10: are refused as %s of a public server',
    async (name) => {
      server({ [name]: `${internal.origin}/inner` });
      expect((await failure(look())).code).toBe('E_ENDPOINT_REFUSED');
      expect(internal.acceptedConnections).toBe(0);
    },
  );

  it('DM17: are not reached by a redirect', async () => {
    for (const path of ['/mcp', '']) {
      mcp.routes[`/.well-known/oauth-protected-resource${path}`] = (_, response) =>
        response.writeHead(302, { location: `${internal.origin}/prm` }).end();
    }
    expect((await failure(look())).code).toBe('E_REDIRECTED');
    expect(internal.acceptedConnections).toBe(0);
  });
});

describe('redirects of metadata', () => {
  it('are followed on the same origin, three at most', async () => {
    const hop =
      (n: number): Route =>
      (_, response) =>
        response.writeHead(302, { location: `/hop${n}` }).end();
    for (let n = 1; n < 3; n += 1) mcp.routes[`/hop${n}`] = hop(n + 1);
    mcp.routes['/hop3'] = mcp.routes['/.well-known/oauth-protected-resource/mcp'] ?? {};
    mcp.routes['/.well-known/oauth-protected-resource/mcp'] = hop(1);
    expect((await found()).kind).toBe('protected');
    mcp.routes['/hop3'] = hop(4);
    mcp.routes['/hop4'] = {};
    expect((await failure(look())).code).toBe('E_REDIRECTED');
    expect(paths(mcp)).not.toContain('/hop4');
  });

  it('DM19: a circle ends', async () => {
    auth.routes['/.well-known/oauth-authorization-server'] = (_, response) =>
      response.writeHead(302, { location: '/.well-known/oauth-authorization-server' }).end();
    expect((await failure(look())).code).toBe('E_REDIRECTED');
    expect(auth.hits.length).toBeLessThanOrEqual(5);
  });

  it('DM20: another origin that claims the issuer is not followed', async () => {
    const other = await startSite({ host: '127.0.0.3' });
    other.routes['/as'] = metadata();
    auth.routes['/.well-known/oauth-authorization-server'] = (_, response) =>
      response.writeHead(302, { location: `${other.origin}/as` }).end();
    try {
      expect((await failure(look())).code).toBe('E_REDIRECTED');
      expect(other.hits).toEqual([]);
    } finally {
      await other.close();
    }
  });
});

describe('the authorization server', () => {
  it.each([
    ['', ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']],
    [
      '/realms/one',
      [
        '/.well-known/oauth-authorization-server/realms/one',
        '/.well-known/openid-configuration/realms/one',
        '/realms/one/.well-known/openid-configuration',
      ],
    ],
  ])('with issuer path "%s" is looked for in MCP’s order', async (path, wanted) => {
    delete auth.routes['/.well-known/oauth-authorization-server'];
    resource({ authorization_servers: [`${auth.origin}${path}`] });
    expect((await failure(look())).code).toBe('E_METADATA_MISSING');
    expect(paths(auth)).toEqual(wanted);
    for (const place of wanted) {
      auth.routes[place] = metadata({ issuer: `${auth.origin}${path}` });
      expect((await found()).authorizationServer.issuer).toBe(`${auth.origin}${path}`);
      delete auth.routes[place];
    }
  });

  it('UI04: an issuer that cannot be shown as it is cannot be accepted by a click', async () => {
    server({ issuer: `${auth.origin}/\u202egnp` });
    const error = await failure(look());
    expect(error.code).toBe('E_ISSUER_MISMATCH');
    expect(error.issuers).toBeUndefined();
  });

  it.each([
    ['DM01: another server', 'https://other.example', 'they are different servers'],
    ['DM02: a slash more', '/', 'they differ in a slash at the end'],
    ['DM02: upper case', 'HTTP', 'they differ in upper and lower case'],
    ['DM02: another spelling', '/x/..', 'they are written differently'],
  ])('%s as its issuer is refused, with both values', async (_, text, why) => {
    const issuer = text.startsWith('/')
      ? `${auth.origin}${text}`
      : text === 'HTTP'
        ? auth.origin.replace('http', 'HTTP')
        : text;
    server({ issuer });
    const error = await failure(look());
    expect(error.code).toBe('E_ISSUER_MISMATCH');
    expect(error.issuers).toEqual({ named: auth.origin, found: issuer });
    expect(error.about('work').toInfo().issuers).toEqual(error.issuers);
    expect(error.message).toContain(`"${issuer}"`);
    expect(error.message).toContain(`"${auth.origin}"`);
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
  ])('%s: %s as an endpoint is refused', async (_, text) => {
    for (const name of ['authorization_endpoint', 'token_endpoint', 'registration_endpoint']) {
      server({ [name]: text });
      const error = await failure(look());
      expect(error.code).toBe('E_ENDPOINT_REFUSED');
      expect(error.message).toContain(name);
      expect(error.message).not.toMatch(/[\u0000-\u001f\u202e]/);
    }
  });

  it('DM05: shell characters survive only in the form that a URL gives them', async () => {
    server({ authorization_endpoint: 'https://login.example/a"b`c?d=$(x)|<e>' });
    expect((await found()).authorizationServer.authorization_endpoint).toBe(
      'https://login.example/a%22b%60c?d=$(x)|%3Ce%3E',
    );
  });

  it('DM09: a look-alike host is shown as DNS has it', async () => {
    server({ authorization_endpoint: 'https://lоgin.example/authorize' });
    const discovery = await found();
    expect(describeDiscovery(new URL(`${mcp.origin}/mcp`), discovery).summary).toContain('xn--');
    expect(discovery.otherHosts).toEqual([expect.stringContaining('xn--')]);
  });

  it.each([
    ['DM10: is absent', undefined],
    ['DM11: has only `plain`', ['plain']],
  ])('PKCE that %s is reported', async (_, methods) => {
    server({ code_challenge_methods_supported: methods });
    expect((await found()).pkceMissing).toBe(true);
  });

  it('DM34: endpoints on other hosts are listed', async () => {
    server({
      token_endpoint: 'https://tokens.example/token',
      authorization_endpoint: 'https://login.example/authorize',
    });
    expect((await found()).otherHosts).toEqual(['login.example', 'tokens.example']);
  });

  it.each([
    ['issuer', 7],
    ['authorization_endpoint', undefined],
    ['token_endpoint', ['x']],
    ['scopes_supported', 'a b'],
    ['code_challenge_methods_supported', 'S256'],
    ['response_types_supported', ['token']],
    ['registration_endpoint', {}],
  ])('DM26: a bad %s is named', async (name, value) => {
    server({ [name]: value });
    const error = await failure(look());
    expect(error.code).toBe('E_METADATA_INVALID');
    expect(error.message).toContain(name);
  });

  it.each([[[]], ['text'], [7], [null]])('DM26: %j instead of an object is refused', async (value) => {
    auth.routes['/.well-known/oauth-authorization-server'] = (_, response) => response.end(JSON.stringify(value));
    expect((await failure(look())).code).toBe('E_METADATA_INVALID');
  });

  it('DM26: null members are as good as absent ones', async () => {
    server({ registration_endpoint: null, scopes_supported: null });
    expect((await found()).authorizationServer).not.toHaveProperty('registration_endpoint');
  });

  it('DM26: of 200 servers three are asked', async () => {
    resource({ authorization_servers: Array.from({ length: 200 }, (_, n) => `${auth.origin}/as${n}`) });
    expect((await failure(look())).code).toBe('E_METADATA_MISSING');
    expect(new Set(paths(auth).map((path) => /as\d+/.exec(path)?.[0]))).toEqual(new Set(['as0', 'as1', 'as2']));
  });

  it('DM20: an issuer whose path looks like another host is looked for on its own host alone', async () => {
    const other = await startSite({ host: '127.0.0.3' });
    const named = `${auth.origin}//${new URL(other.origin).host}/x`;
    for (const path of ['/x/.well-known/openid-configuration', '/.well-known/openid-configuration'])
      other.routes[path] = metadata({ issuer: named }, other.origin);
    resource({ authorization_servers: [named] });
    try {
      expect((await failure(look())).code).toBe('E_METADATA_MISSING');
      expect(other.acceptedConnections).toBe(0);
      expect(auth.hits).toHaveLength(3);
    } finally {
      await other.close();
    }
  });

  it('the second of several is used when the first does not answer', async () => {
    resource({ authorization_servers: ['http://127.0.0.1:1', auth.origin] });
    expect((await found()).authorizationServer.issuer).toBe(auth.origin);
  });

  it('of a 2025-03-26 server is the server’s own origin; its endpoints are never guessed', async () => {
    delete mcp.routes['/.well-known/oauth-protected-resource/mcp'];
    expect((await failure(look())).code).toBe('E_METADATA_MISSING');
    mcp.routes['/.well-known/oauth-authorization-server'] = metadata({ issuer: `${mcp.origin}/` }, mcp.origin);
    expect(await found()).toMatchObject({
      resource: `${mcp.origin}/mcp`,
      authorizationServer: { issuer: `${mcp.origin}/` },
    });
    expect(paths(mcp).some((path) => /authorize|token$|register/.test(path))).toBe(false);
  });
});

describe('the setting legacyEndpoints', () => {
  it('takes the fixed paths of 2025-03-26 at the server’s own origin where there is no metadata at all', async () => {
    delete mcp.routes['/.well-known/oauth-protected-resource/mcp'];
    const settings = { legacyEndpoints: true };
    const { authorizationServer, pkceMissing } = await found('/mcp', { settings });
    const { origin } = mcp;
    expect(authorizationServer).toMatchObject({
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
    });
    expect(pkceMissing).toBe(false);
    mcp.routes['/.well-known/oauth-authorization-server'] = metadata({ token_endpoint: `${origin}/elsewhere` }, origin);
    expect((await found('/mcp', { settings })).authorizationServer.token_endpoint).toBe(`${origin}/elsewhere`);
  });

  it('guesses nothing where the metadata is broken, or where the server is in trouble', async () => {
    delete mcp.routes['/.well-known/oauth-protected-resource/mcp'];
    for (const status of [500, 200]) {
      mcp.routes['/.well-known/oauth-authorization-server'] = (_, response) =>
        response.writeHead(status, { 'content-type': 'text/html' }).end('<html>');
      await failure(look('/mcp', { settings: { legacyEndpoints: true } }));
    }
  });
});

describe('a server in trouble', () => {
  it.each([500, 502])('DM25: %i everywhere is an error, and nothing is guessed', async (status) => {
    const broken: Route = (_, response) => response.writeHead(status).end();
    for (const path of ['/mcp', '']) mcp.routes[`/.well-known/oauth-protected-resource${path}`] = broken;
    mcp.routes['/.well-known/oauth-authorization-server'] = metadata({}, mcp.origin);
    const error = await failure(look());
    expect(error.code).toBe('E_HTTP_STATUS');
    expect(error.message).toContain('/.well-known/oauth-protected-resource/mcp');
    expect(paths(mcp)).not.toContain('/.well-known/oauth-authorization-server');
  });

  it.each([500, 404])('DM25: an authorization server that answers %i everywhere is an error', async (status) => {
    auth.routes['/.well-known/oauth-authorization-server'] = (_, response) => response.writeHead(status).end();
    expect((await failure(look())).code).toBe(status === 500 ? 'E_HTTP_STATUS' : 'E_METADATA_MISSING');
    expect(paths(auth)).toEqual(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']);
  });

  it('DM24: a web page in place of metadata is broken metadata, and is not blamed on the network', async () => {
    const page: Route = (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>log in</html>');
    auth.routes['/.well-known/oauth-authorization-server'] = page;
    auth.routes['/.well-known/openid-configuration'] = page;
    const error = await failure(look());
    expect(error.code).toBe('E_METADATA_INVALID');
    expect(error.message).toContain('web page');
    mcp.routes['/.well-known/oauth-protected-resource/mcp'] = page;
    expect((await failure(look())).code).toBe('E_METADATA_INVALID');
  });

  it('DM21: metadata above 256 KB is not read to its end', async () => {
    for (const site of [mcp, auth]) {
      const name =
        site === mcp ? '/.well-known/oauth-protected-resource/mcp' : '/.well-known/oauth-authorization-server';
      const before = site.routes[name];
      site.routes[name] = (_, response) => response.end(`{"filler":"${'x'.repeat(50_000_000)}"}`);
      expect((await failure(look())).code).toBe('E_TOO_LARGE');
      site.routes[name] = before ?? {};
    }
  });

  it('DM23: metadata that drips for ever ends at the total deadline', async () => {
    auth.routes['/.well-known/oauth-authorization-server'] = (_, response) => {
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    };
    const started = performance.now();
    expect((await failure(look('/mcp', { timeoutMs: 500 }))).code).toBe('E_TIMEOUT');
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('DM28: a reset or a cut is a passing fault', async () => {
    auth.routes['/.well-known/oauth-authorization-server'] = (request) => request.socket.resetAndDestroy();
    expect((await failure(look())).code).toBe('E_CONNECTION_LOST');
    auth.routes['/.well-known/oauth-authorization-server'] = (request, response) => {
      response.writeHead(200, { 'content-length': '9000' });
      response.write('{"issuer":', () => request.socket.destroy());
    };
    expect((await failure(look())).code).toBe('E_CONNECTION_LOST');
  });

  it('DM31: an authorization server that is down, or not TLS, says so; http is not tried instead', async () => {
    const down = await startListener((_, response) => response.end());
    await down.close();
    resource({ authorization_servers: [down.origin] });
    expect((await failure(look())).code).toBe('E_CONNECT');
    resource({ authorization_servers: [auth.origin.replace('http:', 'https:')] });
    expect((await failure(look())).code).toBe('E_TLS');
    expect(auth.hits).toEqual([]);
  });

  it('ends at once when it is cancelled', async () => {
    const abort = new AbortController();
    auth.routes['/.well-known/oauth-authorization-server'] = () => abort.abort();
    expect((await failure(look('/mcp', { signal: abort.signal }))).code).toBe('E_CANCELLED');
  });

  it('DM36: names are plain, on one line and short', async () => {
    resource({ resource_name: `<b>x</b>\n\u202e${'y'.repeat(10_000)}` });
    const name = (await found()).resourceName ?? '';
    expect(name.length).toBeLessThanOrEqual(80);
    expect(name).not.toMatch(/[\n\u202e]/);
  });
});

describe('the challenge', () => {
  it.each<[string, string, Challenge | undefined]>([
    ['is empty', '', undefined],
    ['is Basic only', 'Basic realm="x"', undefined],
    ['is bare', 'Bearer', {}],
    [
      'has all three',
      'Bearer resource_metadata="https://h/p", scope="a b", error="invalid_token"',
      { resourceMetadata: 'https://h/p', scope: 'a b', error: 'invalid_token' },
    ],
    ['is written in any case', 'bEaReR SCOPE=a', { scope: 'a' }],
    ['comes after Basic', 'Basic realm="x, y", Bearer scope="a"', { scope: 'a' }],
    ['comes after Negotiate with a token68', 'Negotiate YIIabc==, Bearer scope="a"', { scope: 'a' }],
    ['comes before Digest', 'Bearer scope="a", Digest realm="x", nonce="scope"', { scope: 'a' }],
    ['comes after a scheme without parameters', 'Negotiate, Bearer scope="a"', { scope: 'a' }],
    ['has no quotes around a URL', 'Bearer resource_metadata=https://h/p?a=b', { resourceMetadata: 'https://h/p?a=b' }],
    ['has escapes and odd spaces', 'Bearer  realm = "a\\"b" ,  scope  =  "c\\\\d"', { scope: 'c\\d' }],
    [
      'has two Bearers, the second with the metadata',
      'Bearer realm="x", Bearer resource_metadata="https://h/p"',
      { resourceMetadata: 'https://h/p' },
    ],
    ['is for DPoP alone', 'DPoP scope="a", algs="ES256"', { scope: 'a', dpopOnly: true }],
    ['leaves the choice between Bearer and DPoP', 'Bearer scope="a", DPoP algs="ES256"', { scope: 'a' }],
    ['repeats a parameter', 'Bearer scope="a", scope="b"', { scope: 'a' }],
    ['has empty members', ', ,Bearer ,, scope="a",', { scope: 'a' }],
  ])('that %s is read', (_, header, wanted) => {
    expect(bearerChallenge(header)).toEqual(wanted);
  });

  it.each([
    'Bearer realm="x, resource_metadata=\\"https://evil/\\""',
    'Bearer realm="x resource_metadata=https://evil/ "',
    'Basic realm="Bearer resource_metadata=https://evil/"',
    'Bearer realm="unfinished, resource_metadata=https://evil/',
    'Bearer error_description="a\\", resource_metadata=\\"https://evil/"',
  ])('DM29: a parameter hidden in another’s quoted text is not seen: %s', (header) => {
    expect(JSON.stringify(bearerChallenge(header) ?? {})).not.toContain('evil');
  });

  it.each([
    '=',
    '"',
    '"""',
    'Bearer =',
    'Bearer ="x"',
    'Bearer scope',
    'Bearer scope=',
    '\u0000\u0001',
    'Bearer "x" scope="a"',
    '🙂',
    'a=b=c',
    '\\',
    '"\\',
  ])('DM29: garbage does no harm: %j', (header) => {
    expect(() => parseChallenges(header)).not.toThrow();
  });

  it.each(['"', '"\\', 'a ', 'a=', 'a="', ',', '\\"', 'Bearer x="', 'a/', 'x="y",'])(
    'DM30: 30 KB of %j is read in no time',
    (part) => {
      const header = part.repeat(Math.ceil(30_000 / part.length));
      const started = performance.now();
      parseChallenges(header);
      parseChallenges(`${header}\\`);
      expect(performance.now() - started).toBeLessThan(200);
    },
  );

  it('DM30: a challenge of 30 KB from a real server leads to a sign-in all the same', async () => {
    mcp.routes['/mcp'] = challenge(`realm="${'x'.repeat(30_000)}", scope="a"`);
    expect((await found()).scopes).toEqual(['a']);
  });
});

describe('in the words of the window', () => {
  const url = new URL('https://mcp.linear.app/mcp');
  it('an open server needs nothing', () => {
    expect(describeDiscovery(url, { kind: 'open', allow: { origin: url.origin, own: 'public' } })).toMatchObject({
      suggestedName: 'linear',
      needsSignIn: false,
      registration: 'not_needed',
    });
  });

  it('a protected one says where the sign-in is, and how Keybridge becomes known there', async () => {
    const host = new URL(auth.origin).host;
    expect(describeDiscovery(url, await found()).summary).toBe(`Signs you in at ${host}. Keybridge registers itself.`);
    server({ registration_endpoint: undefined, code_challenge_methods_supported: undefined });
    const described = describeDiscovery(url, await found());
    expect(described).toMatchObject({ registration: 'client_id_needed', pkceMissing: true, issuer: auth.origin });
    expect(described.summary).toContain('client ID');
    expect(described.summary).toContain('PKCE');
  });
});

describe('metadata that is missing', () => {
  const nothing = { error: 'not_found', error_description: 'No such thing' };

  it('with 200 and an error in JSON does not end the search for the protected resource', async () => {
    mcp.routes['/.well-known/oauth-protected-resource'] = {
      resource: mcp.origin,
      authorization_servers: [auth.origin],
    };
    mcp.routes['/.well-known/oauth-protected-resource/mcp'] = nothing;
    expect((await found()).authorizationServer.issuer).toBe(auth.origin);
  });

  it('with 200 and an error in JSON does not end the search for the authorization server', async () => {
    auth.routes['/.well-known/oauth-authorization-server'] = { error: { code: 404, message: 'no' } };
    auth.routes['/.well-known/openid-configuration'] = metadata();
    expect((await found()).authorizationServer.token_endpoint).toBe(`${auth.origin}/token`);
  });

  it('with 200 and an error in JSON everywhere is reported as missing metadata', async () => {
    for (const name of ['oauth-authorization-server', 'openid-configuration'])
      auth.routes[`/.well-known/${name}`] = nothing;
    const error = await failure(look());
    expect(error).toMatchObject({
      code: 'E_METADATA_MISSING',
      message: expect.stringContaining('answered with an error instead of metadata') as string,
    });
  });

  it('although the server names it is reported as missing, and not as two issuers that differ', async () => {
    delete mcp.routes['/.well-known/oauth-protected-resource/mcp'];
    mcp.routes['/mcp'] = challenge(`resource_metadata="${mcp.origin}/metadata/gone"`);
    mcp.routes['/.well-known/oauth-authorization-server'] = metadata({ issuer: 'https://other.example' }, mcp.origin);
    const error = await failure(look());
    expect(error.code).toBe('E_METADATA_MISSING');
    expect(error.message).toContain('/metadata/gone');
  });

  it('although the server names it does not stop a sign-in by metadata that is found elsewhere', async () => {
    mcp.routes['/mcp'] = challenge(`resource_metadata="${mcp.origin}/metadata/gone"`);
    expect((await found()).authorizationServer.issuer).toBe(auth.origin);
  });
});
