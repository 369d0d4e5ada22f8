import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../electron/core/base/log.ts';
import { Secret } from '../../../electron/core/base/secret.ts';
import { openVault } from '../../../electron/core/vault/credentials.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { createFakeStore, locked } from '../../fixtures/fake-store.ts';
import { startFaulty } from '../../fixtures/faulty-server.ts';
import {
  createAccessTokensRig,
  credentialId as id,
  firstCredential,
  outcomeOf,
  withFolder,
  type AccessTokensRig,
} from '../../fixtures/access-tokens-rig.ts';
import { rotating } from '../../fixtures/scripted-http.ts';
import { startSignInRig } from '../../fixtures/sign-in-rig.ts';

const day = 24 * 60 * 60 * 1000;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

describe('a refresh token whose expiry the server states (RF26)', () => {
  let rig: AccessTokensRig;
  beforeEach(async () => {
    rig = await createAccessTokensRig();
    await rig.signIn();
  });

  /** Refreshes once, with these additional members in the response. */
  async function refreshWith(members: Record<string, unknown>): Promise<void> {
    rig.http.answer = rotating(members);
    expect(outcomeOf(await rig.tokens.refreshNow(id))).toMatch(/^access-/);
  }

  it.each(['refresh_token_expires_in', 'refresh_expires_in'])(
    'RF26 with %s is shown as ending in the last day only',
    async (member) => {
      await refreshWith({ [member]: 7 * 24 * 60 * 60 });
      const endsAt = rig.clock.now() + 7 * day;
      await rig.clock.advance(6 * day - 1);
      expect(rig.tokens.state(id)).not.toHaveProperty('endsAt');
      await rig.clock.advance(1);
      expect(rig.tokens.state(id)).toMatchObject({ kind: 'usable', endsAt });
      const next = await rig.restart();
      expect(next.tokens.state(id)).toMatchObject({ kind: 'usable', endsAt });
    },
  );

  it('RF26 is no longer shown as ending after a refresh with a later or without a stated expiry', async () => {
    for (const members of [{ refresh_token_expires_in: 30 * 24 * 60 * 60 }, {}]) {
      await refreshWith({ refresh_token_expires_in: 2 * 24 * 60 * 60 });
      await rig.clock.advance(1.5 * day);
      expect(rig.tokens.state(id)).toHaveProperty('endsAt');
      await refreshWith(members);
      expect(rig.tokens.state(id)).not.toHaveProperty('endsAt');
    }
  });

  it('RF26 keeps its expiry when it is not rotated', async () => {
    await refreshWith({ refresh_token_expires_in: 2 * 24 * 60 * 60 });
    const endsAt = rig.clock.now() + 2 * day;
    await rig.clock.advance(1.5 * day);
    await refreshWith({ refresh_token: undefined });
    expect(rig.tokens.state(id)).toMatchObject({ endsAt });
  });

  it.each([0, -1, 1_800, 24 * 60 * 60, null, 'soon', 1e308])(
    'RF26 is not shown as ending for a lifetime of %j, which is invalid or only an idle time-out',
    async (life) => {
      await refreshWith({ refresh_token_expires_in: life });
      await rig.clock.advance(0.9 * day);
      expect(rig.tokens.state(id)).not.toHaveProperty('endsAt');
    },
  );

  it('RF26 is no longer shown as ending after a new sign-in', async () => {
    await refreshWith({ refresh_token_expires_in: 2 * 24 * 60 * 60 });
    await rig.clock.advance(1.5 * day);
    await rig.tokens.adopt(firstCredential(), new Secret('access-9'), 100_000);
    expect(rig.tokens.state(id)).not.toHaveProperty('endsAt');
  });

  it('RF26 has a known expiry after a restart, without keychain access', async () => {
    await withFolder(async (dataDir) => {
      const store = createFakeStore();
      const open = () => openVault({ store, dataDir, installId: 'install01', clock: rig.clock, log: silentLog });
      await (await open()).write({ ...firstCredential(), endsAt: 7 });
      const again = await open();
      store.fault = () => locked;
      expect(again.facts(id)?.endsAt).toBe(7);
      store.fault = undefined;
      const read = await again.read(id);
      expect(read.kind === 'found' && read.credential.endsAt).toBe(7);
    });
  });

  it('RF26 has a known expiry from the sign-in on (token-refresh-expires)', async () => {
    const clock = createFakeClock(Date.now());
    const login = await startSignInRig({ clock });
    closing.push(() => login.close());
    const remote = await startFaulty({ scenario: 'token-refresh-expires', expiresIn: 3 * 24 * 60 * 60 });
    closing.push(() => remote.close());
    const server = await login.add(remote.url);
    await login.signIns.start(server.id, { openBrowser: true });
    expect(login.vault.facts(server.id)?.endsAt).toBe(clock.now() + 3 * day);
    expect(login.tokens.state(server.id)).not.toHaveProperty('endsAt');
    clock.jump(2.5 * day);
    expect(login.tokens.state(server.id)).toMatchObject({ kind: 'usable', endsAt: clock.now() + 0.5 * day });
  });
});
