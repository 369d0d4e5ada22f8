import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { startIdentityRig, withClaims } from '../../fixtures/identity-rig.ts';
import type { OpenidOptions, OpenidSite } from '../../fixtures/openid-site.ts';

const closing = closeAfterEach();

describe('the userinfo endpoint', () => {
  const nameless = withClaims({ name: undefined, email: undefined });
  const withUserinfo = async (route: OpenidSite['routes'][string], options: OpenidOptions = {}) => {
    const rig = await startIdentityRig(closing, { idToken: nameless, ...options });
    rig.site.routes['/.well-known/oauth-authorization-server'] = {
      ...(rig.site.routes['/.well-known/oauth-authorization-server'] as object),
      userinfo_endpoint: `${rig.site.issuer}/userinfo`,
    };
    rig.site.routes['/userinfo'] = route;
    await rig.start();
    return rig;
  };

  it('is requested with the access token if the ID token contains no name', async () => {
    const { site, facts } = await withUserinfo({ sub: 'ada-1', preferred_username: 'ada', email: 'ada@example.test' });
    expect(facts()).toMatchObject({
      account: 'ada',
      subject: { sub: 'ada-1' },
      idTokenClaims: { email: 'ada@example.test', aud: 'client-1' },
    });
    expect(site.hitsAt('/userinfo').map(({ method, headers }) => [method, headers.authorization])).toEqual([
      ['GET', expect.stringMatching(/^Bearer kb-access-/)],
    ]);
  });

  it('is not requested if the ID token has a name or is not verified, or if openid was not granted', async () => {
    const userinfo = { sub: 'ada-1', name: 'Ada' };
    for (const options of [
      { idToken: withClaims({}) },
      { idToken: withClaims({ name: undefined, email: undefined, exp: 1 }) },
      { answer: { scope: 'mcp:tools' } },
    ]) {
      const { site } = await withUserinfo(userinfo, options);
      expect(site.hitsAt('/userinfo')).toEqual([]);
    }
  });

  it('is ignored if it is about another person, with a note', async () => {
    const { facts } = await withUserinfo({ sub: 'mallory', name: 'Mallory' });
    expect(facts()).toMatchObject({ account: 'ada-1', identityNotes: ['userinfo'] });
    expect(JSON.stringify(facts())).not.toContain('Mallory');
  });

  it.each<[string, OpenidSite['routes'][string]]>([
    [
      'rejects the token, which is for the MCP server',
      (_request, response) => response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end(),
    ],
    ['sends a web page', (_request, response) => response.end('<html>')],
    ['redirects elsewhere', (_request, response) => response.writeHead(307, { location: 'http://127.0.0.3:1/' }).end()],
    ['sends too much', { sub: 'ada-1', name: 'x'.repeat(70_000) }],
    ['sends a list', [] as object],
  ])('does not fail the sign-in if it %s', async (_what, route) => {
    const { facts } = await withUserinfo(route);
    expect(facts()).toMatchObject({ account: 'ada-1', renewable: true });
    expect(facts()?.identityNotes).toBeUndefined();
  });
});
