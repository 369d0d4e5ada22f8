import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AppError } from '../../electron/core/base/errors.ts';
import { silentLog } from '../../electron/core/base/log.ts';
import { StoredServer } from '../../electron/core/servers/server.ts';
import { openServers, type Servers } from '../../electron/core/servers/servers.ts';
import { bundle } from '../fixtures/bundle.ts';
import { createFakeClock } from '../fixtures/clock.ts';

let dataDir: string;
const at = (name: string) => path.join(dataDir, name);
const open = (): Promise<Servers> =>
  openServers({ dataDir, clock: createFakeClock(), log: silentLog, macs: undefined });
const example = (name: string, url = `https://${name}.example/mcp`) => ({
  name,
  url,
  signInRequired: false,
  hasClientSecret: false,
  allowMissingPkce: false,
});
const ServersFile = z.object({ version: z.literal(1), installId: z.string(), servers: z.array(StoredServer) });
const onDisk = async () => ServersFile.parse(JSON.parse(await readFile(at('servers.json'), 'utf8')));
const codeOf = (error: unknown) => (error instanceof AppError ? error.code : error);
const refused = (promise: Promise<unknown>) => promise.then(() => 'nothing', codeOf);

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-servers-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('the list of servers', () => {
  it('keeps added, changed and removed servers across a restart', async () => {
    const first = await open();
    const a = await first.add(example('a'));
    const b = await first.add({ ...example('b'), clientId: 'mine' });
    await first.update(a.id, { signInRequired: true, name: 'renamed' });
    await first.remove(b.id);

    const second = await open();
    expect(second.list()).toEqual(first.list());
    expect(second.find('renamed')).toMatchObject({ id: a.id, signInRequired: true });
    expect(second.find(a.id)?.name).toBe('renamed');
    expect(second.find('b')).toBeUndefined();
    expect(second.installId).toBe(first.installId);
    expect(second.notice).toBeUndefined();
  });

  it('removes a member that is set to undefined', async () => {
    const servers = await open();
    const { id } = await servers.add({ ...example('a'), clientId: 'mine' });
    await servers.update(id, { clientId: undefined });
    expect((await open()).find('a')?.clientId).toBeUndefined();
  });

  it('is on disk, readable by this user only, before the promise resolves', async () => {
    const servers = await open();
    await servers.add(example('a'));
    expect((await onDisk()).servers.map(({ name }) => name)).toEqual(['a']);
    expect((await stat(at('servers.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(at('servers.json.bak'))).mode & 0o777).toBe(0o600);
  });

  it('applies concurrent changes one after the other, and loses none', async () => {
    const servers = await open();
    await Promise.all(Array.from({ length: 25 }, (_, n) => servers.add(example(`s${n}`))));
    expect((await onDisk()).servers).toHaveLength(25);
    const ids = servers.list().map(({ id }) => id);
    expect(new Set(ids).size).toBe(25);
  });

  it('refuses a second server with the same name, even if both are added concurrently', async () => {
    const servers = await open();
    const both = await Promise.all([refused(servers.add(example('same'))), refused(servers.add(example('same')))]);
    expect(new Set(both)).toEqual(new Set(['E_SERVER_EXISTS', 'nothing']));
    const other = await servers.add(example('other'));
    expect(await refused(servers.update(other.id, { name: 'same' }))).toBe('E_SERVER_EXISTS');
    expect(servers.list()).toHaveLength(2);
  });

  it('does not find a removed server', async () => {
    const servers = await open();
    expect(await refused(servers.remove('0000000000000000'))).toBe('E_SERVER_UNKNOWN');
    expect(await refused(servers.update('0000000000000000', { name: 'x' }))).toBe('E_SERVER_UNKNOWN');
  });

  it.each([
    ['http://example.com/mcp', 'E_INSECURE_URL'],
    ['https://ada:secret@example.com/mcp', 'E_SERVER_URL'],
    ['ftp://example.com/', 'E_SERVER_URL'],
    ['nonsense', 'E_SERVER_URL'],
  ])('CF10: refuses %s', async (url, code) => {
    const servers = await open();
    expect(await refused(servers.add(example('a', url)))).toBe(code);
    expect(await readFile(at('servers.json'), 'utf8')).not.toContain('example.com');
  });

  it('allows http to this computer, and removes a fragment', async () => {
    const servers = await open();
    expect((await servers.add(example('a', 'http://127.0.0.1:8080/mcp#part'))).url).toBe('http://127.0.0.1:8080/mcp');
  });
});

describe('a list that changed on disk', () => {
  const damages: [string, (text: string) => string][] = [
    ['truncated', (text) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['not JSON', () => 'server = "a"'],
    ['of another shape', () => '{"version":1,"servers":{}}'],
  ];

  it.each(damages)('CF01: is replaced by the last good copy, kept and reported if it is %s', async (_name, damage) => {
    const before = await open();
    await before.add(example('a'));
    await before.add(example('b'));
    const broken = damage(await readFile(at('servers.json'), 'utf8'));
    await writeFile(at('servers.json'), broken);

    const after = await open();
    expect(after.list()).toEqual(before.list());
    expect(after.installId).toBe(before.installId);
    expect(after.notice?.code).toBe('E_CONFIG_DAMAGED');
    const kept = (await readdir(dataDir)).filter((name) => name.startsWith('servers.json.damaged-'));
    expect(kept).toHaveLength(1);
    expect(after.notice?.message).toContain(kept[0]);
    expect(await readFile(at(kept[0] ?? ''), 'utf8')).toBe(broken);
    expect((await open()).notice).toBeUndefined();
  });

  it('CF01: starts empty if both copies are damaged, but keeps its install id for the stored secrets', async () => {
    const before = await open();
    await before.add(example('a'));
    const text = await readFile(at('servers.json'), 'utf8');
    await writeFile(at('servers.json'), text.slice(0, -10));
    await writeFile(at('servers.json.bak'), '');

    const after = await open();
    expect(after.list()).toEqual([]);
    expect(after.notice?.code).toBe('E_CONFIG_DAMAGED');
    expect(after.installId).toBe(before.installId);
  });

  it('is restored from its backup if it was deleted', async () => {
    const before = await open();
    await before.add(example('a'));
    await rm(at('servers.json'));
    const after = await open();
    expect(after.list()).toEqual(before.list());
    expect(after.notice?.code).toBe('E_CONFIG_DAMAGED');
  });

  it('CF09: is shown but never written if it is from a newer version', async () => {
    const before = await open();
    await before.add(example('a'));
    const newer = JSON.stringify({
      ...JSON.parse(await readFile(at('servers.json'), 'utf8')),
      version: 2,
      novelty: [1],
    });
    await writeFile(at('servers.json'), newer);

    const after = await open();
    expect(after.notice?.code).toBe('E_CONFIG_NEWER');
    expect(after.list().map(({ name }) => name)).toEqual(['a']);
    expect(await refused(after.add(example('b')))).toBe('E_CONFIG_NEWER');
    expect(await refused(after.remove(after.list()[0]?.id ?? ''))).toBe('E_CONFIG_NEWER');
    expect(await readFile(at('servers.json'), 'utf8')).toBe(newer);
  });

  it('CF03: is refused with the command that repairs it if others can write it', async () => {
    await open();
    await chmod(at('servers.json'), 0o622);
    await expect(open()).rejects.toMatchObject({
      code: 'E_CONFIG_UNSAFE',
      message: expect.stringContaining(`chmod 600 "${at('servers.json')}"`),
    });
    await chmod(at('servers.json'), 0o600);
    await expect(open()).resolves.toBeDefined();
  });

  it('CF03: is refused if it is a link, whose target is not touched', async () => {
    await open();
    await rename(at('servers.json'), at('elsewhere'));
    await symlink(at('elsewhere'), at('servers.json'));
    await expect(open()).rejects.toMatchObject({ code: 'E_CONFIG_UNSAFE' });
    expect((await stat(at('elsewhere'))).size).toBeGreaterThan(0);
  });

  it.runIf(process.getuid?.() === 0)('CF03: is refused if it belongs to another user (needs root)', async () => {
    await open();
    const { chown } = await import('node:fs/promises');
    await chown(at('servers.json'), 65_534, 65_534);
    await expect(open()).rejects.toMatchObject({ code: 'E_CONFIG_UNSAFE' });
  });

  it('CF12: is unchanged on disk and in memory after a failed write, and the next write works', async () => {
    const servers = await open();
    await servers.add(example('a'));
    const before = await readFile(at('servers.json'), 'utf8');
    // A folder that is gone is a write error for every user, root too.
    await rename(dataDir, `${dataDir}-away`);
    expect(await refused(servers.add(example('b')))).toBe('E_CONFIG_WRITE');
    expect(servers.list().map(({ name }) => name)).toEqual(['a']);
    await rename(`${dataDir}-away`, dataDir);
    expect(await readFile(at('servers.json'), 'utf8')).toBe(before);
    await servers.add(example('c'));
    expect((await onDisk()).servers.map(({ name }) => name)).toEqual(['a', 'c']);
  });

  it('CF02: is complete, without temporary files, after the writer was killed 30 times', async () => {
    const program = await bundle(path.join(import.meta.dirname, '../fixtures/servers-writer.ts'), at('bin'));
    let last = -1;
    for (let kill = 0; kill < 30; kill += 1) {
      const child = spawn(process.execPath, [program, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, 1 + ((kill * 7) % 40)));
      child.kill('SIGKILL');
      await once(child, 'close');
      const { servers } = await onDisk();
      expect(servers).toHaveLength(1);
      ServersFile.parse(JSON.parse(await readFile(at('servers.json.bak'), 'utf8')));
      last = Math.max(last, Number(servers[0]?.clientId?.split('-')[0] ?? -1));
    }
    expect(last).toBeGreaterThan(0);
    expect((await open()).notice).toBeUndefined();
    expect((await readdir(dataDir)).sort()).toEqual(['bin', 'servers.json', 'servers.json.bak']);
  }, 60_000);
});
