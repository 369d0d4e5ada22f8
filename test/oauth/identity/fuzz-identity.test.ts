import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { verifyIdToken } from '../../../electron/core/oauth/identity/id-token.ts';
import { introspect } from '../../../electron/core/oauth/inspection/introspection.ts';
import { createKeySets } from '../../../electron/core/oauth/identity/jwks.ts';
import { decodedClaims, displayClaims } from '../../../electron/core/oauth/identity/jwt-claims.ts';
import { lintAccessToken } from '../../../electron/core/oauth/inspection/token-lint.ts';
import { fetchUserinfo } from '../../../electron/core/oauth/identity/userinfo.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { answering, rounds, seed } from '../../fixtures/fuzz.ts';
import { damaged, distortedJson } from '../../fixtures/random.ts';
import type { TokenClient } from '../../../electron/core/oauth/model.ts';

describe(`identity under random damage, seed ${seed}`, () => {
  it('turns ID tokens, userinfo and introspection into a verdict or displayable claims, and never throws', async () => {
    const claims = {
      iss: 'https://login.example',
      sub: 'ada',
      aud: 'c',
      exp: 1_800_000_000,
      iat: 1,
      nonce: 'n',
      at_hash: 'h',
      name: 'Ada',
      groups: ['a', { b: null }],
    };
    const keys = {
      keys: [
        { kty: 'RSA', kid: '1', alg: 'RS256', n: 'AQAB', e: 'AQAB' },
        { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
      ],
    };
    const client: TokenClient = {
      issuer: 'https://login.example',
      tokenEndpoint: 'https://login.example/t',
      introspectionEndpoint: 'https://login.example/i',
      clientId: 'c',
      clientAuth: 'none',
      resource: 'https://mcp.example/mcp',
      allow: ['public'],
    };
    const kinds = new Set<string>();
    await rounds(800, async (random) => {
      const http = answering(() => ({
        status: random.chance(0.9) ? 200 : 500,
        body: random.chance(0.4)
          ? Buffer.from(damaged(random, JSON.stringify(keys)))
          : Buffer.from(distortedJson(random, random.chance(0.5) ? keys : { ...claims, active: true })),
      }));
      const header = { alg: random.pick(['RS256', 'ES256', 'none', 'HS256', 'x']), kid: '1' };
      const jwt = [JSON.stringify(header), distortedJson(random, claims), 'signature']
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.');
      const token = random.chance(0.5) ? jwt : damaged(random, jwt);
      const expected = {
        issuer: 'https://login.example',
        clientId: 'c',
        accessToken: new Secret('a'),
        now: 0,
        ...(random.chance(0.5) ? { nonce: new Secret('n') } : {}),
      };
      const find = createKeySets(systemClock()).keysAt({
        owner: 'o',
        uri: 'https://login.example/jwks',
        http,
        allow: ['public'],
      });
      const verdict = await verifyIdToken(new Secret(token), expected, find);
      kinds.add(verdict.kind);
      const read = decodedClaims(token);
      if (read)
        for (const note of lintAccessToken(read, {
          url: 'https://mcp.example/mcp',
          resource: 'x',
          issuer: 'https://login.example',
          grantedScopes: ['a'],
          receivedAt: 0,
          now: 0,
        }))
          expect(note).not.toMatch(/[\u0000-\u001f\u202e]/);
      for (const [name, value] of Object.entries(read ? displayClaims(read) : {}))
        expect(`${name}${value}`).not.toMatch(/[\u0000-\u001f\u202e]/);
      await fetchUserinfo({
        http,
        allow: ['public'],
        endpoint: 'https://login.example/me',
        accessToken: new Secret('a'),
        sub: 'ada',
      });
      for (const value of Object.values((await introspect(client, new Secret('a'), { http }))?.claims ?? {}))
        expect(value).not.toMatch(/[\u0000-\u001f\u202e]/);
    });
    // None has a valid signature.
    expect([...kinds].toSorted()).toEqual(['unverified', 'wrong']);
  });
});
