import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { until } from '../../fixtures/wait.ts';
import { failure } from '../../fixtures/failure.ts';
import { createGrantRig, ping } from '../../fixtures/grant-rig.ts';

const { withServer, provider, tokenSite } = createGrantRig(closeAfterEach());

describe('a sign-in by device code (RFC 8628)', () => {
  const code = { device_code: 'the-device-code', user_code: 'WDJB-MJHT', expires_in: 600, interval: 5 };
  const pending = (_form: unknown, response: Parameters<typeof sendJson>[0]) =>
    sendJson(response, 400, { error: 'authorization_pending' });

  /** Starts a sign-in on a fake clock, and waits until its code is shown. */
  async function waiting(change: Record<string, unknown> = {}) {
    const site = await tokenSite();
    site.respond = pending;
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
    /** Advances the clock, then waits until the token endpoint has received `requests` and the response was read. */
    const pass = async (ms: number, requests: number) => {
      await clock.advance(ms);
      await until(() => site.forms.length === requests, `${requests} requests`);
      // The next pause begins when the response has been read.
      await until(
        () => clock.pending > 0 || added.rig.signIns.progress(added.server.id)?.step !== 'browser',
        'the response is read',
      );
    };
    return { site, clock, signIn, pass, ...added };
  }

  it('ends with tokens of oidc-provider after the code is entered in any browser, and refreshes them', async () => {
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

  it('shows the page, the code and its expiry, and polls at the interval of the server', async () => {
    const { site, clock, rig, server, signIn, pass } = await waiting();
    expect(rig.signIns.progress(server.id)).toMatchObject({
      step: 'browser',
      url: `${site.site.origin}/enter?code=WDJB-MJHT`,
      userCode: 'WDJB-MJHT',
      endsAt: clock.now() + 600_000,
    });
    await pass(4_900, 0);
    await pass(100, 1);
    site.respond = (_form, response) => sendJson(response, 400, { error: 'slow_down' });
    await pass(5_000, 2);
    site.respond = pending;
    await pass(9_900, 2);
    await pass(100, 3);
    site.respond = (_form, response) =>
      sendJson(response, 200, { access_token: 'a', refresh_token: 'r', token_type: 'Bearer', expires_in: 100 });
    await pass(10_000, 4);
    await signIn;
    expect(Object.fromEntries(site.forms[3] ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: 'the-device-code',
      client_id: 'robot',
      resource: site.url,
    });
    expect(rig.log.join('\n')).not.toContain('the-device-code');
  });

  it('continues through faults with growing intervals', async () => {
    const { site, signIn, pass } = await waiting();
    site.respond = (_form, response) => response.writeHead(503).end();
    await pass(5_000, 1);
    await pass(9_900, 1);
    await pass(100, 2);
    site.respond = (_form, response) => sendJson(response, 200, { access_token: 'a', token_type: 'Bearer' });
    await pass(20_000, 3);
    await signIn;
  });

  it.each([
    ['access_denied', 'E_SIGN_IN_DENIED'],
    ['expired_token', 'E_SIGN_IN_TIMEOUT'],
    ['invalid_grant', 'E_TOKEN_REFUSED'],
  ])('ends after %s with %s', async (error, expected) => {
    const { site, signIn, pass } = await waiting();
    site.respond = (_form, response) => sendJson(response, 400, { error });
    await pass(5_000, 1);
    expect(await failure(signIn)).toMatchObject({ code: expected });
  });

  it('stops polling when the code has expired', async () => {
    const { site, clock, signIn, pass } = await waiting({ expires_in: 12 });
    await pass(5_000, 1);
    await pass(5_000, 2);
    expect(await failure(signIn)).toMatchObject({ code: 'E_SIGN_IN_TIMEOUT' });
    await clock.advance(600_000);
    expect(site.forms).toHaveLength(2);
  });

  it('stops polling when the user cancels', async () => {
    const { site, rig, server, clock, signIn } = await waiting();
    rig.signIns.cancel(server.id);
    expect(await failure(signIn)).toMatchObject({ code: 'E_CANCELLED' });
    await clock.advance(600_000);
    expect(site.forms).toEqual([]);
  });

  it('rejects a page that is unsafe to open and an invalid code, and opens no browser', async () => {
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
