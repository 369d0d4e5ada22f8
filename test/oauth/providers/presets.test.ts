import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { acceptedIssuers, presetFor, presets, readPresets } from '../../../electron/core/oauth/providers/presets.ts';
import type { Ways } from '../../fixtures/provider.ts';
import { createProviderWorlds, failureOf, type ProviderWorld } from '../../fixtures/provider-worlds.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';

const { world, close } = createProviderWorlds();
afterEach(close);

/**
 * Each provider as its documents and other people's bug reports have it, and what shows that the preset does its work.
 */
const table: readonly {
  readonly preset: string;
  readonly ways: Ways;
  /** True: nothing in its issuer tells it, the user names it. */
  readonly chosen?: true;
  readonly clientId?: null;
  /** What happens without the preset. */
  readonly without: string;
  readonly check?: (world: ProviderWorld) => unknown;
}[] = [
  {
    preset: 'entra-id',
    ways: {
      issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
      named: 'https://login.microsoftonline.com/common/v2.0',
      metadataAt: 'appended',
      announcesPkce: false,
      refusesResource: true,
      refreshNeedsScope: true,
    },
    without: 'E_ISSUER_MISMATCH',
    check: ({ provider }) => expect(provider.seen.token.map((form) => form.get('scope'))).toEqual([null, 'files.read']),
  },
  {
    preset: 'google',
    ways: {
      issuer: 'https://accounts.google.com',
      named: 'https://accounts.google.com/',
      endpoints: 'https://oauth2.googleapis.com',
      refreshTokenNeeds: { access_type: 'offline', prompt: 'consent' },
      clientSecret: 'secret of a desktop client',
    },
    without: 'E_ISSUER_MISMATCH',
  },
  {
    preset: 'github',
    ways: { issuer: 'https://github.com/login/oauth', refreshTokens: false, errorStatus: 200, formByDefault: true },
    without: 'signed in',
  },
  {
    preset: 'slack',
    ways: {
      issuer: 'https://mcp.slack.com',
      endpoints: 'https://slack.com',
      refreshTokens: false,
      tokensIn: 'authed_user',
      errorStatus: 200,
    },
    without: 'E_TOKEN_RESPONSE',
  },
  {
    preset: 'atlassian',
    ways: { issuer: 'https://mcp.atlassian.com', needsResource: true, registration: 'open' },
    clientId: null,
    without: 'signed in',
  },
  {
    preset: 'notion',
    ways: { issuer: 'https://mcp.notion.com', registration: 'open' },
    clientId: null,
    without: 'signed in',
    check: ({ provider }) => {
      expect(provider.seen.register[0]?.body).toMatchObject({ token_endpoint_auth_method: 'none' });
      expect(
        provider.seen.token.every(
          (form) => form.get('client_id') === 'default:registered' && !form.has('client_secret'),
        ),
      ).toBe(true);
    },
  },
  {
    preset: 'linear',
    ways: { issuer: 'https://mcp.linear.app', registration: 'open' },
    clientId: null,
    without: 'signed in',
  },
  {
    preset: 'auth0',
    ways: { issuer: 'https://tenant.eu.auth0.com/', tokenNeeds: { audience: 'https://mcp.provider.example/mcp' } },
    without: 'signed in',
    check: ({ provider }) => expect(provider.goodToken()).toBeDefined(),
  },
  {
    preset: 'okta',
    ways: { issuer: 'https://dev-1.okta.com/oauth2/default', registration: 'needs a token' },
    clientId: null,
    without: 'E_REGISTRATION_REFUSED',
  },
  {
    preset: 'cognito',
    ways: {
      issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC123',
      announcesPkce: false,
      refusesResource: true,
    },
    without: 'E_PKCE_UNSUPPORTED',
  },
  {
    preset: 'figma',
    ways: { issuer: 'https://api.figma.com', registration: 'forbidden' },
    clientId: null,
    without: 'E_REGISTRATION_REFUSED',
  },
  {
    preset: 'keycloak',
    ways: { issuer: 'https://id.company.example/realms/staff', registration: 'refuses scopes' },
    clientId: null,
    without: 'E_REGISTRATION_REFUSED',
  },
  {
    preset: 'obot',
    ways: {
      issuer: 'https://obot.company.example/ms1',
      registration: 'open',
      errorType: 'text/plain',
      needsResource: true,
    },
    clientId: null,
    without: 'signed in',
  },
  {
    preset: 'fastmcp',
    ways: { issuer: 'https://fastmcp.company.example/', registration: 'open' },
    clientId: null,
    chosen: true,
    without: 'signed in',
  },
];

/** Nobody can register there by themselves: the sign-in ends with the provider's own steps. */
const needsAPerson = new Set(['okta', 'figma']);

describe('presets', () => {
  it('have a row each in this table, and in the documentation with what they were tried against', () => {
    const names = presets.map(({ name }) => name);
    expect(table.map(({ preset }) => preset)).toEqual(names);
    const rows = [
      ...readFileSync(path.join(import.meta.dirname, '../../../docs/presets.md'), 'utf8').matchAll(
        /^\| `([\w-]+)` .* \| (\w+) \|$/gm,
      ),
    ];
    expect(rows.map(([, name, ran]) => `${name} ${ran}`)).toEqual(presets.map(({ name, ran }) => `${name} ${ran}`));
  });

  it.each(table.filter(({ preset }) => !needsAPerson.has(preset)))(
    '$preset: signs in, and renews with the token that the server takes',
    async ({ preset, ways, chosen, clientId, check }) => {
      const here = await world(ways, chosen ? { preset } : {}, clientId);
      await here.signIn();
      const facts = here.rig.vault.facts(here.id);
      expect(facts?.issuer).toBe(ways.issuer);
      expect(here.provider.goodToken()).toBeDefined();
      if (ways.refreshTokens === false) {
        expect(facts?.renewable).toBe(false);
        return;
      }
      expect(await here.tokenAfterRefresh()).toBe(here.provider.goodToken());
      expect(here.provider.seen.token).toHaveLength(2);
      await check?.(here);
    },
  );

  it.each(table)('$preset: without it, $without', async ({ ways, clientId, without }) => {
    const here = await world(ways, { preset: 'none' }, clientId);
    expect(await failureOf(here.signIn())).toBe(without === 'signed in' ? 'no error' : without);
  });

  it.each(table.filter(({ preset }) => needsAPerson.has(preset)))(
    '$preset: says what to do there when it refuses the registration',
    async ({ preset, ways }) => {
      const here = await world(ways, {}, null);
      await expect(here.signIn()).rejects.toThrow(
        presets.find(({ name }) => name === preset)?.advice?.slice(0, 60) ?? 'no advice',
      );
    },
  );

  it.each(presets.filter(({ advice, name }) => advice !== undefined && name !== 'atlassian'))(
    '$name: says what to do there when it lets nobody register',
    async ({ name }) => {
      const ways = table.find(({ preset }) => preset === name)?.ways ?? { issuer: 'no issuer' };
      const here = await world({ ...ways, registration: 'none' }, {}, null);
      const failure = await here.signIn().catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 'E_CLIENT_ID_NEEDED',
        message: expect.stringContaining(
          presets.find((one) => one.name === name)?.advice?.slice(0, 60) ?? 'no advice',
        ) as unknown,
      });
      expect(here.rig.opened).toEqual([]);
    },
  );

  it.each(table.filter(({ ways }) => ways.errorStatus !== undefined || ways.errorType !== undefined))(
    '$preset: its way to say no is understood',
    async ({ preset, ways, chosen, clientId }) => {
      const here = await world(ways, chosen ? { preset } : {}, clientId);
      here.provider.refuseNext();
      expect(await failureOf(here.signIn())).toBe('E_TOKEN_REFUSED');
    },
  );

  it('are chosen by where the metadata came from', () => {
    const name = (issuer: string) => presetFor(issuer, undefined)?.name;
    expect(name('https://login.microsoftonline.com/2c1d/v2.0')).toBe('entra-id');
    expect(name('https://accounts.google.com')).toBe('google');
    expect(name('https://tenant.us.auth0.com/')).toBe('auth0');
    expect(name('http://127.0.0.1:8080/realms/test')).toBe('keycloak');
    expect(name('https://sso.example/auth/realms/test')).toBe('keycloak');
    for (const stranger of [
      'http://accounts.google.com',
      'https://accounts.google.com.evil.example',
      'https://accounts.google.com:444',
      'https://evil.example/accounts.google.com',
      'https://auth0.com.evil.example',
      'https://cognito-idp.s3.amazonaws.com/x_y',
      'https://evilauth0.com/',
      'not an issuer',
    ]) {
      expect(name(stranger), stranger).toBeUndefined();
    }
  });

  it('that do not exist are refused, not passed over', async () => {
    expect(
      await failureOf((await world({ issuer: 'https://login.company.example' }, { preset: 'gooogle' })).signIn()),
    ).toBe('E_BAD_INPUT');
  });

  it('accept an issuer under another name only as an exact pair', () => {
    expect(acceptedIssuers('https://accounts.google.com/', {})).toEqual([
      'https://accounts.google.com/',
      'https://accounts.google.com',
    ]);
    expect(acceptedIssuers('https://accounts.google.com/', { preset: 'none' })).toEqual([
      'https://accounts.google.com/',
    ]);
    const issuerException = { named: 'https://a.example', found: 'https://b.example' };
    expect(acceptedIssuers('https://a.example', { issuerException })).toEqual([
      'https://a.example',
      'https://b.example',
    ]);
    expect(acceptedIssuers('https://a.example/', { issuerException })).toEqual(['https://a.example/']);
    expect(acceptedIssuers('https://b.example', { issuerException })).toEqual(['https://b.example']);
  });

  it('may loosen a check only for a whole host name, and never replace a parameter of ours', () => {
    const base = { name: 'some', title: 'Some', source: 'some document', ran: 'fixture' };
    const file = (preset: object) => () => readPresets({ version: 1, presets: [{ ...base, ...preset }] });
    expect(file({ issuers: ['https://some.example/*'], missingPkce: 'allowed' })).not.toThrow();
    expect(file({ issuers: ['https://*.some.example/*'], missingPkce: 'allowed' })).toThrow();
    expect(file({ issuers: ['/some/*'], missingPkce: 'allowed' })).toThrow();
    expect(file({ issuers: ['/some/*'], issuerExceptions: [{ named: 'a', found: 'b' }] })).toThrow();
    for (const name of ['state', 'redirect_uri', 'code_challenge', 'resource', 'client_id']) {
      expect(file({ issuers: ['https://some.example/'], authorize: { [name]: 'x' } }), name).toThrow();
    }
    expect(file({ issuers: ['https://some.example/'], unknown: true })).toThrow();
  });
});

describe('settings of a server', () => {
  const issuer = 'https://login.company.example';

  it('resource: omit leaves it out of every request', async () => {
    const here = await world({ issuer, refusesResource: true }, { resource: 'omit' });
    await here.signIn();
    expect(await here.tokenAfterRefresh()).toBe(here.provider.goodToken());
    const { authorize, token } = here.provider.seen;
    expect([...authorize, ...token].some((request) => request.has('resource'))).toBe(false);
  });

  it('resource: a value of its own goes into every request', async () => {
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

  it('more parameters go along, and a refresh sends them too', async () => {
    const here = await world(
      { issuer },
      { authorizeParameters: { audience: '{resource}' }, tokenParameters: { tenant: 't1' } },
    );
    await here.signIn();
    await here.tokenAfterRefresh();
    expect(here.provider.seen.authorize[0]?.get('audience')).toBe('https://mcp.provider.example/mcp');
    expect(here.provider.seen.token.map((form) => form.get('tenant'))).toEqual(['t1', 't1']);
  });

  it('more parameters must not replace what a sign-in is checked with', async () => {
    const here = await world({ issuer }, { authorizeParameters: { redirect_uri: 'https://evil.example/' } });
    expect(await failureOf(here.signIn())).toBe('E_BAD_INPUT');
  });

  it('DM01 an issuer exception accepts exactly its pair', async () => {
    const ways = { issuer: 'https://login.company.example/other', named: issuer };
    expect(await failureOf((await world(ways)).signIn())).toBe('E_ISSUER_MISMATCH');
    expect(
      await failureOf((await world(ways, { issuerException: { named: issuer, found: `${ways.issuer}/` } })).signIn()),
    ).toBe('E_ISSUER_MISMATCH');
    const here = await world(ways, { issuerException: { named: issuer, found: ways.issuer } });
    await here.signIn();
    expect(here.rig.vault.facts(here.id)?.issuer).toBe(ways.issuer);
  });

  it('scopes: minimal asks for no more than the server demands, a list for exactly that', async () => {
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

describe('a pushed authorization request that does not work', () => {
  const issuer = 'https://login.company.example';

  it('is left out where it is only offered', async () => {
    const here = await world({ issuer, brokenPushing: 'offered' });
    await here.signIn();
    expect(here.provider.seen.authorize[0]?.get('code_challenge_method')).toBe('S256');
  });

  it('ends the sign-in before the browser where it is required; nothing is forgotten', async () => {
    const here = await world({ issuer, brokenPushing: 'required', registration: 'open' }, {}, null);
    expect(await failureOf(here.signIn())).toBe('E_HTTP_STATUS');
    expect(await failureOf(here.signIn())).toBe('E_HTTP_STATUS');
    expect(here.rig.opened).toEqual([]);
    expect(here.provider.seen.register).toHaveLength(1);
  });
});
