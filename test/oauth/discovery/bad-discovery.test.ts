import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../fixtures/certificate.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { failure } from '../../fixtures/failure.ts';
import { startHttpsListener } from '../../fixtures/https-listener.ts';
import { startSignInRig } from '../../fixtures/sign-in-rig.ts';
import { startSite } from '../../fixtures/site.ts';
import { startListener } from '../../fixtures/listener.ts';
import { startFaultyFor, startStoredSignIn, storedItems } from '../../fixtures/stored-sign-in.ts';

const closing = closeAfterEach();

describe('an unreachable authorization server (DM31)', () => {
  const notTls = async () => {
    const plain = await startListener((_, response) => response.end('{}'));
    closing.push(() => plain.close());
    return `https://127.0.0.1:${plain.port}`;
  };
  const untrusted = async () => {
    const listener = await startHttpsListener(selfSigned(['127.0.0.1']), (_, response) => response.end('{}'));
    closing.push(() => listener.close());
    return `https://127.0.0.1:${listener.port}`;
  };
  const refusing = async () => {
    const gone = await startListener((_, response) => response.end());
    await gone.close();
    return gone.origin;
  };
  const broken = async () => {
    const site = await startSite();
    closing.push(() => site.close());
    for (const path of ['oauth-authorization-server', 'openid-configuration'])
      site.routes[`/.well-known/${path}`] = (_, response) => response.writeHead(503, { 'retry-after': '7' }).end();
    return site.origin;
  };

  it.each<[string, () => Promise<string>, string, RegExp]>([
    [
      'its host name has no address',
      async () => 'https://login.invalid',
      'E_DNS',
      /address of login\.invalid could not be found/,
    ],
    ['it refuses connections', refusing, 'E_CONNECT', /could not be reached: it refuses connections/],
    ['it does not use TLS', notTls, 'E_TLS', /does not use TLS/],
    ['its certificate is not trusted', untrusted, 'E_TLS', /could not prove its identity/],
    ['it responds with an error', broken, 'E_HTTP_STATUS', /responded with status 503/],
  ])('DM31: is reported with the cause if %s, and the stored sign-in is kept', async (_, place, code, words) => {
    const { login, remote, server, start } = await startStoredSignIn(closing);
    const origin = await place();
    const before = storedItems(login);
    await remote.setScenario('prm-as-ssrf', { target: origin });
    const error = await failure(start());
    expect(error).toMatchObject({ code, server: server.name });
    expect(error.message).toMatch(words);
    expect(error.message).toContain(new URL(origin).host);
    expect(error.toInfo().remedy).not.toBe('');
    expect(login.opened).toHaveLength(1);
    expect(storedItems(login)).toBe(before);
    expect(login.tokens.state(server.id)).toMatchObject({ kind: 'usable' });
  });

  it('DM31 as-not-tls: receives no request over plain http', async () => {
    const heard: string[] = [];
    const plain = await startListener((request, response) => {
      heard.push(request.url ?? '');
      response.end('{}');
    });
    closing.push(() => plain.close());
    const { remote, start } = await startStoredSignIn(closing);
    await remote.setScenario('prm-as-ssrf', { target: `https://127.0.0.1:${plain.port}` });
    expect((await failure(start())).code).toBe('E_TLS');
    expect(plain.acceptedConnections).toBeGreaterThan(0);
    expect(heard).toEqual([]);
  });
});

describe('resource metadata of a parent path (DM13)', () => {
  it('DM13 prm-resource-parent: sets the token’s audience, but the token is not used for another path', async () => {
    const [login, remote] = [
      await startSignInRig(),
      await startFaultyFor(closing, { scenario: 'prm-resource-parent' }),
    ];
    closing.push(() => login.close());
    const [server, sibling] = [await login.add(remote.url), await login.add(`${new URL(remote.url).origin}/other`)];
    await login.signIns.start(server.id, { openBrowser: true });
    const facts = login.vault.facts(server.id);
    expect(facts?.resource).toBe(new URL(remote.url).origin);
    expect(remote.seen.token[0]?.['resource']).toBe(facts?.resource);
    expect((await login.tokens.accessToken(sibling.id)).kind).toBe('anonymous');
  });
});

describe('oversized responses (DM21)', () => {
  it.each(['as-huge', 'prm-huge'])(
    'DM21 %s: reads little more than the limit of a 50 MB response',
    async (scenario) => {
      const { login, remote, start } = await startStoredSignIn(closing);
      const before = storedItems(login);
      await remote.setScenario(scenario);
      expect((await failure(start())).code).toBe('E_TOO_LARGE');
      // The limit is 256 KB; the rest is what two socket buffers hold.
      expect(remote.counts.bytesSent).toBeLessThan(16 * 1024 * 1024);
      expect(storedItems(login)).toBe(before);
    },
  );
});
