import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { sendJson } from '../../fixtures/listener.ts';
import { failure } from '../../fixtures/failure.ts';
import { createGrantRig, ping } from '../../fixtures/grant-rig.ts';

const { withServer, provider, tokenSite } = createGrantRig(closeAfterEach());

describe('the client credentials grant', () => {
  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'gets a token with %s that the MCP server accepts, and opens no browser',
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

  it('requests one new token for ten calls after a 401', async () => {
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
    const results = await Promise.all(
      Array.from({ length: 10 }, () => rig.tokens.accessToken(id, { rejected: first })),
    );
    expect(new Set(results.map((result) => result.kind === 'token' && result.token.reveal())).size).toBe(1);
    expect(as.seen.token).toHaveLength(2);
    expect(await ping(mcp.url, await token())).toBe(200);
  });

  it('requests a new token ahead of expiry while a bridge is connected, and opens no journal', async () => {
    const site = await tokenSite();
    const clock = createFakeClock();
    const { rig, start, token, id } = await withServer(
      site.url,
      { settings: { grant: 'client_credentials' }, secrets: { clientSecret: 'abc' } },
      { clock },
    );
    await start();
    const stop = rig.tokens.keepFresh(id);
    const before = (await token())?.reveal();
    await clock.advance(85_000);
    await expect.poll(async () => (await token())?.reveal()).not.toBe(before);
    expect(site.forms).toHaveLength(2);
    expect(rig.vault.openJournals()).toEqual([]);
    stop();
  });

  it('revokes the token at sign-out with the same client authentication', async () => {
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

  it('keeps the credential after a temporary fault, and marks the sign-in as ended after a refusal', async () => {
    const site = await tokenSite();
    const clock = createFakeClock();
    const { rig, start, id } = await withServer(
      site.url,
      { settings: { grant: 'client_credentials' }, secrets: { clientSecret: 'abc' } },
      { clock },
    );
    await start();
    site.respond = (_form, response) => response.writeHead(503).end();
    expect((await rig.tokens.refreshNow(id)).kind).toBe('unavailable');
    expect(rig.tokens.state(id).kind).toBe('retrying');
    site.respond = (_form, response) =>
      sendJson(response, 200, { access_token: 'late', token_type: 'Bearer', expires_in: 100 });
    await rig.tokens.refreshNow(id);
    expect(rig.tokens.state(id).kind).toBe('usable');
    site.respond = (_form, response) => sendJson(response, 400, { error: 'unauthorized_client' });
    expect(await rig.tokens.refreshNow(id)).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
    expect(rig.vault.facts(id)?.quarantinedAt).toBeDefined();
  });

  it('sends a secret only to the issuer that it was first used at', async () => {
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
    expect(second.forms).toEqual([]);
    expect(rig.servers.find(server.id)?.registrations).toHaveLength(1);
  });

  it('names the missing secret when none was entered', async () => {
    const site = await tokenSite();
    const { start } = await withServer(site.url, { settings: { grant: 'client_credentials' } });
    expect(await failure(start())).toMatchObject({
      code: 'E_BAD_INPUT',
      message: expect.stringContaining('clientSecret'),
    });
    expect(site.forms).toEqual([]);
  });
});
