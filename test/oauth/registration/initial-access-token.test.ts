import { describe, expect, it } from 'vitest';
import { Secret } from '../../../electron/core/base/secret.ts';
import { secretKeyOf } from '../../../electron/core/servers/server.ts';
import { closeAfterEach } from '../../fixtures/closing.ts';
import { errorCode, startPeers, startSignInRigFor } from '../../fixtures/oidc-peers.ts';
import type { SignInRig } from '../../fixtures/sign-in-rig.ts';

const closing = closeAfterEach();

describe('an initial access token', () => {
  const token = 'kb-initial-access-token';

  async function withToken(rig: SignInRig, url: string): Promise<string> {
    const server = await rig.add(url);
    const { id } = server;
    await rig.vault.writeClientSecret(secretKeyOf(server, 'initialAccessToken'), new Secret(token));
    await rig.servers.update(id, { storedSecrets: ['initialAccessToken'] });
    return id;
  }

  it('authorizes a registration (oidc-provider), and is not in the list of servers or the log', async () => {
    const { as, url } = await startPeers(closing, { initialAccessToken: token });
    const rig = await startSignInRigFor(closing);
    const bare = await rig.add(url);
    expect(await errorCode(rig.signIns.start(bare.id, { openBrowser: true }))).toBe('E_REGISTRATION_REFUSED');
    const id = await withToken(rig, url);
    await rig.signIns.start(id, { openBrowser: true });
    expect(as.counts).toMatchObject({ registrations: 1, codeExchangesGranted: 1 });
    expect(JSON.stringify([rig.servers.list(), rig.log])).not.toContain(token);
  });

  it('is sent to its first issuer only, even after the server moved to another', async () => {
    const [first, second] = [
      await startPeers(closing, { initialAccessToken: token }),
      await startPeers(closing, { initialAccessToken: token }),
    ];
    const rig = await startSignInRigFor(closing);
    const id = await withToken(rig, first.url);
    await rig.signIns.start(id, { openBrowser: true });
    await rig.servers.update(id, { url: second.url });
    expect(await errorCode(rig.signIns.start(id, { openBrowser: true }))).toBe('E_SECRET_AGAIN');
    expect(second.as.counts.registrations).toBe(0);
  });
});
