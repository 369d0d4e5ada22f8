import { describe, expect, it } from 'vitest';
import { lintAccessToken, type TokenContext } from '../../../electron/core/oauth/inspection/token-lint.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const hour = 3_600_000;
const seconds = (ms: number) => Math.floor(ms / 1000);
const context: TokenContext = {
  url: 'https://mcp.example/mcp',
  resource: 'https://mcp.example/mcp',
  issuer: 'https://as.example',
  grantedScopes: ['read', 'write'],
  receivedAt: now,
  expiresAt: now + hour,
  now,
};
const good = {
  iss: 'https://as.example',
  aud: 'https://mcp.example/mcp',
  exp: seconds(now + hour),
  scope: 'read write',
};
const odd = (change: object, more: Partial<TokenContext> = {}) =>
  lintAccessToken({ ...good, ...change }, { ...context, ...more });
describe('the check of a JWT access token', () => {
  it('has no notes for a valid token', () => expect(odd({})).toEqual([]));

  it.each<[string, object, Partial<TokenContext>]>([
    ['an audience among several', { aud: ['https://other.example', 'https://mcp.example/mcp'] }, {}],
    ['the origin of the server', { aud: 'https://mcp.example/' }, {}],
    ['the resource that the settings name', { aud: 'api://tools' }, { resource: 'api://tools' }],
    ['scopes as a list', { scope: undefined, scp: ['write', 'read'] }, {}],
    [
      'the short names of Entra ID',
      { scope: undefined, scp: 'read write' },
      { grantedScopes: ['api://tools/read', 'api://tools/write', 'offline_access', 'openid'] },
    ],
    ['no scopes at all', { scope: undefined }, {}],
    ['no issuer', { iss: undefined }, {}],
    ['an expiry slightly later than announced', { exp: seconds(now + hour + 5 * 60_000) }, {}],
    [
      'an expiry that was not announced',
      { exp: seconds(now + 1000 * hour) },
      { expiresAt: undefined as unknown as number },
    ],
    ['a clock that is 59 s off', { exp: seconds(now - 59_000) }, {}],
  ])('has no note for %s', (_what, change, more) => expect(odd(change, more)).toEqual([]));

  it.each<[string, object, RegExp]>([
    ['another audience (TR15)', { aud: 'https://graph.example' }, /a different audience: https:\/\/graph\.example\.$/],
    ['a part of the path as audience', { aud: 'https://mcp.example/mc' }, /a different audience/],
    ['no audience', { aud: undefined }, /does not say which server/],
    [
      'another issuer',
      { iss: 'https://sts.example/' },
      /issued by https:\/\/sts\.example\/, but you signed in at https:\/\/as\.example\.$/,
    ],
    ['an expiry that has passed', { exp: seconds(now - 61_000) }, /has expired/],
    ['no expiry', { exp: undefined }, /no expiry time/],
    ['an expiry that is not a number', { exp: 'tomorrow' }, /no expiry time/],
    ['an expiry much later than announced', { exp: seconds(now + 24 * hour) }, /much longer/],
    ['less access than was granted', { scope: 'read' }, /all granted scopes\. Missing: write\.$/],
    ['more access than was granted', { scope: 'read write admin' }, /more access than was granted: admin\.$/],
  ])('has a note for %s', (_what, change, words) => expect(odd(change)).toEqual([expect.stringMatching(words)]));

  it('shows text of the token on one line of limited length', () => {
    const [note] = odd({ aud: `evil\u202e\n${'x'.repeat(500)}` });
    expect(note).toMatch(/^[^\n\u202e]+…\.$/);
    expect(note?.length).toBeLessThan(200);
  });
});
