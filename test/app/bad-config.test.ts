import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createFakeStore } from '../fixtures/fake-store.ts';
import { startFaulty } from '../fixtures/faulty-server.ts';
import { outcomeOf } from '../fixtures/access-tokens-rig.ts';
import { startProduct, type ProductOptions } from '../fixtures/product.ts';
import { startSite } from '../fixtures/site.ts';

// Another program changes the files of the data folder.

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function signedIn(scenario = 'healthy') {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-config-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  const remote = await startFaulty({ scenario });
  closing.push(() => remote.close());
  const store = createFakeStore();
  const open = (more: ProductOptions = {}) => startProduct({ dataDir, store, ...more });
  const first = await open();
  const { id } = await first.call('addServer', { url: remote.url, name: 'work' });
  await first.call('signIn', { server: 'work' });
  await first.close();
  const file = path.join(dataDir, 'servers.json');
  const edit = (from: string, to: string) => writeFileSync(file, readFileSync(file, 'utf8').replaceAll(from, to));
  return { remote, open, id, edit, dataDir, store };
}

describe('an address that was changed in servers.json (CF04)', () => {
  it.each(['healthy', 'token-null-refresh'])(
    'CF04 %s: sends no token to the new address, asks to sign in again, and recovers with the old address',
    async (scenario) => {
      const { remote, open, id, edit } = await signedIn(scenario);
      const evil = await startSite();
      closing.push(() => evil.close());
      const issued = remote.secrets();
      edit(remote.url, `${evil.origin}/mcp`);
      const second = await open();
      expect(() => second.app.connect('work')).toThrow(expect.objectContaining({ code: 'E_CONFIG_CHANGED' }));
      await second.call('acceptServer', { server: 'work' });
      const answer = await second.app.connect('work').accessToken();
      expect(answer).toMatchObject({
        kind: 'refused',
        error: { code: 'E_SIGN_IN_AGAIN', message: expect.stringContaining(remote.url) as string },
      });
      expect(second.app.status.current().servers[0]?.state).toMatchObject({
        kind: 'needs_sign_in',
        error: { code: 'E_SIGN_IN_AGAIN' },
      });
      expect(outcomeOf(await second.app.connect('work').accessToken())).toBe('refused E_SIGN_IN_AGAIN');
      await second.close();
      expect(remote.counts.refreshes).toBe(0);
      for (const secret of issued) expect(JSON.stringify(evil.hits)).not.toContain(secret);

      edit(`${evil.origin}/mcp`, remote.url);
      const third = await open();
      closing.push(() => third.close());
      await third.call('acceptServer', { server: 'work' });
      expect(outcomeOf(await third.app.connect('work').accessToken())).toMatch(/^kb-access-/);
      expect(third.app.status.current().servers[0]).toMatchObject({ id, state: { kind: 'signed_in' } });
    },
  );

  it('CF04 cannot be made valid by a change of the index, because the address is in the keychain too', async () => {
    const { remote, open, edit, dataDir } = await signedIn();
    edit(remote.url, 'https://evil.example/mcp');
    const index = path.join(dataDir, 'credentials.json');
    writeFileSync(index, readFileSync(index, 'utf8').replaceAll(remote.url, 'https://evil.example/mcp'));
    const second = await open();
    closing.push(() => second.close());
    await second.call('acceptServer', { server: 'work' });
    expect(outcomeOf(await second.app.connect('work').accessToken())).toBe('refused E_SIGN_IN_AGAIN');
    expect(remote.counts.refreshes).toBe(0);
  });

  it('CF04 is accepted by a new sign-in at the new address', async () => {
    const { remote, open, edit } = await signedIn();
    const other = await startFaulty({ mark: 'other' });
    closing.push(() => other.close());
    edit(remote.url, other.url);
    const second = await open();
    closing.push(() => second.close());
    await second.call('acceptServer', { server: 'work' });
    await second.call('signIn', { server: 'work' });
    expect(outcomeOf(await second.app.connect('work').accessToken())).toMatch(/^other-access-/);
    const heard = JSON.stringify([other.seen.token, other.seen.register, other.seen.mcp]);
    for (const secret of remote.secrets()) expect(heard).not.toContain(secret);
  });
});
