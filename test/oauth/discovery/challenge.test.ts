import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bearerChallenge, parseChallenges } from '../../../electron/core/oauth/discovery/challenge.ts';
import { type DiscoveryRig, challengeRoute, startDiscoveryRig } from '../../fixtures/discovery-rig.ts';
import type { Challenge } from '../../../electron/core/oauth/model.ts';

let rig: DiscoveryRig;
beforeEach(async () => {
  rig = await startDiscoveryRig();
});
afterEach(() => rig.close());

describe('a WWW-Authenticate challenge', () => {
  it.each<[string, string, Challenge | undefined]>([
    ['is empty', '', undefined],
    ['has only Basic', 'Basic realm="x"', undefined],
    ['has only the word Bearer', 'Bearer', {}],
    [
      'has all three parameters',
      'Bearer resource_metadata="https://h/p", scope="a b", error="invalid_token"',
      { resourceMetadata: 'https://h/p', scope: 'a b', error: 'invalid_token' },
    ],
    ['is in mixed case', 'bEaReR SCOPE=a', { scope: 'a' }],
    ['follows Basic', 'Basic realm="x, y", Bearer scope="a"', { scope: 'a' }],
    ['follows Negotiate with a token68', 'Negotiate YIIabc==, Bearer scope="a"', { scope: 'a' }],
    ['precedes Digest', 'Bearer scope="a", Digest realm="x", nonce="scope"', { scope: 'a' }],
    ['follows a scheme without parameters', 'Negotiate, Bearer scope="a"', { scope: 'a' }],
    ['has a URL without quotes', 'Bearer resource_metadata=https://h/p?a=b', { resourceMetadata: 'https://h/p?a=b' }],
    ['has escapes and extra spaces', 'Bearer  realm = "a\\"b" ,  scope  =  "c\\\\d"', { scope: 'c\\d' }],
    [
      'has two Bearer challenges, the second with the metadata',
      'Bearer realm="x", Bearer resource_metadata="https://h/p"',
      { resourceMetadata: 'https://h/p' },
    ],
    ['has only DPoP', 'DPoP scope="a", algs="ES256"', { scope: 'a', dpopOnly: true }],
    ['offers Bearer and DPoP', 'Bearer scope="a", DPoP algs="ES256"', { scope: 'a' }],
    ['repeats a parameter', 'Bearer scope="a", scope="b"', { scope: 'a' }],
    ['has empty list members', ', ,Bearer ,, scope="a",', { scope: 'a' }],
  ])('is parsed if the header %s', (_, header, wanted) => {
    expect(bearerChallenge(header)).toEqual(wanted);
  });

  it.each([
    'Bearer realm="x, resource_metadata=\\"https://evil/\\""',
    'Bearer realm="x resource_metadata=https://evil/ "',
    'Basic realm="Bearer resource_metadata=https://evil/"',
    'Bearer realm="unfinished, resource_metadata=https://evil/',
    'Bearer error_description="a\\", resource_metadata=\\"https://evil/"',
  ])('DM29: ignores a parameter inside a quoted string: %s', (header) => {
    expect(JSON.stringify(bearerChallenge(header) ?? {})).not.toContain('evil');
  });

  it.each([
    '=',
    '"',
    '"""',
    'Bearer =',
    'Bearer ="x"',
    'Bearer scope',
    'Bearer scope=',
    '\u0000\u0001',
    'Bearer "x" scope="a"',
    '🙂',
    'a=b=c',
    '\\',
    '"\\',
  ])('DM29: is parsed without an error from the invalid header %j', (header) => {
    expect(() => parseChallenges(header)).not.toThrow();
  });

  it.each(['"', '"\\', 'a ', 'a=', 'a="', ',', '\\"', 'Bearer x="', 'a/', 'x="y",'])(
    'DM30: is parsed in linear time from a header of repeated %j',
    (part) => {
      // Backtracking would take 10^11 steps for this length: the test would not end.
      const header = part.repeat(Math.ceil(300_000 / part.length));
      expect(() => parseChallenges(header)).not.toThrow();
      expect(() => parseChallenges(`${header}\\`)).not.toThrow();
    },
  );

  it('DM30: leads to a sign-in even if it is 30 KB long', async () => {
    rig.mcp.routes['/mcp'] = challengeRoute(`realm="${'x'.repeat(30_000)}", scope="a"`);
    expect((await rig.discoverProtected()).scopes).toEqual(['a']);
  });
});
