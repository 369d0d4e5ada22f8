import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { decodeJwt, decodeProtectedHeader, UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { redirectPath } from '../../../electron/core/oauth/authorization/loopback-server.ts';
import { createGrants } from '../../../electron/core/oauth/grants/grants.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import type { SecretName, ServerSettings } from '../../../shared/model.ts';
import { startAuthorizationServer, type AuthorizationServerOptions } from '../../fixtures/authorization-server.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { freePort } from '../../fixtures/free-port.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { noCompanies } from '../../fixtures/no-companies.ts';
import { startMcpServer } from '../../fixtures/mcp-server.ts';
import { startSignInRig, type SignInRig, type SignInRigOptions } from '../../fixtures/sign-in-rig.ts';
import { startSite, type Site } from '../../fixtures/site.ts';
import { until } from '../../fixtures/wait.ts';
import { failure } from '../../fixtures/failure.ts';
import { secretKeyOf, type Server } from '../../../electron/core/servers/server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Wanted {
  readonly settings: ServerSettings;
  readonly secrets?: Partial<Record<SecretName, string>>;
  readonly clientId?: string;
}

/** A rig with one server in its list, and what the user entered for it. */
async function withServer(
  url: string,
  { settings, secrets = {}, clientId = 'robot' }: Wanted,
  options: SignInRigOptions & { readonly noClientId?: boolean } = {},
) {
  const rig = await startSignInRig(options);
  closing.push(() => rig.close());
  const names = Object.keys(secrets) as SecretName[];
  const hasClientSecret = names.includes('clientSecret');
  const { id } = await rig.add(url, { settings, ...(options.noClientId ? {} : { clientId }), hasClientSecret });
  const storedSecrets = names.filter((name) => name !== 'clientSecret');
  await rig.servers.update(id, { storedSecrets });
  const server = await rig.servers.updateAccount(id, { storedSecrets });
  for (const name of names) await enter(rig, server, name, secrets[name] ?? '');
  return {
    rig,
    server,
    id,
    start: () => rig.signIns.start(server.id, { openBrowser: true }),
    token: async () => {
      const answer = await rig.tokens.accessToken(id);
      return answer.kind === 'token' ? answer.token : undefined;
    },
  };
}

const enter = (rig: SignInRig, server: Server, name: SecretName, value: string) =>
  rig.vault.writeClientSecret(secretKeyOf(server, name), new Secret(value));

/** oidc-provider with one client that acts for itself, and the SDK's MCP server behind it. */
async function provider(client: Record<string, unknown>, options: AuthorizationServerOptions = {}) {
  const as = await startAuthorizationServer({
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clients: [
      { client_id: 'robot', grant_types: ['client_credentials'], redirect_uris: [], response_types: [], ...client },
    ],
    ...options,
  });
  closing.push(() => as.close());
  const mcp = await startMcpServer({ authorizationServer: as });
  closing.push(() => mcp.close());
  return { as, mcp };
}

const ping = (url: string, token: Secret | undefined) =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token?.reveal() ?? ''}`,
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}',
  }).then(async (answer) => {
    await answer.body?.cancel();
    return answer.status;
  });

const keys = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const;

describe('client credentials', () => {
  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'gets a token with %s that the server takes, and opens no browser',
    async (method) => {
      const { as, mcp } = await provider({ client_secret: 's:%/+ secret', token_endpoint_auth_method: method });
      const { rig, start, token, id } = await withServer(mcp.url, {
        settings: { grant: 'client_credentials', clientAuth: method },
        secrets: { clientSecret: 's:%/+ secret' },
      });
      await start();
      expect(rig.opened).toEqual([]);
      expect(await ping(mcp.url, await token())).toBe(200);
      expect(as.seen.token[0]).toMatchObject({
        grant_type: 'client_credentials',
        resource: mcp.url,
        scope: 'mcp:tools',
      });
      expect(rig.tokens.state(id)).toMatchObject({ kind: 'usable', renewable: true });
      expect(rig.vault.facts(id)).toMatchObject({
        account: 'robot',
        grant: 'client_credentials',
        issuer: as.issuer,
        clientAuth: method,
      });
      const read = await rig.vault.read(id);
      expect(
        read.kind === 'found' &&
          (read.credential.clientSecret ?? read.credential.accessToken ?? read.credential.refreshToken),
      ).toBeUndefined();
    },
  );

  it('asks for another token after a 401, once for all calls', async () => {
    const { as, mcp } = await provider({ client_secret: 'abc' });
    const { rig, start, token, id } = await withServer(mcp.url, {
      settings: { grant: 'client_credentials' },
      secrets: { clientSecret: 'abc' },
    });
    await start();
    const first = await token();
    as.revokeAccessTokens();
    expect(await ping(mcp.url, first)).toBe(401);
    if (!first) throw new Error('no token');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => rig.tokens.accessToken(id, { rejected: first })),
    );
    expect(new Set(answers.map((answer) => answer.kind === 'token' && answer.token.reveal())).size).toBe(1);
    expect(as.seen.token).toHaveLength(2);
    expect(await ping(mcp.url, await token())).toBe(200);
  });

  it('asks ahead of expiry while a bridge is connected, and notes nothing in the journal', async () => {
    const site = await tokenSite();
    const clock = createFakeClock();
    const { rig, start, token, id } = await withServer(
      site.url,
      { settings: { grant: 'client_credentials' }, secrets: { clientSecret: 'abc' } },
      { clock },
    );
    await start();
    const letGo = rig.tokens.keepFresh(id);
    const before = (await token())?.reveal();
    await clock.advance(85_000);
    await expect.poll(async () => (await token())?.reveal()).not.toBe(before);
    expect(site.asked).toHaveLength(2);
    expect(rig.vault.openJournals()).toEqual([]);
    letGo();
  });

  it('signs out by revoking the token with the same authentication', async () => {
    const { as, mcp } = await provider({ client_secret: 'abc' });
    const { rig, start, token, id } = await withServer(mcp.url, {
      settings: { grant: 'client_credentials' },
      secrets: { clientSecret: 'abc' },
    });
    await start();
    const last = await token();
    expect(await rig.tokens.signOut(id)).toMatchObject({ revoked: 'confirmed', deleted: true });
    expect(as.counts.revocations).toBe(1);
    expect(await ping(mcp.url, last)).toBe(401);
  });

  it('keeps the credential through every fault that may pass, and ends it at a definite refusal', async () => {
    const site = await tokenSite();
    const clock = createFakeClock();
    const { rig, start, id } = await withServer(
      site.url,
      { settings: { grant: 'client_credentials' }, secrets: { clientSecret: 'abc' } },
      { clock },
    );
    await start();
    site.say = (_form, response) => response.writeHead(503).end();
    expect((await refreshOnce(rig, id)).kind).toBe('unavailable');
    expect(rig.tokens.state(id).kind).toBe('retrying');
    site.say = (_form, response) =>
      sendJson(response, 200, { access_token: 'late', token_type: 'Bearer', expires_in: 100 });
    await rig.tokens.refreshNow(id);
    expect(rig.tokens.state(id).kind).toBe('usable');
    site.say = (_form, response) => sendJson(response, 400, { error: 'unauthorized_client' });
    expect(await refreshOnce(rig, id)).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
    expect(rig.vault.facts(id)?.quarantinedAt).toBeDefined();
  });

  it('shows a secret to the issuer that it was first used at, and to no other', async () => {
    const [first, second] = [await tokenSite(), await tokenSite()];
    const { rig, start, server } = await withServer(first.url, {
      settings: { grant: 'client_credentials' },
      secrets: { clientSecret: 'abc' },
    });
    await start();
    first.site.routes['/.well-known/oauth-protected-resource/mcp'] = {
      resource: first.url,
      authorization_servers: [second.site.origin],
    };
    expect(await failure(start())).toMatchObject({ code: 'E_CLIENT_ID_NEEDED' });
    expect(second.asked).toEqual([]);
    expect(rig.servers.find(server.id)?.registrations).toHaveLength(1);
  });

  it('says what is missing when no secret was entered', async () => {
    const site = await tokenSite();
    const { start } = await withServer(site.url, { settings: { grant: 'client_credentials' } });
    expect(await failure(start())).toMatchObject({
      code: 'E_BAD_INPUT',
      message: expect.stringContaining('clientSecret'),
    });
    expect(site.asked).toEqual([]);
  });
});

describe('private_key_jwt', () => {
  it.each(Object.keys(keys) as (keyof typeof keys)[])(
    'signs with %s, for the issuer, once, for a minute',
    async (alg) => {
      const { privateKey, publicKey } = keys[alg];
      const { as, mcp } = await provider({
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'key-1', use: 'sig' }] },
      });
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const { start, token } = await withServer(mcp.url, {
        settings: { grant: 'client_credentials', keyId: 'key-1', signingAlgorithm: alg },
        secrets: { privateKey: pem },
      });
      await start();
      expect(await ping(mcp.url, await token())).toBe(200);
      expect(as.seen.token).toHaveLength(1);
    },
  );

  it('takes the algorithm and the key id from a JWK', async () => {
    const site = await tokenSite();
    const jwk = JSON.stringify({ ...keys.PS256.privateKey.export({ format: 'jwk' }), kid: 'from-jwk', alg: 'PS256' });
    const { start, rig } = await withServer(site.url, {
      settings: { grant: 'client_credentials' },
      secrets: { privateKey: jwk },
    });
    await start();
    const assertion = site.asked[0]?.get('client_assertion') ?? '';
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'PS256', kid: 'from-jwk' });
    const claims = decodeJwt(assertion);
    expect(claims).toEqual({
      iss: 'robot',
      sub: 'robot',
      aud: site.site.origin,
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: (claims.iat ?? 0) + 60,
    });
    expect(site.asked[0]?.has('client_secret')).toBe(false);
    expect(rig.log.join('\n')).not.toContain(assertion);
  });

  it.each([
    ['is no key', 'not a key'],
    [
      'cannot sign with the chosen algorithm',
      keys.ES256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
    ['has only the public part', keys.RS256.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  ])('asks for nothing with a key that %s, and shows nothing of it', async (_what, privateKey) => {
    const site = await tokenSite();
    const { start } = await withServer(site.url, {
      settings: { grant: 'client_credentials', signingAlgorithm: 'RS256' },
      secrets: { privateKey },
    });
    const error = await failure(start());
    expect(error).toMatchObject({ code: 'E_BAD_INPUT' });
    expect(error.message).not.toContain(privateKey.slice(30, 60) || privateKey);
    expect(site.asked).toEqual([]);
  });

  it('authenticates the authorization code grant and its refresh, too', async () => {
    const port = await freePort();
    const { as, mcp } = await provider(
      {
        token_endpoint_auth_method: 'private_key_jwt',
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [`http://127.0.0.1${redirectPath(`http://127.0.0.1:${port}`)}`],
        jwks: { keys: [keys.ES256.publicKey.export({ format: 'jwk' })] },
      },
      { port },
    );
    const pem = keys.ES256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const started = await withServer(mcp.url, {
      settings: { clientAuth: 'private_key_jwt' },
      secrets: { privateKey: pem },
    });
    await started.start();
    await started.rig.tokens.refreshNow(started.id);
    expect(as.counts).toMatchObject({ codeExchangesGranted: 1, refreshesGranted: 1 });
    expect(started.rig.vault.facts(started.id)).toMatchObject({ clientAuth: 'private_key_jwt' });
  });
});

const unsigned = (claims: Record<string, unknown>): string => new UnsecuredJWT(claims).encode();
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

describe('workload identity (RFC 7523)', () => {
  const assertion = unsigned({ sub: 'workload', exp: inSeconds(3600) });

  it('sends the assertion for this resource, and again when a new token is needed', async () => {
    const site = await tokenSite();
    const { rig, start, token, id } = await withServer(site.url, {
      settings: { grant: 'jwt_bearer' },
      secrets: { assertion },
    });
    await start();
    const first = await token();
    await rig.tokens.refreshNow(id);
    expect(site.asked).toHaveLength(2);
    expect(Object.fromEntries(site.asked[1] ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
      client_id: 'robot',
      resource: site.url,
      scope: 'mcp:tools',
    });
    expect((await token())?.reveal()).not.toBe(first?.reveal());
    expect(rig.opened).toEqual([]);
    expect(rig.log.join('\n')).not.toContain(assertion);
  });

  it('never repeats an assertion that was refused, and never goes to the browser instead', async () => {
    const site = await tokenSite();
    const { rig, start, id } = await withServer(site.url, {
      settings: { grant: 'jwt_bearer' },
      secrets: { assertion },
    });
    site.say = (_form, response) => sendJson(response, 400, { error: 'invalid_grant' });
    expect(await failure(start())).toMatchObject({ code: 'E_TOKEN_REFUSED' });
    expect(site.asked).toHaveLength(1);
    expect(rig.opened).toEqual([]);

    site.say = (_form, response) => sendJson(response, 200, { access_token: 'one', expires_in: 100 });
    await start();
    site.say = (_form, response) => sendJson(response, 400, { error: 'invalid_grant' });
    await rig.tokens.refreshNow(id);
    const asked = site.asked.length;
    for (let call = 0; call < 5; call += 1)
      expect(await rig.tokens.accessToken(id)).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
    expect(site.asked).toHaveLength(asked);
    expect(rig.opened).toEqual([]);
  });

  it('reads the file of the platform at each use, and does not send what has expired', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'keybridge-grants-'));
    closing.push(() => rm(folder, { recursive: true }));
    const assertionFile = path.join(folder, 'token');
    const [old, next] = [
      unsigned({ sub: 'old', exp: inSeconds(3600) }),
      unsigned({ sub: 'next', exp: inSeconds(3600) }),
    ];
    await writeFile(assertionFile, `${old}\n`);
    const site = await tokenSite();
    const { rig, start, id } = await withServer(site.url, { settings: { grant: 'jwt_bearer', assertionFile } });
    await start();
    await writeFile(assertionFile, unsigned({ sub: 'old', exp: inSeconds(-10) }));
    await rig.tokens.refreshNow(id);
    expect(rig.tokens.state(id).kind).toBe('retrying');
    await writeFile(assertionFile, next);
    await rig.tokens.refreshNow(id);
    expect(rig.tokens.state(id).kind).toBe('usable');
    expect(site.asked.map((form) => form.get('assertion'))).toEqual([old, next]);
  });
});

describe('a server without OAuth', () => {
  it('gets its key as a Bearer token, or in the header of its choice, and nobody is asked for anything', async () => {
    const site = await tokenSite();
    const plain = await withServer(site.url, { settings: { grant: 'static_header' }, secrets: { headerValue: 'k3y' } });
    await plain.start();
    const answer = await plain.rig.tokens.accessToken(plain.id);
    expect(answer).toMatchObject({ kind: 'token', header: 'authorization' });
    expect(answer.kind === 'token' && answer.token.reveal()).toBe('Bearer k3y');

    const named = await withServer(site.url, {
      settings: { grant: 'static_header', headerName: 'X-Api-Key' },
      secrets: { headerValue: 'k3y two' },
    });
    await named.start();
    const other = await named.rig.tokens.accessToken(named.id);
    expect(other.kind === 'token' && [other.header, other.token.reveal()]).toEqual(['x-api-key', 'k3y two']);
    expect(named.rig.tokens.state(named.id)).toEqual({ kind: 'usable', renewable: false });
    expect(site.site.hits).toEqual([]);
    const read = await named.rig.vault.read(named.id);
    expect(read.kind === 'found' && read.credential.accessToken).toBeUndefined();
  });

  it('says that the key was refused, and takes up a new one at the next sign-in', async () => {
    const site = await tokenSite();
    const { rig, server, start, token, id } = await withServer(site.url, {
      settings: { grant: 'static_header' },
      secrets: { headerValue: 'old' },
    });
    await start();
    const refused = await token();
    if (!refused) throw new Error('no key');
    expect(await rig.tokens.accessToken(id, { rejected: refused })).toMatchObject({
      kind: 'refused',
      error: { code: 'E_SERVER_REFUSED' },
    });
    await enter(rig, server, 'headerValue', 'new');
    await start();
    expect((await token())?.reveal()).toBe('Bearer new');
    expect(site.site.hits).toEqual([]);
  });

  it('gives its key to no other origin, whatever the list of servers says', async () => {
    const site = await tokenSite();
    const { rig, server, start, id } = await withServer(site.url, {
      settings: { grant: 'static_header' },
      secrets: { headerValue: 'k3y' },
    });
    await start();
    await rig.servers.update(server.id, { url: 'https://elsewhere.example/mcp' });
    expect(await rig.tokens.accessToken(id)).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
    // Beneath that check, the key itself is bound to its origin.
    const { vault, servers } = rig;
    const grants = createGrants({ vault, servers, clock: createFakeClock(), companies: noCompanies });
    expect(await failure(grants.header({ id, resource: site.url }))).toMatchObject({ code: 'E_BAD_INPUT' });
  });

  it.each([
    ['a header that belongs to the connection', { headerName: 'Host' }, 'k'],
    ['a header of MCP', { headerName: 'Mcp-Session-Id' }, 'k'],
    ['a header name that is none', { headerName: 'a b' }, 'k'],
    ['a key with a line break', {}, 'k\r\nx: y'],
  ])('refuses %s', async (_what, settings, headerValue) => {
    const site = await tokenSite();
    const { start } = await withServer(site.url, {
      settings: { grant: 'static_header', ...settings },
      secrets: { headerValue },
    });
    expect(await failure(start())).toMatchObject({ code: 'E_BAD_INPUT' });
  });
});

describe('enterprise-managed authorization (SEP-990)', () => {
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
  const idJag = 'urn:ietf:params:oauth:token-type:id-jag';
  const idToken = unsigned({ sub: 'ada', aud: 'at-company' });
  const jag = unsigned({ sub: 'ada', client_id: 'robot' });

  async function company(secrets: Partial<Record<SecretName, string>> = {}) {
    const [site, idp] = [await tokenSite(), await tokenSite()];
    idp.say = (_form, response) =>
      sendJson(response, 200, { access_token: jag, issued_token_type: idJag, token_type: 'N_A', expires_in: 300 });
    const enterprise = { issuer: idp.site.origin, clientId: 'at-company' };
    const added = await withServer(site.url, {
      settings: { grant: 'enterprise_managed', enterprise },
      secrets: { clientSecret: 'ours', enterpriseIdToken: idToken, ...secrets },
    });
    return { site, idp, ...added };
  }

  it('turns the ID token into an assertion at the company, and that into a token at the server', async () => {
    const { site, idp, rig, start, token, id } = await company();
    await start();
    expect(Object.fromEntries(idp.asked[0] ?? [])).toEqual({
      grant_type: exchange,
      requested_token_type: idJag,
      subject_token: idToken,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      audience: site.site.origin,
      resource: site.url,
      scope: 'mcp:tools',
      client_id: 'at-company',
    });
    expect(Object.fromEntries(site.asked[0] ?? [])).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: jag,
      resource: site.url,
    });
    expect(await token()).toBeInstanceOf(Secret);
    await rig.tokens.refreshNow(id);
    expect([idp.asked.length, site.asked.length]).toEqual([2, 2]);
    expect(rig.opened).toEqual([]);
    expect(rig.log.join('\n')).not.toContain(idToken);
  });

  it('shows the secret of the company to the company alone, and ours to the server alone', async () => {
    const { site, idp, start } = await company({ enterpriseClientSecret: 'theirs' });
    await start();
    const basic = (target: TokenSite) =>
      target.site.hits
        .filter(({ path: at }) => at === '/token')
        .map(({ headers }) => Buffer.from(headers.authorization?.slice(6) ?? '', 'base64').toString());
    expect([basic(idp), basic(site)]).toEqual([['at-company:theirs'], ['robot:ours']]);
  });

  it('does not pass on a token that is no identity assertion', async () => {
    const { site, idp, start } = await company();
    idp.say = (_form, response) =>
      sendJson(response, 200, { access_token: 'a-real-access-token', token_type: 'Bearer', expires_in: 300 });
    expect(await failure(start())).toMatchObject({ code: 'E_TOKEN_RESPONSE' });
    expect(site.asked).toEqual([]);
  });

  it('ends the sign-in when the company refuses, and keeps it when the company is away', async () => {
    const { idp, rig, start, id } = await company();
    await start();
    idp.say = (_form, response) => response.writeHead(502).end();
    await rig.tokens.refreshNow(id);
    expect(rig.tokens.state(id).kind).toBe('retrying');
    idp.say = (_form, response) => sendJson(response, 400, { error: 'invalid_grant' });
    await rig.tokens.refreshNow(id);
    expect(await rig.tokens.accessToken(id)).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
  });
});

describe('device code (RFC 8628)', () => {
  const code = { device_code: 'the-device-code', user_code: 'WDJB-MJHT', expires_in: 600, interval: 5 };
  const pending = (_form: unknown, response: Parameters<typeof sendJson>[0]) =>
    sendJson(response, 400, { error: 'authorization_pending' });

  /** A sign-in that waits for its person, on a clock that stands still. */
  async function waiting(change: Record<string, unknown> = {}) {
    const site = await tokenSite();
    site.say = pending;
    Object.assign(site.site.routes, {
      '/device': {
        ...code,
        verification_uri: `${site.site.origin}/enter`,
        verification_uri_complete: `${site.site.origin}/enter?code=WDJB-MJHT`,
        ...change,
      },
      '/.well-known/oauth-authorization-server': {
        ...site.metadata,
        device_authorization_endpoint: `${site.site.origin}/device`,
        code_challenge_methods_supported: [],
      },
    });
    const clock = createFakeClock();
    const added = await withServer(site.url, { settings: { grant: 'device_code' } }, { clock });
    const signIn = added.rig.signIns.start(added.server.id, { openBrowser: false });
    signIn.catch(() => {});
    await until(() => added.rig.signIns.progress(added.server.id)?.step === 'browser', 'the code is shown');
    /** Lets `ms` pass, then waits until `asked` requests have been answered. */
    const pass = async (ms: number, asked: number) => {
      await clock.advance(ms);
      await until(() => site.asked.length === asked, `${asked} requests`);
      // The next wait begins when the answer has been read.
      await until(
        () => clock.pending > 0 || added.rig.signIns.progress(added.server.id)?.step !== 'browser',
        'the answer is read',
      );
    };
    return { site, clock, signIn, pass, ...added };
  }

  it('signs in at oidc-provider with a code that the person enters in any browser, and renews by refresh token', async () => {
    const { as, mcp } = await provider(
      {},
      { deviceFlow: true, clientAuthMethods: ['none', 'client_secret_basic'], clients: [] },
    );
    const { rig, server, id, token } = await withServer(
      mcp.url,
      { settings: { grant: 'device_code' } },
      { noClientId: true },
    );
    const signIn = rig.signIns.start(server.id, { openBrowser: false });
    const shown = await until(
      () => rig.signIns.progress(server.id)?.userCode && rig.signIns.progress(server.id),
      'the code is shown',
    );
    expect(shown.url).toContain(as.issuer);
    const page = await rig.browser.open(shown.url ?? '');
    expect(page.text).toContain('Signed in on the other device');
    await signIn;
    expect(rig.opened).toEqual([]);
    expect(await ping(mcp.url, await token())).toBe(200);
    await rig.tokens.refreshNow(id);
    expect(as.counts.refreshesGranted).toBe(1);
    expect(await ping(mcp.url, await token())).toBe(200);
  });

  it('shows the page, the code and when it ends, and asks at the pace that the server wants', async () => {
    const { site, clock, rig, server, signIn, pass } = await waiting();
    expect(rig.signIns.progress(server.id)).toMatchObject({
      step: 'browser',
      url: `${site.site.origin}/enter?code=WDJB-MJHT`,
      userCode: 'WDJB-MJHT',
      endsAt: clock.now() + 600_000,
    });
    await pass(4_900, 0);
    await pass(100, 1);
    site.say = (_form, response) => sendJson(response, 400, { error: 'slow_down' });
    await pass(5_000, 2);
    site.say = pending;
    await pass(9_900, 2);
    await pass(100, 3);
    site.say = (_form, response) =>
      sendJson(response, 200, { access_token: 'a', refresh_token: 'r', token_type: 'Bearer', expires_in: 100 });
    await pass(10_000, 4);
    await signIn;
    expect(Object.fromEntries(site.asked[3] ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: 'the-device-code',
      client_id: 'robot',
      resource: site.url,
    });
    expect(rig.log.join('\n')).not.toContain('the-device-code');
  });

  it('goes on through faults, slower and slower', async () => {
    const { site, signIn, pass } = await waiting();
    site.say = (_form, response) => response.writeHead(503).end();
    await pass(5_000, 1);
    await pass(9_900, 1);
    await pass(100, 2);
    site.say = (_form, response) => sendJson(response, 200, { access_token: 'a', token_type: 'Bearer' });
    await pass(20_000, 3);
    await signIn;
  });

  it.each([
    ['access_denied', 'E_SIGN_IN_DENIED'],
    ['expired_token', 'E_SIGN_IN_TIMEOUT'],
    ['invalid_grant', 'E_TOKEN_REFUSED'],
  ])('ends at %s with %s', async (error, expected) => {
    const { site, signIn, pass } = await waiting();
    site.say = (_form, response) => sendJson(response, 400, { error });
    await pass(5_000, 1);
    expect(await failure(signIn)).toMatchObject({ code: expected });
  });

  it('stops asking when the code has expired', async () => {
    const { site, clock, signIn, pass } = await waiting({ expires_in: 12 });
    await pass(5_000, 1);
    await pass(5_000, 2);
    expect(await failure(signIn)).toMatchObject({ code: 'E_SIGN_IN_TIMEOUT' });
    await clock.advance(600_000);
    expect(site.asked).toHaveLength(2);
  });

  it('stops asking when the user cancels', async () => {
    const { site, rig, server, clock, signIn } = await waiting();
    rig.signIns.cancel(server.id);
    expect(await failure(signIn)).toMatchObject({ code: 'E_CANCELLED' });
    await clock.advance(600_000);
    expect(site.asked).toEqual([]);
  });

  it('shows no page that is unsafe to open, and no code that is none', async () => {
    for (const change of [
      { verification_uri_complete: 'javascript:alert(1)' },
      { user_code: 'a\u202eb' },
      { device_code: 7 },
    ]) {
      const site = await tokenSite();
      Object.assign(site.site.routes, {
        '/device': { ...code, verification_uri: `${site.site.origin}/enter`, ...change },
        '/.well-known/oauth-authorization-server': {
          ...site.metadata,
          device_authorization_endpoint: `${site.site.origin}/device`,
        },
      });
      const { start, rig } = await withServer(site.url, { settings: { grant: 'device_code' } });
      expect((await failure(start())).code).toMatch(/^E_(ENDPOINT_REFUSED|TOKEN_RESPONSE)$/);
      expect(rig.opened).toEqual([]);
    }
  });
});

interface TokenSite {
  readonly site: Site;
  readonly url: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Forms at the token endpoint. */
  readonly asked: URLSearchParams[];
  /** What the token endpoint says. */
  say: (form: URLSearchParams, response: Parameters<typeof sendJson>[0]) => void;
}

/** An MCP server with its authorization server at one origin, whose token endpoint says what the test wants. */
async function tokenSite(): Promise<TokenSite> {
  const site = await startSite();
  closing.push(() => site.close());
  const url = `${site.origin}/mcp`;
  const asked: URLSearchParams[] = [];
  const metadata = {
    issuer: site.origin,
    authorization_endpoint: `${site.origin}/authorize`,
    token_endpoint: `${site.origin}/token`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  };
  const world: TokenSite = {
    site,
    url,
    asked,
    metadata,
    say: (_form, response) =>
      sendJson(response, 200, { access_token: randomBytes(8).toString('hex'), token_type: 'Bearer', expires_in: 100 }),
  };
  Object.assign(site.routes, {
    '/mcp': ((_request, response) =>
      response
        .writeHead(401, {
          'www-authenticate': `Bearer resource_metadata="${site.origin}/.well-known/oauth-protected-resource/mcp"`,
        })
        .end()) satisfies Site['routes'][string],
    '/.well-known/oauth-protected-resource/mcp': {
      resource: url,
      authorization_servers: [site.origin],
      scopes_supported: ['mcp:tools'],
    },
    '/.well-known/oauth-authorization-server': metadata,
    '/token': ((_request, response, hit) => {
      const form = new URLSearchParams(hit.body);
      asked.push(form);
      world.say(form, response);
    }) satisfies Site['routes'][string],
  });
  return world;
}

/** Refreshes now and returns the result. */
const refreshOnce = (rig: SignInRig, id: string) => rig.tokens.refreshNow(id);
