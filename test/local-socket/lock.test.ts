import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureKey } from '../../electron/local-socket/data-folder.ts';
import { connectToBroker } from '../../electron/local-socket/handshake.ts';
import { acquireLock } from '../../electron/broker/data-folder-lock.ts';
import { bundle } from '../fixtures/bundle.ts';
import { startRelayRig } from '../fixtures/relay-rig.ts';

let program: string;
let built: string;
/** What a test leaves lies below it. */
let place: string;
let dataDir: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  built = mkdtempSync(path.join(os.tmpdir(), 'keybridge-lock-built-'));
  program = await bundle(path.join(import.meta.dirname, '../fixtures/lock-holder.ts'), built);
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach(() => {
  place = mkdtempSync(path.join(os.tmpdir(), 'keybridge-lock-'));
  dataDir = path.join(place, 'data');
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  rmSync(place, { recursive: true, force: true });
});

/** Starts a process that wants to be the owner; gives what it says. */
function contender(): { child: ChildProcess; said: Promise<string> } {
  // A socket whose path would be too long in the data folder goes there.
  const env = { ...process.env, XDG_RUNTIME_DIR: undefined, TMPDIR: place };
  const child = spawn(process.execPath, [program, dataDir], { stdio: ['pipe', 'pipe', 'inherit'], env });
  children.push(child);
  const said = new Promise<string>((resolve) =>
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim())),
  );
  return { child, said };
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await closed;
}

describe('the lock on a data folder', () => {
  it('has one owner of 20 that start at once after a kill -9, round after round (LS03, RF22)', async () => {
    const first = contender();
    expect(await first.said).toBe('owner');
    let owner = first.child;
    for (let round = 0; round < 3; round += 1) {
      await kill(owner);
      expect(existsSync(path.join(dataDir, 'broker.sock'))).toBe(true);
      const all = Array.from({ length: 20 }, contender);
      const said = await Promise.all(all.map((one) => one.said));
      expect(said.filter((word) => word === 'owner')).toHaveLength(1);
      expect(said.filter((word) => word === 'taken')).toHaveLength(19);
      owner = all[said.indexOf('owner')]?.child ?? owner;
    }
  });

  it('is not free though its files and its key were deleted while it is held', async () => {
    const first = contender();
    expect(await first.said).toBe('owner');
    for (const name of readdirSync(dataDir)) rmSync(path.join(dataDir, name));
    expect(await contender().said).toBe('taken');
    await kill(first.child);
    expect(await contender().said).toBe('owner');
  });

  it('is made again when its file was deleted, and is lost only to another owner', async () => {
    const lock = await acquireLock(dataDir);
    expect(await lock?.stillHeld()).toBe(true);
    for (const name of readdirSync(dataDir).filter((one) => one.includes('lock'))) rmSync(path.join(dataDir, name));
    expect(await lock?.stillHeld()).toBe(true);
    expect(await acquireLock(dataDir)).toBeUndefined();
    await lock?.release();
    const next = await acquireLock(dataDir);
    expect(next).toBeDefined();
    expect(await lock?.stillHeld()).toBe(false);
    await next?.release();
  });

  it('leaves one small file behind, however often it was taken and let go of or its holder killed', async () => {
    for (let round = 0; round < 3; round += 1) await (await acquireLock(dataDir))?.release();
    const killed = contender();
    expect(await killed.said).toBe('owner');
    await kill(killed.child);
    await (await acquireLock(dataDir))?.release();
    expect(
      readdirSync(dataDir).filter((name) => name.startsWith('broker') && !/\.(?:key|sock)$/.test(name)),
    ).toHaveLength(1);
  });

  it('is taken in a folder in which somebody made folders, files and links with the names of locks', async () => {
    ensureKey(dataDir);
    mkdirSync(path.join(dataDir, 'broker.lock.1'));
    writeFileSync(path.join(dataDir, 'broker.lock.2'), '');
    symlinkSync('nowhere', path.join(dataDir, 'broker.lock.3'));
    const lock = await acquireLock(dataDir);
    expect(lock).toBeDefined();
    expect(await acquireLock(dataDir)).toBeUndefined();
    await lock?.release();
  });

  it('holds on a folder whose path is too long for a socket', async () => {
    dataDir = path.join(dataDir, 'd'.repeat(120));
    const said = await Promise.all(Array.from({ length: 4 }, contender).map((one) => one.said));
    expect(said.filter((word) => word === 'owner')).toHaveLength(1);
    expect(said.filter((word) => word === 'taken')).toHaveLength(3);
  });

  it('has one owner of 20 on a folder that is not there yet', async () => {
    const said = await Promise.all(Array.from({ length: 20 }, contender).map((one) => one.said));
    expect(said.filter((word) => word === 'owner')).toHaveLength(1);
  });

  it('is free again as soon as it is released, and does not reach beyond its folder', async () => {
    const lock = await acquireLock(dataDir);
    expect(await acquireLock(dataDir)).toBeUndefined();
    const other = await acquireLock(`${dataDir}-2`);
    expect(other).toBeDefined();
    await other?.release();
    await lock?.release();
    const again = await acquireLock(dataDir);
    expect(again).toBeDefined();
    await again?.release();
  });

  it('RF22 a second broker is refused, and the first goes on', async () => {
    const rig = await startRelayRig({ dataDir });
    await expect(startRelayRig({ dataDir })).rejects.toMatchObject({ code: 'E_BROKER_RUNNING' });
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toMatchObject({ kind: 'connected' });
    await rig.close();
  });

  it('a broker that comes after a kill -9 takes the dead socket over (LS03)', async () => {
    const first = contender();
    await first.said;
    await kill(first.child);
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toEqual({ kind: 'down' });
    const rig = await startRelayRig({ dataDir });
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toMatchObject({ kind: 'connected' });
    await rig.close();
    expect(existsSync(path.join(dataDir, 'broker.sock'))).toBe(false);
  });
});

describe.skipIf(process.platform === 'win32')('what stands in the data folder (LS01)', () => {
  it('is the user’s alone: folder 0700, key and socket 0600', async () => {
    const rig = await startRelayRig({ dataDir });
    const mode = (file: string) => statSync(file).mode & 0o777;
    expect([mode(dataDir), mode(path.join(dataDir, 'broker.key')), mode(path.join(dataDir, 'broker.sock'))]).toEqual([
      0o700, 0o600, 0o600,
    ]);
    await rig.close();
  });

  const refused: [string, () => void][] = [
    ['a folder that others can read', () => mkdirSync(dataDir, { mode: 0o755 })],
    [
      'a link in the folder’s place',
      () => {
        mkdirSync(`${dataDir}-real`, { mode: 0o700 });
        symlinkSync(`${dataDir}-real`, dataDir);
      },
    ],
    ['a file in the folder’s place', () => writeFileSync(dataDir, '', { mode: 0o600 })],
    [
      'a key that others can read',
      () => {
        ensureKey(dataDir);
        chmodSync(path.join(dataDir, 'broker.key'), 0o644);
      },
    ],
    [
      'a key that is a link',
      () => {
        mkdirSync(dataDir, { mode: 0o700 });
        writeFileSync(`${dataDir}-key`, '0'.repeat(64), { mode: 0o600 });
        symlinkSync(`${dataDir}-key`, path.join(dataDir, 'broker.key'));
      },
    ],
    [
      'a damaged key',
      () => {
        mkdirSync(dataDir, { mode: 0o700 });
        writeFileSync(path.join(dataDir, 'broker.key'), 'abc', { mode: 0o600 });
      },
    ],
    [
      'a file in the socket’s place',
      () => {
        ensureKey(dataDir);
        writeFileSync(path.join(dataDir, 'broker.sock'), '', { mode: 0o600 });
      },
    ],
  ];
  it.each(refused)('refuses %s, on both sides', async (_, prepare) => {
    prepare();
    await expect(startRelayRig({ dataDir })).rejects.toMatchObject({
      code: 'E_SOCKET_UNSAFE',
      message: expect.stringContaining(dataDir),
    });
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toMatchObject({
      kind: 'refused',
      error: { code: 'E_SOCKET_UNSAFE' },
    });
    // Nothing is left behind that would keep the folder locked.
    if (existsSync(path.join(dataDir, 'broker.sock')) && statSync(path.join(dataDir, 'broker.sock')).isFile()) {
      rmSync(path.join(dataDir, 'broker.sock'));
      await (await startRelayRig({ dataDir })).close();
    }
  });
});
