import { describe, expect, it } from 'vitest';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { startPeers, startSignInRigFor } from '../../fixtures/oidc-peers.ts';

const closing = closeAfterEach();

describe('a pushed authorization request (RFC 9126)', () => {
  it.each(['offered', 'required'] as const)(
    'keeps the request parameters out of the browser if it is %s (oidc-provider)',
    async (pushedRequests) => {
      const { as, url } = await startPeers(closing, { pushedRequests });
      const rig = await startSignInRigFor(closing);
      const { id } = await rig.add(url);
      await rig.signIns.start(id, { openBrowser: true });
      expect([...(as.seen.authorize[0]?.keys() ?? [])].toSorted()).toEqual(['client_id', 'request_uri']);
      expect(rig.vault.facts(id)).toMatchObject({ resource: url, clientAuth: 'none' });
      expect(as.counts.codeExchangesGranted).toBe(1);
    },
  );

  it('registers again, once, if the server forgot the client', async () => {
    const { as, url } = await startPeers(closing, { pushedRequests: 'required' });
    const rig = await startSignInRigFor(closing);
    const { id } = await rig.add(url);
    await rig.signIns.start(id, { openBrowser: true });
    as.forgetClients();
    await rig.signIns.start(id, { openBrowser: true });
    expect(as.counts).toMatchObject({ registrations: 2, codeExchangesGranted: 2 });
  });
});
