import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeDiscovery } from '../../../electron/core/oauth/discovery/describe.ts';
import { type DiscoveryRig, startDiscoveryRig } from '../../fixtures/discovery-rig.ts';

let rig: DiscoveryRig;
beforeEach(async () => {
  rig = await startDiscoveryRig();
});
afterEach(() => rig.close());

describe('the summary of a discovery', () => {
  const url = new URL('https://mcp.linear.app/mcp');
  it('says that an open server needs no sign-in', () => {
    expect(describeDiscovery(url, { kind: 'open', allow: { origin: url.origin, own: 'public' } })).toMatchObject({
      suggestedName: 'linear',
      needsSignIn: false,
      registration: 'not_needed',
    });
  });

  it('says where the sign-in is and how Keybridge registers there', async () => {
    const host = new URL(rig.auth.origin).host;
    expect(describeDiscovery(url, await rig.discoverProtected()).summary).toBe(
      `You sign in at ${host}. Keybridge registers automatically.`,
    );
    rig.setAuthorizationServer({ registration_endpoint: undefined, code_challenge_methods_supported: undefined });
    const described = describeDiscovery(url, await rig.discoverProtected());
    expect(described).toMatchObject({ registration: 'client_id_needed', pkceMissing: true, issuer: rig.auth.origin });
    expect(described.summary).toContain('client ID');
    expect(described.summary).toContain('PKCE');
  });
});
