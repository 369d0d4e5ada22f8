import { describe, expect, it } from 'vitest';
import { createHttp } from '../../../electron/core/http/client.ts';
import { describeDiscovery } from '../../../electron/core/oauth/discovery/describe.ts';
import { discover } from '../../../electron/core/oauth/discovery/discovery.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { startFaulty, type Faulty } from '../../fixtures/faulty-server.ts';
import { outcomeOf } from '../../fixtures/access-tokens-rig.ts';
import { sendHtml, sendJson } from '../../fixtures/listener.ts';
import { startSignInRig, type SignInRig, type SignInRigOptions } from '../../fixtures/sign-in-rig.ts';
import { startSite, type Route } from '../../fixtures/site.ts';
import { failure } from '../../fixtures/failure.ts';

const closing = closeAfterEach();

async function rig(options: SignInRigOptions = {}): Promise<SignInRig> {
  const started = await startSignInRig(options);
  closing.push(() => started.close());
  return started;
}

async function faulty(...args: Parameters<typeof startFaulty>): Promise<Faulty> {
  const started = await startFaulty(...args);
  closing.push(() => started.close());
  return started;
}

const redirectHosts = ({ seen }: Faulty) =>
  seen.register.map((request) => new URL((request as { redirect_uris: string[] }).redirect_uris[0] ?? '').hostname);

describe('an expired client secret (RG07)', () => {
  it('RG07 dcr-secret-expired: asks for a sign-in, which registers again, and affects no other server', async () => {
    const clock = createFakeClock(Date.now());
    const [login, remote, other] = [
      await rig({ clock }),
      await faulty({ scenario: 'dcr-secret-expired' }),
      await faulty(),
    ];
    const [server, neighbour] = [await login.add(remote.url), await login.add(other.url)];
    const start = () => login.signIns.start(server.id, { openBrowser: true });
    await start();
    await login.signIns.start(neighbour.id, { openBrowser: true });
    const first = login.servers.find(server.id)?.registrations ?? [];
    expect(first).toMatchObject([{ hasSecret: true, secretExpiresAt: expect.any(Number) as number }]);
    const oldSecret = remote.seen.token[0]?.['client_secret'];
    expect(remote.secrets()).toContain(oldSecret);

    clock.jump(2 * 3_600_000);
    await remote.setScenario('dcr-secret-expired');
    await login.tokens.refreshNow(server.id);
    expect(outcomeOf(await login.tokens.refreshNow(server.id))).toBe('refused E_CLIENT_REFUSED');
    expect((await login.vault.read(server.id)).kind).toBe('found');
    expect(remote.counts.registrations).toBe(1);

    await start();
    expect(remote.counts).toMatchObject({ registrations: 2, codeExchanges: 2 });
    expect(remote.seen.token.at(-1)?.['client_secret']).not.toBe(oldSecret);
    expect(login.servers.find(server.id)?.registrations).toHaveLength(1);
    expect(login.servers.find(server.id)?.registrations[0]?.client_id).not.toBe(first[0]?.client_id);
    expect(outcomeOf(await login.tokens.refreshNow(server.id))).toMatch(/^kb-access-/);
    // The other server still has its own registration and sign-in.
    expect(other.counts).toMatchObject({ registrations: 1, codeExchanges: 1 });
    expect(outcomeOf(await login.tokens.refreshNow(neighbour.id))).toMatch(/^kb-access-/);
    for (const secret of [...remote.secrets(), ...other.secrets()]) expect(login.log.join('')).not.toContain(secret);
  });

  it('RG07: is not used if it was already expired when it was issued', async () => {
    const clock = createFakeClock(Date.now() + 10 * 3_600_000);
    const [login, remote] = [await rig({ clock }), await faulty({ scenario: 'dcr-secret-expired' })];
    const server = await login.add(remote.url);
    const start = () => login.signIns.start(server.id, { openBrowser: true });
    await start();
    await start();
    expect(remote.counts).toMatchObject({ registrations: 2, codeExchanges: 2 });
  });
});

describe('a server that forgot the client (RG08)', () => {
  it('RG08 dcr-forgotten: does not end the old sign-in, and another server’s is unaffected', async () => {
    const [login, remote, other] = [await rig(), await faulty(), await faulty()];
    const [server, neighbour] = [await login.add(remote.url), await login.add(other.url)];
    for (const { id } of [server, neighbour]) await login.signIns.start(id, { openBrowser: true });
    const before = login.servers.find(neighbour.id);
    await remote.setScenario('dcr-forgotten');
    await login.tokens.refreshNow(server.id);
    expect(outcomeOf(await login.tokens.refreshNow(server.id))).toBe('refused E_CLIENT_REFUSED');
    expect(login.vault.facts(server.id)?.quarantinedAt).toBeUndefined();
    expect(login.opened).toHaveLength(2);
    expect(login.servers.find(neighbour.id)).toEqual(before);
    expect(outcomeOf(await login.tokens.refreshNow(neighbour.id))).toMatch(/^kb-access-/);
  });
});

describe('a registration endpoint on a third host (RG10)', () => {
  it('RG10: is shown to the user before any request goes there', async () => {
    const [mcp, auth, third] = [await startSite(), await startSite(), await startSite({ host: '127.0.0.3' })];
    for (const site of [mcp, auth, third]) closing.push(() => site.close());
    mcp.routes['/mcp'] = (_, response) => response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    mcp.routes['/.well-known/oauth-protected-resource/mcp'] = {
      resource: `${mcp.origin}/mcp`,
      authorization_servers: [auth.origin],
    };
    auth.routes['/.well-known/oauth-authorization-server'] = {
      issuer: auth.origin,
      authorization_endpoint: `${auth.origin}/authorize`,
      token_endpoint: `${auth.origin}/token`,
      registration_endpoint: `${third.origin}/register`,
      code_challenge_methods_supported: ['S256'],
    };
    const http = createHttp({ classify: () => 'public' });
    closing.push(() => http.close());
    const url = new URL(`${mcp.origin}/mcp`);
    const described = describeDiscovery(url, await discover(url, { http }));
    expect(described.otherHosts).toEqual([new URL(third.origin).host]);
    expect(third.acceptedConnections).toBe(0);
  });

  it('RG10: receives no request if it is inside the user’s network', async () => {
    const [login, remote, internal] = [await rig(), await startSite(), await startSite({ host: '127.0.0.2' })];
    for (const site of [remote, internal]) closing.push(() => site.close());
    remote.routes['/mcp'] = (_, response) => response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    remote.routes['/.well-known/oauth-authorization-server'] = {
      issuer: remote.origin,
      authorization_endpoint: `${remote.origin}/authorize`,
      token_endpoint: `${remote.origin}/token`,
      registration_endpoint: `${internal.origin}/register`,
      code_challenge_methods_supported: ['S256'],
    };
    const server = await login.add(`${remote.origin}/mcp`);
    const error = await failure(login.signIns.start(server.id, { openBrowser: true }));
    expect(error).toMatchObject({ code: 'E_ENDPOINT_REFUSED', server: server.name });
    expect(error.message).toMatch(/registration_endpoint.*127\.0\.0\.2/);
    expect(internal.acceptedConnections).toBe(0);
    expect(login.opened).toEqual([]);
  });
});

describe('a failed registration', () => {
  it('RG04 dcr-invalid-redirect: is tried with 127.0.0.1, then localhost, and reports the reason as text', async () => {
    const [login, remote] = [await rig(), await faulty({ scenario: 'dcr-invalid-redirect' })];
    const server = await login.add(remote.url);
    const error = await failure(login.signIns.start(server.id, { openBrowser: true }));
    expect(error.code).toBe('E_REGISTRATION_REFUSED');
    expect(error.message).toContain('invalid_redirect_uri: Only <b>localhost</b> is taken');
    expect(redirectHosts(remote)).toEqual(['127.0.0.1', 'localhost']);
  });

  const responses: [string, string, Route, string, RegExp][] = [
    [
      'RG03',
      'a web page with status 500',
      (_, response) => sendHtml(response, 500, '<h1>secret page</h1>'),
      'E_HTTP_STATUS',
      /could not register Keybridge: status 500/,
    ],
    [
      'RG03',
      'a web page with status 200',
      (_, response) => sendHtml(response, 200, '<h1>secret page</h1>'),
      'E_REGISTRATION_INVALID',
      /other than a JSON object/,
    ],
    [
      'RG05',
      'an array',
      (_, response) => sendJson(response, 201, [{ client_id: 'x' }]),
      'E_REGISTRATION_INVALID',
      /other than a JSON object/,
    ],
    [
      'RG05',
      'redirect_uris that is not a list',
      (_, response) => sendJson(response, 201, { client_id: 'x', redirect_uris: 'http://127.0.0.1' }),
      'E_REGISTRATION_INVALID',
      /redirect_uris/,
    ],
    [
      'RG05',
      'a client_id of 3,000 characters',
      (_, response) => sendJson(response, 201, { client_id: 'x'.repeat(3_000) }),
      'E_REGISTRATION_INVALID',
      /client_id/,
    ],
    [
      'RG05',
      'a response of 1 MB',
      (_, response) => sendJson(response, 201, { client_id: 'x', filler: 'x'.repeat(1_000_000) }),
      'E_TOO_LARGE',
      /more than 64 KB/,
    ],
    [
      'RG02',
      'a 429 without Retry-After',
      (_, response) => response.writeHead(429).end(),
      'E_REGISTRATION_REFUSED',
      /status 429/,
    ],
    [
      'RG03',
      'a lost connection',
      (request) => request.socket.resetAndDestroy(),
      'E_CONNECTION_LOST',
      /broke before the response was complete/,
    ],
  ];
  it.each(responses)(
    '%s: ends after one request with a short error that names the host, and stores nothing: %s',
    async (_row, _what, route, code, words) => {
      const [login, remote] = [await rig(), await startSite()];
      closing.push(() => remote.close());
      remote.routes['/mcp'] = (_, response) => response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      remote.routes['/.well-known/oauth-authorization-server'] = {
        issuer: remote.origin,
        authorization_endpoint: `${remote.origin}/authorize`,
        token_endpoint: `${remote.origin}/token`,
        registration_endpoint: `${remote.origin}/register`,
        code_challenge_methods_supported: ['S256'],
      };
      remote.routes['/register'] = route;
      const server = await login.add(`${remote.origin}/mcp`);
      const error = await failure(login.signIns.start(server.id, { openBrowser: true }));
      expect(error).toMatchObject({ code, server: server.name });
      expect(error.message).toMatch(words);
      expect(error.message).toContain(new URL(remote.origin).host);
      expect(error.message).not.toContain('secret page');
      expect(error.message.length).toBeLessThanOrEqual(300);
      expect(remote.hits.filter(({ path }) => path === '/register')).toHaveLength(1);
      expect(login.servers.find(server.id)?.registrations).toEqual([]);
      expect([login.opened, login.store.items.size]).toEqual([[], 0]);
    },
  );
});
