import { describe, expect, it } from 'vitest';
import { createGrants } from '../../../electron/core/oauth/grants/grants.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { noCompanies } from '../../fixtures/no-companies.ts';
import { failure } from '../../fixtures/failure.ts';
import { createGrantRig, enter } from '../../fixtures/grant-rig.ts';

const { withServer, tokenSite } = createGrantRig(closeAfterEach());

describe('the key of a server without OAuth', () => {
  it('is sent as a Bearer token or in the header of the settings, without any request at sign-in', async () => {
    const site = await tokenSite();
    const plain = await withServer(site.url, { settings: { grant: 'static_header' }, secrets: { headerValue: 'k3y' } });
    await plain.start();
    const result = await plain.rig.tokens.accessToken(plain.id);
    expect(result).toMatchObject({ kind: 'token', header: 'authorization' });
    expect(result.kind === 'token' && result.token.reveal()).toBe('Bearer k3y');

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

  it('is reported as rejected after a 401, and replaced at the next sign-in', async () => {
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

  it('is not sent to another origin after the list of servers was changed', async () => {
    const site = await tokenSite();
    const { rig, server, start, id } = await withServer(site.url, {
      settings: { grant: 'static_header' },
      secrets: { headerValue: 'k3y' },
    });
    await start();
    await rig.servers.update(server.id, { url: 'https://elsewhere.example/mcp' });
    expect(await rig.tokens.accessToken(id)).toMatchObject({ kind: 'refused', error: { code: 'E_SIGN_IN_AGAIN' } });
    // Below that check, the key itself is bound to its origin.
    const { vault, servers } = rig;
    const grants = createGrants({ vault, servers, clock: createFakeClock(), companies: noCompanies });
    expect(await failure(grants.header({ id, resource: site.url }))).toMatchObject({ code: 'E_BAD_INPUT' });
  });

  it.each([
    ['in a header that belongs to the connection', { headerName: 'Host' }, 'k'],
    ['in a header of MCP', { headerName: 'Mcp-Session-Id' }, 'k'],
    ['in a header with an invalid name', { headerName: 'a b' }, 'k'],
    ['with a line break', {}, 'k\r\nx: y'],
  ])('is refused %s', async (_what, settings, headerValue) => {
    const site = await tokenSite();
    const { start } = await withServer(site.url, {
      settings: { grant: 'static_header', ...settings },
      secrets: { headerValue },
    });
    expect(await failure(start())).toMatchObject({ code: 'E_BAD_INPUT' });
  });
});
