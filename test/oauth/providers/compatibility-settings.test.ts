import { afterEach, describe, expect, it } from 'vitest';
import type { ServerSettings } from '../../../shared/server-settings.ts';
import { createProviderWorlds, failureOf } from '../../fixtures/provider-worlds.ts';

const { world, close } = createProviderWorlds();
afterEach(close);

describe('the compatibility settings of a server', () => {
  const issuer = 'https://login.company.example';

  it('omit the resource from every request with resource: omit', async () => {
    const here = await world({ issuer, refusesResource: true }, { resource: 'omit' });
    await here.signIn();
    expect(await here.tokenAfterRefresh()).toBe(here.provider.goodToken());
    const { authorize, token } = here.provider.seen;
    expect([...authorize, ...token].some((request) => request.has('resource'))).toBe(false);
  });

  it('send another resource in every request with a value for resource', async () => {
    const here = await world({ issuer }, { resource: { value: 'api://1234' } });
    await here.signIn();
    await here.tokenAfterRefresh();
    const { authorize, token } = here.provider.seen;
    expect([...authorize, ...token].map((request) => request.getAll('resource'))).toEqual([
      ['api://1234'],
      ['api://1234'],
      ['api://1234'],
    ]);
  });

  it('add extra parameters to the authorization request, the code exchange and the refresh', async () => {
    const here = await world(
      { issuer },
      { authorizeParameters: { audience: '{resource}' }, tokenParameters: { tenant: 't1' } },
    );
    await here.signIn();
    await here.tokenAfterRefresh();
    expect(here.provider.seen.authorize[0]?.get('audience')).toBe('https://mcp.provider.example/mcp');
    expect(here.provider.seen.token.map((form) => form.get('tenant'))).toEqual(['t1', 't1']);
  });

  it('reject extra parameters that would replace protocol parameters', async () => {
    const here = await world({ issuer }, { authorizeParameters: { redirect_uri: 'https://evil.example/' } });
    expect(await failureOf(here.signIn())).toBe('E_BAD_INPUT');
  });

  it('DM01 accept only the exact pair of an issuer exception', async () => {
    const ways = { issuer: 'https://login.company.example/other', named: issuer };
    expect(await failureOf((await world(ways)).signIn())).toBe('E_ISSUER_MISMATCH');
    expect(
      await failureOf((await world(ways, { issuerException: { named: issuer, found: `${ways.issuer}/` } })).signIn()),
    ).toBe('E_ISSUER_MISMATCH');
    const here = await world(ways, { issuerException: { named: issuer, found: ways.issuer } });
    await here.signIn();
    expect(here.rig.vault.facts(here.id)?.issuer).toBe(ways.issuer);
  });

  it('request the scopes of the challenge with scopes: minimal, and exactly those of a list', async () => {
    const asked = async (scopes: ServerSettings['scopes']) => {
      const here = await world({ issuer }, scopes === undefined ? {} : { scopes });
      await here.signIn();
      return here.provider.seen.authorize[0]?.get('scope');
    };
    expect(await asked(undefined)).toBe('files.read');
    expect(await asked('minimal')).toBeNull();
    expect(await asked('all')).toBe('files.read');
    expect(await asked(['one', 'two'])).toBe('one two');
  });
});

describe('a pushed authorization request that fails', () => {
  const issuer = 'https://login.company.example';

  it('is replaced by a plain request if it is only offered', async () => {
    const here = await world({ issuer, brokenPushing: 'offered' });
    await here.signIn();
    expect(here.provider.seen.authorize[0]?.get('code_challenge_method')).toBe('S256');
  });

  it('ends the sign-in before the browser opens if it is required, and keeps the registration', async () => {
    const here = await world({ issuer, brokenPushing: 'required', registration: 'open' }, {}, null);
    expect(await failureOf(here.signIn())).toBe('E_HTTP_STATUS');
    expect(await failureOf(here.signIn())).toBe('E_HTTP_STATUS');
    expect(here.rig.opened).toEqual([]);
    expect(here.provider.seen.register).toHaveLength(1);
  });
});
