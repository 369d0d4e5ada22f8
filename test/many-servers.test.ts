import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { silentLog } from '../electron/core/log.ts';
import { systemClock } from '../electron/core/clock.ts';
import { Secret } from '../electron/core/secret.ts';
import { openServers } from '../electron/core/servers/servers.ts';
import { openVault } from '../electron/core/vault/credentials.ts';
import { createFakeStore } from './fixtures/fake-store.ts';
import { firstCredential, said } from './fixtures/keeper.ts';
import { startProduct } from './fixtures/product.ts';

const count = 500;

it(`KC14 ${count} servers: the start takes no more than 2 s and asks the keychain for no secret`, async () => {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-many-'));
  const store = createFakeStore();
  try {
    const [clock, log] = [systemClock(), silentLog];
    const servers = await openServers({ dataDir, clock, log });
    const vault = await openVault({ store, dataDir, installId: servers.installId, clock, log });
    for (let number = 0; number < count; number += 1) {
      const { id } = await servers.add({ name: `server-${number}`, url: `http://127.0.0.1:1/${number}`, signInRequired: true, hasClientSecret: false, allowMissingPkce: false });
      await vault.write({ ...firstCredential(), id, refreshToken: new Secret(`refresh-${number}`), tokenEndpoint: 'http://127.0.0.1:1/token' });
    }
    store.calls.length = 0;

    const begun = performance.now();
    const product = await startProduct({ dataDir, store });
    const status = product.app.status.current();
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(status.servers).toHaveLength(count);
    expect(status.servers.every(({ state }) => state.kind === 'signed_in')).toBe(true);
    expect(store.calls.filter((call) => call.startsWith('get'))).toEqual([]);
    // And the first call of one looks at that one alone.
    expect(said(await product.app.connect('server-7').accessToken({ signal: AbortSignal.timeout(300) }))).toBe('unavailable E_CANCELLED');
    const asked = store.calls.filter((call) => call.startsWith('get'));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((call) => !call.includes(`/${status.servers[7]?.id ?? ''}/`))).toEqual([]);
    await product.close();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}, 60_000);
