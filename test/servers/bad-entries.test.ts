import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../electron/core/base/log.ts';
import { openServers } from '../../electron/core/servers/servers.ts';
import { statusText } from '../../electron/command-line/status-table.ts';
import { trayModel } from '../../electron/desktop/tray/tray-model.ts';
import type { ErrorInfo } from '../../shared/reply.ts';
import { overallText } from '../../shared/state-text.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import { createFakeStore } from '../fixtures/fake-store.ts';
import { startProduct } from '../fixtures/product.ts';

// A bad entry of servers.json does not affect the other servers.

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

type Entry = Record<string, unknown>;
interface File {
  servers: Entry[];
  [member: string]: unknown;
}

async function folder(...names: string[]) {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-entries-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  const file = path.join(dataDir, 'servers.json');
  const read = async (name = file): Promise<File> => JSON.parse(await readFile(name, 'utf8')) as File;
  const open = () => openServers({ dataDir, clock: createFakeClock(), log: silentLog, macs: undefined });
  const servers = await open();
  for (const name of names)
    await servers.add({
      name,
      url: `https://${name}.example/mcp`,
      signInRequired: false,
      hasClientSecret: false,
      allowMissingPkce: false,
    });
  return {
    dataDir,
    open,
    read,
    backup: () => read(`${file}.bak`),
    edit: async (change: (entries: Entry[], content: File) => unknown) => {
      const content = await read();
      change(content.servers, content);
      await writeFile(file, JSON.stringify(content));
    },
  };
}

const accountsIn = (entry: Entry = {}): Entry[] => entry['accounts'] as Entry[];
const named = (servers: readonly { readonly name: string }[]) => servers.map(({ name }) => name);

describe('an unknown member of an entry', () => {
  it('does not make the entry invalid, and is kept in the list and in its backup', async () => {
    const { open, edit, read, dataDir } = await folder('a', 'b');
    await edit(([, b]) => Object.assign(b ?? {}, { settings: { scopes: 'minimal', novelty: { of: 'tomorrow' } } }));
    const servers = await open();
    expect(named(servers.list())).toEqual(['a', 'b']);
    expect([servers.notice, servers.setAside]).toEqual([undefined, []]);
    expect(servers.find('b')?.settings).toEqual({ scopes: 'minimal' });
    expect((await read()).servers[1]?.['settings']).toEqual({ scopes: 'minimal', novelty: { of: 'tomorrow' } });
    expect((await readdir(dataDir)).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  it('is kept at every depth when Keybridge changes the entry', async () => {
    const { open, edit, read, backup } = await folder('a');
    const enterprise = { issuer: 'https://idp.example', clientId: 'us', novelty: 1 };
    await edit(([a], content) => {
      content['novelty'] = 'of the file';
      Object.assign(a ?? {}, {
        novelty: ['of the server'],
        settings: { enterprise, resource: { value: 'api://x', novelty: 2 } },
      });
      Object.assign(accountsIn(a)[0] ?? {}, { novelty: 'of the account' });
    });
    const servers = await open();
    const { id, settings } = servers.list()[0] ?? { id: '' };
    await servers.update(id, {
      name: 'renamed',
      settings: { ...settings, enterprise: { issuer: 'https://other.example', clientId: 'us' } },
    });
    await servers.addAccount(id);
    for (const content of [await read(), await backup()]) {
      expect(content).toMatchObject({
        novelty: 'of the file',
        servers: [{ name: 'renamed', novelty: ['of the server'] }],
      });
      expect(content.servers[0]?.['settings']).toEqual({
        enterprise: { ...enterprise, issuer: 'https://other.example' },
        resource: { value: 'api://x', novelty: 2 },
      });
      expect(accountsIn(content.servers[0]).map((account) => account['novelty'])).toEqual([
        'of the account',
        undefined,
      ]);
    }
  });
});

const damages: readonly (readonly [string, (entry: Entry) => unknown, RegExp])[] = [
  [
    'an address that would send tokens in the clear',
    (b) => (b['url'] = 'http://b.example/mcp'),
    /its url is not the address of a server/,
  ],
  ['no address', (b) => delete b['url'], /its url is not valid/],
  ['an unknown value of a setting', (b) => (b['settings'] = { grant: 'magic' }), /its settings\.grant is not valid/],
  ['the name of another server', (b) => (b['name'] = 'a'), /a has the same name or id/],
  ['no accounts', (b) => (b['accounts'] = []), /its accounts is not valid/],
];

describe('a bad entry', () => {
  it.each(damages)(
    'is set aside alone, with its name and the reason, and kept in the file unchanged: %s',
    async (_what, damage, reason) => {
      const { open, edit, read, backup } = await folder('a', 'b', 'c');
      let bad: Entry = {};
      const good = (await read()).servers[1];
      await edit(([, b]) => {
        damage(b ?? {});
        bad = structuredClone(b ?? {});
      });
      const servers = await open();
      expect(named(servers.list())).toEqual(['a', 'c']);
      expect(servers.setAside).toMatchObject([
        {
          why: 'bad',
          name: bad['name'],
          error: { code: 'E_CONFIG_ENTRY', message: expect.stringMatching(reason) as string },
        },
      ]);
      await servers.update(servers.find('a')?.id ?? '', { signInRequired: true });
      expect((await read()).servers[1]).toEqual(bad);
      // The backup still has the valid version.
      expect((await backup()).servers[1]).toEqual(good);
    },
  );

  it('is identified by its position in the list if it is not an object', async () => {
    const { open, edit, read } = await folder('a');
    await edit((entries) => entries.push('b' as unknown as Entry, null as unknown as Entry));
    const servers = await open();
    expect(servers.setAside.map(({ key, name }) => [key, name])).toEqual([
      ['entry-2', 'entry-2'],
      ['entry-3', 'entry-3'],
    ]);
    await servers.drop('entry-2');
    expect((await read()).servers.slice(1)).toEqual([null]);
    expect(named(servers.list())).toEqual(['a']);
  });

  it('keeps its name, which a new server cannot take', async () => {
    const { open, edit } = await folder('a');
    await edit(([a]) => delete a?.['url']);
    const servers = await open();
    await expect(
      servers.add({
        name: 'a',
        url: 'https://x.example/',
        signInRequired: false,
        hasClientSecret: false,
        allowMissingPkce: false,
      }),
    ).rejects.toMatchObject({ code: 'E_SERVER_EXISTS' });
  });
});

describe('the backup servers.json.bak', () => {
  it('keeps a server that disappeared from the list until a user removes one', async () => {
    const { open, edit, backup } = await folder('a', 'b', 'c');
    await edit((entries) => entries.splice(1));
    const servers = await open();
    await servers.update(servers.find('a')?.id ?? '', { signInRequired: true });
    expect(named((await backup()).servers as { name: string }[]).sort()).toEqual(['a', 'b', 'c']);
    await servers.remove(servers.find('a')?.id ?? '');
    expect(named((await backup()).servers as { name: string }[])).toEqual(['b', 'c']);
  });

  it('is kept, like the list, if both are damaged', async () => {
    const { dataDir, open } = await folder('a');
    for (const name of ['servers.json', 'servers.json.bak']) await writeFile(path.join(dataDir, name), '{"servers": [');
    await open();
    expect((await readdir(dataDir)).filter((name) => name.includes('damaged'))).toHaveLength(2);
  });
});

describe('a server that is set aside', () => {
  it('is shown with the reason in status, window, tray and command line, and can be removed', async () => {
    const { dataDir, edit } = await folder('a', 'b');
    await edit(([, b]) => Object.assign(b ?? {}, { settings: { grant: 'magic' } }));
    const product = await startProduct({ dataDir, store: createFakeStore() });
    closing.push(() => product.close());
    const status = product.app.status.current();
    expect(status.setAside).toMatchObject([{ name: 'b', why: 'bad', error: { code: 'E_CONFIG_ENTRY' } }]);
    expect(overallText(status)).toBe('1 of 2 servers needs attention');
    expect(statusText(status, 0)).toContain(
      'Keybridge does not use b: its entry in servers.json is not valid (its settings.grant is not valid).',
    );
    expect(trayModel(status, 0)).toMatchObject({
      icon: 'attention',
      tooltip: 'Keybridge: 1 of 2 servers needs attention',
    });
    expect(JSON.stringify(trayModel(status, 0).items)).toContain('b: Invalid entry');
    expect(() => product.app.connect('b')).toThrow(expect.objectContaining({ code: 'E_CONFIG_ENTRY' }));
    const refused = (await product.call('acceptServer', { server: 'b' }).then(
      () => undefined,
      (error: unknown) => (error as Error).cause,
    )) as ErrorInfo;
    expect(refused.code).toBe('E_CONFIG_ENTRY');
    await product.call('removeServer', { server: 'b' });
    expect(product.app.status.current().setAside).toBeUndefined();
  });
});
