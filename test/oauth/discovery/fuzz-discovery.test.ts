import { describe, expect, it } from 'vitest';
import { isLoopbackHost } from '../../../shared/loopback.ts';
import { bearerChallenge, parseChallenges } from '../../../electron/core/oauth/discovery/challenge.ts';
import { describeDiscovery } from '../../../electron/core/oauth/discovery/describe.ts';
import { discover } from '../../../electron/core/oauth/discovery/discovery.ts';
import { answering, fault, rounds, seed } from '../../fixtures/fuzz.ts';
import { damaged, distortedJson } from '../../fixtures/random.ts';
import type { HttpResponse } from '../../../electron/core/http/http.ts';

describe(`discovery under random damage, seed ${seed}`, () => {
  it('reads a WWW-Authenticate header to its end, and keeps no more than it contains', async () => {
    const good = [
      'Bearer resource_metadata="https://h/p", scope="a b", error="invalid_token"',
      'Basic realm="x, y", DPoP algs="ES256", Bearer scope=a',
      'Negotiate YII==, Bearer realm="a\\"b"',
    ];
    await rounds(5_000, (random) => {
      const header = damaged(random, random.pick(good), good);
      const kept = parseChallenges(header).flatMap(({ scheme, params }) => [
        scheme,
        ...params.keys(),
        ...params.values(),
      ]);
      expect(kept.join('').length).toBeLessThanOrEqual(header.length);
      bearerChallenge(header);
    });
  });

  it('turns metadata into usable discovery results, or into an error that names the fault', async () => {
    const origin = 'https://mcp.example';
    const resource = {
      resource: `${origin}/mcp`,
      authorization_servers: ['https://login.example/tenant'],
      scopes_supported: ['a', 'b'],
      resource_name: 'Tools',
      dpop_bound_access_tokens_required: true,
    };
    const endpoint = (name: string) => `https://login.example/${name}?x=1`;
    const metadata = {
      issuer: 'https://login.example/tenant',
      authorization_endpoint: endpoint('authorize'),
      token_endpoint: endpoint('token'),
      registration_endpoint: endpoint('register'),
      revocation_endpoint: endpoint('revoke'),
      pushed_authorization_request_endpoint: endpoint('par'),
      introspection_endpoint: endpoint('introspect'),
      userinfo_endpoint: endpoint('me'),
      jwks_uri: endpoint('jwks'),
      scopes_supported: ['a', 'offline_access'],
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'],
      authorization_response_iss_parameter_supported: true,
      dpop_signing_alg_values_supported: ['ES256'],
    };
    const headers = {
      'www-authenticate': 'Bearer scope="a b", resource_metadata="/.well-known/oauth-protected-resource/mcp"',
    };
    let found = 0;
    await rounds(1_500, async (random) => {
      const asText = random.chance(0.1);
      const one = (value: unknown): Partial<HttpResponse> => {
        const status = random.chance(0.05) ? random.pick([204, 302, 404, 500]) : 200;
        return {
          status,
          headers: random.chance(0.1) ? { location: damaged(random, `${origin}/elsewhere`) } : {},
          body: asText
            ? Buffer.from(damaged(random, JSON.stringify(value)))
            : Buffer.from(distortedJson(random, value)),
        };
      };
      const http = answering(({ pathname }) =>
        pathname === '/mcp'
          ? {
              status: 401,
              headers: {
                'www-authenticate': random.chance(0.3)
                  ? damaged(random, headers['www-authenticate'])
                  : headers['www-authenticate'],
              },
            }
          : one(pathname.includes('protected-resource') ? resource : metadata),
      );
      await fault(async () => {
        const discovery = await discover(new URL(`${origin}/mcp`), { http });
        if (discovery.kind !== 'protected') return;
        found += 1;
        const { authorizationServer: server, scopes, resourceName = '' } = discovery;
        for (const text of [
          server.authorization_endpoint,
          server.token_endpoint,
          server.registration_endpoint,
          server.revocation_endpoint,
          server.pushed_authorization_request_endpoint,
        ]) {
          if (text === undefined) continue;
          const url = new URL(text);
          expect(url.href).toBe(text);
          expect(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url))).toBe(true);
          expect(url.username + url.password + url.hash).toBe('');
        }
        expect(resourceName.length).toBeLessThanOrEqual(80);
        for (const scope of scopes) expect(scope).toMatch(/^[\x21-\x7e]{1,200}$/);
        describeDiscovery(new URL(`${origin}/mcp`), discovery);
      });
    });
    // Enough must succeed, or nothing behind the parser was tested.
    expect(found).toBeGreaterThan(100);
  });
});
