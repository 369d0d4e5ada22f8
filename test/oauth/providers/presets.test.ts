import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { acceptedIssuers, presetFor, presets, readPresets } from '../../../electron/core/oauth/providers/presets.ts';
import type { Ways } from '../../fixtures/provider.ts';
import { createProviderWorlds, failureOf, type ProviderWorld } from '../../fixtures/provider-worlds.ts';

const { world, close } = createProviderWorlds();
afterEach(close);

/**
 * Each provider as its documentation and public bug reports describe it, and what proves that the preset works.
 */
const table: readonly {
  readonly preset: string;
  readonly ways: Ways;
  /** True: the issuer does not identify the provider, so the user chooses the preset. */
  readonly chosen?: true;
  readonly clientId?: null;
  /** How the sign-in ends without the preset. */
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

/** Providers that refuse registration: the sign-in ends with advice on how to get a client ID. */
const needsAPerson = new Set(['okta', 'figma']);

describe('provider presets', () => {
  it('have one row each in this table and in the documentation', () => {
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
    '$preset makes sign-in and refresh work',
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

  it.each(table)('without $preset the sign-in ends with: $without', async ({ ways, clientId, without }) => {
    const here = await world(ways, { preset: 'none' }, clientId);
    expect(await failureOf(here.signIn())).toBe(without === 'signed in' ? 'no error' : without);
  });

  it.each(table.filter(({ preset }) => needsAPerson.has(preset)))(
    '$preset gives advice when the provider refuses the registration',
    async ({ preset, ways }) => {
      const here = await world(ways, {}, null);
      await expect(here.signIn()).rejects.toThrow(
        presets.find(({ name }) => name === preset)?.advice?.slice(0, 60) ?? 'no advice',
      );
    },
  );

  it.each(presets.filter(({ advice, name }) => advice !== undefined && name !== 'atlassian'))(
    '$name gives advice when the provider offers no registration',
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
    '$preset makes a refusal end with E_TOKEN_REFUSED',
    async ({ preset, ways, chosen, clientId }) => {
      const here = await world(ways, chosen ? { preset } : {}, clientId);
      here.provider.refuseNext();
      expect(await failureOf(here.signIn())).toBe('E_TOKEN_REFUSED');
    },
  );

  it('are chosen by the address of the metadata', () => {
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

  it('fail with E_BAD_INPUT when the chosen one does not exist', async () => {
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

  it('may relax a check only for a whole host name, and never replace a protocol parameter', () => {
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
