import { describe, expect, it } from 'vitest';
import { IdentitySection } from '../../renderer/server/identity-section.tsx';
import { exampleServer } from '../fixtures/renderer-preview/states.ts';
import { markup, now, states, textOf } from '../fixtures/renderer-markup.tsx';
import { exampleDetail } from '../fixtures/renderer-preview/details.ts';

describe('the identity on the page of a server', () => {
  const signedIn = exampleDetail(exampleServer('linear', states.signed_in, { identity: 'ada@example.com' }), now);
  const said = (change: object) => textOf(markup(<IdentitySection detail={{ ...signedIn, ...change }} />));

  it('counts as verified only if an ID token was verified', () => {
    expect(said({})).toContain('Keybridge verified the signature');
    expect(said({ identityVerified: false })).toContain('is not verified');
  });

  it('comes with notes about the tokens', () => {
    expect(said({ tokenNotes: ['The access token has no expiry time of its own.'] })).toMatch(
      /Notes ?The access token has no expiry time of its own\./,
    );
    expect(said({ tokenNotes: [] })).not.toContain('Notes');
  });

  it('includes the introspection response for an opaque token', () => {
    const sealed = { accessTokenClaims: undefined, idTokenClaims: undefined, tokenNotes: [] };
    expect(said(sealed)).toContain('Keybridge cannot read these tokens');
    const text = said({
      ...sealed,
      introspection: { active: true, claims: { username: 'ada', scope: 'issues:read' } },
    });
    for (const words of [
      'Access token as seen by the authorization server Active',
      'username',
      'ada',
      'scopes',
      'issues:read',
    ])
      expect(text).toContain(words);
    expect(said({ ...sealed, introspection: { active: false, claims: {} } })).toContain('Not active');
  });
});
