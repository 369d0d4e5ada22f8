// Providers that need no preset. Their behaviour is taken from public reports; none of them was tested directly.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { presetFor } from '../../../electron/core/oauth/providers/presets.ts';
import type { Ways } from '../../fixtures/provider.ts';
import { createProviderWorlds, type ProviderWorld } from '../../fixtures/provider-worlds.ts';

const { world, close } = createProviderWorlds();
afterEach(close);

const mcpUrl = 'https://mcp.provider.example/mcp';
const day = 24 * 60 * 60;
const resources = ({ provider: { seen } }: ProviderWorld) =>
  [...seen.authorize, ...seen.token].map((request) => request.getAll('resource'));

interface Row {
  readonly provider: string;
  readonly way: string;
  readonly ways: Ways;
  /** Absent: the client registers itself. */
  readonly clientId?: 'entered';
  readonly check?: (world: ProviderWorld) => unknown;
}

const table: readonly Row[] = [
  {
    provider: 'Sentry',
    way: 'requires `resource` in every request, also without a browser',
    ways: { issuer: 'https://mcp.sentry.dev', registration: 'open', needsResource: true },
    check: (here) => expect(resources(here)).toEqual([[mcpUrl], [mcpUrl], [mcpUrl]]),
  },
  {
    provider: 'WorkOS AuthKit',
    way: 'compares `resource` exactly with the addresses in its dashboard',
    ways: { issuer: 'https://company.authkit.app', registration: 'open', tokenNeeds: { resource: mcpUrl } },
  },
  {
    provider: 'Descope',
    way: 'has only OpenID Connect metadata, below a long path, and its keys on another host',
    ways: {
      issuer: 'https://api.descope.com/v1/apps/agentic/P2abc/M3def',
      registration: 'open',
      metadataAt: 'appended',
      metadata: { jwks_uri: 'https://keys.descope.com/P2abc' },
    },
  },
  {
    provider: 'Ping',
    way: 'accepts clients that were registered manually',
    ways: { issuer: 'https://auth.pingone.eu/0a1b/as', registration: 'none', metadataAt: 'appended' },
    clientId: 'entered',
  },
  {
    provider: 'Miro',
    way: 'refuses a registration with unknown scopes',
    ways: { issuer: 'https://mcp.miro.com', registration: 'complains of scopes' },
    check: ({ provider }) => expect(provider.seen.register.map(({ body }) => 'scope' in body)).toEqual([true, false]),
  },
  {
    provider: 'Railway',
    way: 'has an authorization endpoint with a `resource` in its query',
    ways: {
      issuer: 'https://backboard.railway.com',
      registration: 'open',
      authorizeQuery: '?resource=https%3A%2F%2Fother.example&audience=kept',
    },
    check: (here) => {
      expect(resources(here)).toEqual([[mcpUrl], [mcpUrl], [mcpUrl]]);
      expect(here.provider.seen.authorize[0]?.get('audience')).toBe('kept');
    },
  },
  {
    provider: 'Meta',
    way: 'issues no refresh token, and an access token for sixty days',
    ways: { issuer: 'https://mcp.facebook.com', registration: 'open', refreshTokens: false, seconds: 60 * day },
    check: ({ rig, id }) => {
      expect(rig.tokens.state(id)).toMatchObject({ kind: 'usable', renewable: false });
      expect(rig.vault.facts(id)?.expiresAt ?? 0).toBeGreaterThan(Date.now() + 59 * day * 1000);
    },
  },
  {
    provider: 'better-auth',
    way: 'issues a refresh token only for `offline_access`, to clients that registered their scopes',
    ways: {
      issuer: 'https://app.better-auth.example/api/auth',
      registration: 'open',
      refreshTokenScope: 'offline_access',
      metadata: { scopes_supported: ['openid', 'offline_access', 'files.read'] },
    },
    check: ({ provider }) => expect(provider.seen.register[0]?.body['scope']).toBe('files.read offline_access'),
  },
  {
    provider: 'Figma, for apps on its list',
    way: 'returns a secret for a registration as a public client',
    ways: { issuer: 'https://api.figma.com', registration: 'open', givesSecret: true },
    check: ({ provider }) =>
      expect(provider.seen.token.map((form) => [form.get('client_id'), form.has('client_secret')])).toEqual([
        ['default:registered', false],
        ['default:registered', false],
      ]),
  },
  {
    provider: 'Swiggy',
    way: 'names an address for its resource metadata that returns 404',
    ways: {
      issuer: 'https://mcp.swiggy.com',
      registration: 'open',
      challengeNames: 'https://mcp.provider.example/.well-known/nothing',
    },
  },
  {
    provider: 'Breeze',
    way: 'revokes the refresh token after a refresh without `resource`',
    ways: { issuer: 'https://mcp.breeze.example', registration: 'open', needsResource: true },
    check: ({ provider }) => expect(provider.seen.token).toHaveLength(2),
  },
];

describe('a provider without a preset', () => {
  it.each(table)('$provider: $way', async ({ ways, clientId = null, check }) => {
    const here = await world(ways, {}, clientId);
    await here.signIn();
    expect(here.rig.vault.facts(here.id)?.issuer).toBe(ways.issuer);
    expect(here.provider.goodToken()).toBeDefined();
    if (ways.refreshTokens !== false) expect(await here.tokenAfterRefresh()).toBe(here.provider.goodToken());
    expect(here.rig.opened).toHaveLength(1);
    await check?.(here);
  });

  it('signs in with all presets switched off', async () => {
    for (const { ways, provider, clientId = null } of table) {
      if (presetFor(ways.issuer, undefined)) expect(provider).toMatch(/^Figma/);
      const here = await world(ways, { preset: 'none' }, clientId);
      await here.signIn();
      expect(here.provider.goodToken(), provider).toBeDefined();
    }
  });

  it('is listed in the documentation', () => {
    const text = readFileSync(path.join(import.meta.dirname, '../../../docs/presets.md'), 'utf8');
    for (const { provider, way } of table) expect(text).toContain(`| ${provider} | ${way} |`);
  });
});
