import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { startIdentityRig } from '../../fixtures/identity-rig.ts';
import type { OpenidOptions } from '../../fixtures/openid-site.ts';

const closing = closeAfterEach();

describe('the setting identity', () => {
  /** Returns the scopes of the authorization request. */
  const requestedScope = async (settings: object, options: OpenidOptions = {}, accounts: readonly string[] = []) => {
    const rig = await startIdentityRig(closing, { scopes: ['mcp:tools'], ...options }, { settings });
    for (const name of accounts) await rig.login.servers.addAccount(rig.serverId, name);
    await rig.start();
    return rig.site.seen.authorize[0]?.get('scope');
  };

  it('adds no scopes by default for a server with one account', async () => {
    expect(await requestedScope({})).toBe('mcp:tools');
  });

  it('adds no scopes if it is false', async () => {
    expect(await requestedScope({ identity: false })).toBe('mcp:tools');
  });

  it('adds openid, profile and email if it is true and the server lists them', async () => {
    expect(await requestedScope({ identity: true })).toBe('mcp:tools openid profile email');
  });

  it('adds only openid if it is true and the server lists no scopes', async () => {
    const scope = await requestedScope({ identity: true }, { metadata: { scopes_supported: undefined } });
    expect(scope).toBe('mcp:tools openid');
  });

  it('adds scopes by default for a server with several accounts', async () => {
    expect(await requestedScope({}, {}, ['second'])).toBe('mcp:tools openid profile email');
  });

  it.each<[string, OpenidOptions, object]>([
    ['if the server does not list openid', { metadata: { scopes_supported: ['mcp:tools'] } }, {}],
    ['to scopes from the settings', {}, { scopes: ['mcp:tools'] }],
  ])('adds no scopes by default %s', async (_what, options, settings) => {
    expect(await requestedScope(settings, options, ['second'])).toBe('mcp:tools');
  });
});
