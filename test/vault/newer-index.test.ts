import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { stateLabel } from '../../shared/state-text.ts';
import { createFakeStore } from '../fixtures/fake-store.ts';
import { startFaulty } from '../fixtures/faulty-server.ts';
import { outcomeOf } from '../fixtures/access-tokens-rig.ts';
import { startProduct } from '../fixtures/product.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

it('only reads the credentials.json of a newer Keybridge: no sign-in is used, stored, ended or lost', async () => {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-newer-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  const remote = await startFaulty();
  closing.push(() => remote.close());
  const store = createFakeStore();
  const first = await startProduct({ dataDir, store });
  await first.call('addServer', { url: remote.url, name: 'work' });
  await first.call('signIn', { server: 'work' });
  await first.close();
  const file = path.join(dataDir, 'credentials.json');
  const old = await readFile(file, 'utf8');
  const newer = JSON.stringify({ ...(JSON.parse(old) as object), version: 2, novelty: [1] });
  await writeFile(file, newer);
  const before = { items: new Map(store.items), counts: { ...remote.counts } };

  const product = await startProduct({ dataDir, store });
  expect(product.app.status.current().notice).toMatchObject({ code: 'E_CONFIG_NEWER' });
  expect(outcomeOf(await product.app.connect('work').accessToken())).toContain('E_CONFIG_NEWER');
  const state = product.app.status.current().servers[0]?.state;
  expect(state).toMatchObject({ kind: 'store_blocked', error: { code: 'E_CONFIG_NEWER' } });
  expect(state && stateLabel(state)).toBe('Data from a newer version');
  await expect(product.call('signIn', { server: 'work' })).rejects.toThrow('E_CONFIG_NEWER');
  await expect(product.call('signOut', { server: 'work' })).rejects.toThrow('E_CONFIG_NEWER');
  await expect(product.call('removeServer', { server: 'work' })).rejects.toThrow('E_CONFIG_NEWER');
  expect(product.browser.openings).toBe(0);
  await product.close();
  expect([await readFile(file, 'utf8'), store.items, { ...remote.counts }]).toEqual([
    newer,
    before.items,
    before.counts,
  ]);

  await writeFile(file, old);
  const again = await startProduct({ dataDir, store });
  closing.push(() => again.close());
  expect(outcomeOf(await again.app.connect('work').accessToken())).toMatch(/^kb-access-/);
});
