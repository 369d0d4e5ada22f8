import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { closeAfterEach } from '../fixtures/closing.ts';
import { createFakeStore } from '../fixtures/fake-store.ts';
import { startOpenidSite } from '../fixtures/openid-site.ts';
import { startProduct } from '../fixtures/product.ts';

const closing = closeAfterEach();

it('does not call a name verified when the index has a note about it that this version does not know', async () => {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-notes-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  const site = await startOpenidSite();
  closing.push(() => site.close());
  const store = createFakeStore();
  const first = await startProduct({ dataDir, store });
  await first.call('addServer', { url: site.mcpUrl, name: 'tools', settings: { identity: true } });
  await first.call('signIn', { server: 'tools' });
  expect(await first.call('serverDetail', { server: 'tools' })).toMatchObject({ identityVerified: true });
  await first.close();

  const file = path.join(dataDir, 'credentials.json');
  const index = JSON.parse(await readFile(file, 'utf8')) as { facts: Record<string, object> };
  const [[id, facts] = ['', {}]] = Object.entries(index.facts);
  index.facts[id] = { ...facts, identityNotes: ['a note of another version'] };
  await writeFile(file, JSON.stringify(index));

  const again = await startProduct({ dataDir, store });
  closing.push(() => again.close());
  expect(await again.call('serverDetail', { server: 'tools' })).toMatchObject({
    identityVerified: false,
    tokenNotes: [expect.stringContaining('different version of Keybridge')],
  });
});
