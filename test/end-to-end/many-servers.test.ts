import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createFakeStore } from '../fixtures/fake-store.ts';
import { startFaulty } from '../fixtures/faulty-server.ts';
import { startProduct } from '../fixtures/product.ts';

const count = 500;

it(`KC14 starts with ${count} servers without reading a secret of any of them`, async () => {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-many-'));
  const remote = await startFaulty();
  const store = createFakeStore();
  try {
    const first = await startProduct({ dataDir, store });
    const one = await first.call('addServer', { url: remote.url, name: 'work' });
    await first.call('signIn', { server: 'work' });
    await first.close();
    multiply(dataDir, one.id.split(':')[0] ?? '');
    // Without its key the list looks like one of an older version, and the first start signs it.
    for (const item of store.items.keys()) if (item.endsWith('/list-key')) store.items.delete(item);
    await startProduct({ dataDir, store }).then((older) => older.close());
    store.calls.length = 0;

    const product = await startProduct({ dataDir, store });
    const { servers } = product.app.status.current();
    expect(servers).toHaveLength(count);
    expect(servers.filter(({ state }) => state.kind !== 'signed_in')).toEqual([]);
    // It reads the key of the list, and nothing of any server.
    const reads = () => store.calls.filter((call) => call.startsWith('get') && !call.endsWith('/list-key'));
    expect(reads()).toEqual([]);
    // The first call of one server reads the secrets of that server only.
    await product.app.connect('work-7').accessToken();
    expect(reads().length).toBeGreaterThan(0);
    expect(reads().filter((call) => !call.includes('/server0007:'))).toEqual([]);
    await product.close();
  } finally {
    await remote.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}, 60_000);

/** Copies the only server many times, in the list and in the index. */
function multiply(dataDir: string, id: string): void {
  const anew = (text: string, number: number) => text.replaceAll(id, `server${String(number).padStart(4, '0')}`);
  const numbers = Array.from({ length: count }, (_, number) => number);
  const list = path.join(dataDir, 'servers.json');
  const { servers, ...rest } = JSON.parse(readFileSync(list, 'utf8')) as { servers: [object] };
  const many = numbers.map((number) => ({
    ...(JSON.parse(anew(JSON.stringify(servers[0]), number)) as object),
    name: `work-${number}`,
  }));
  writeFileSync(list, JSON.stringify({ ...rest, servers: many }));

  const index = path.join(dataDir, 'credentials.json');
  const { credentials, facts, ...others } = JSON.parse(readFileSync(index, 'utf8')) as {
    credentials: object;
    facts: object;
  };
  const each = (part: object): object =>
    Object.assign({}, ...numbers.map((number) => JSON.parse(anew(JSON.stringify(part), number)) as object)) as object;
  writeFileSync(index, JSON.stringify({ ...others, credentials: each(credentials), facts: each(facts) }));
}
