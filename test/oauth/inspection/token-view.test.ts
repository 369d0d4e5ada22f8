import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { createDetailRig, unsignedAccessToken } from '../../fixtures/detail-rig.ts';
import { startOpenidSite } from '../../fixtures/openid-site.ts';

const { signedIn } = createDetailRig(closeAfterEach());

describe('the detail of a sign-in', () => {
  it('shows the verified identity and notes about the access token, which is used nevertheless', async () => {
    const unusual = unsignedAccessToken({
      iss: 'https://upstream.example',
      aud: 'api://graph',
      exp: 1,
      scope: 'mail.read',
      jti: 'j-1',
    });
    const { detail } = await signedIn(await startOpenidSite({ accessToken: () => unusual }));
    expect(await detail()).toMatchObject({
      status: { state: { kind: 'signed_in' }, identity: 'Ada Lovelace' },
      identityVerified: true,
      idTokenClaims: { sub: 'ada-1', name: 'Ada Lovelace' },
      accessTokenClaims: { aud: 'api://graph', scope: 'mail.read' },
      tokenNotes: [
        expect.stringMatching(/a different audience/),
        expect.stringMatching(/issued by/),
        expect.stringMatching(/has expired/),
        expect.stringMatching(/all granted scopes/),
        expect.stringMatching(/more access/),
      ],
    });
  });

  it('contains no nonce, hash, session ID or token', async () => {
    const site = await startOpenidSite({
      idToken: (issued) => issued.sign({ ...issued.claims, sid: 'session-of-ada', c_hash: 'h' }),
    });
    const { detail } = await signedIn(site);
    const shown = JSON.stringify(await detail());
    for (const secret of [...site.secrets, 'session-of-ada', 'at_hash', 'c_hash']) expect(shown).not.toContain(secret);
  });

  it('says why there is no identity', async () => {
    const { detail } = await signedIn(await startOpenidSite({ metadata: { jwks_uri: undefined } }));
    expect(await detail()).toMatchObject({
      identityVerified: false,
      tokenNotes: [expect.stringMatching(/publishes no keys/)],
    });
    expect((await detail()).status.identity).toBeUndefined();
  });
});
