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
/** Contains everything that a test creates. */
let base: string;
let dataDir: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  built = mkdtempSync(path.join(os.tmpdir(), 'keybridge-lock-built-'));
  program = await bundle(path.join(import.meta.dirname, '../fixtures/lock-holder.ts'), built);
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach(() => {
  base = mkdtempSync(path.join(os.tmpdir(), 'keybridge-lock-'));
  dataDir = path.join(base, 'data');
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  rmSync(base, { recursive: true, force: true });
});

/** Starts a process that tries to become the owner. `result`: 'owner' or 'taken'. */
function startContender(): { child: ChildProcess; result: Promise<string> } {
  // The socket is created in TMPDIR if its path in the data folder is too long.
  const env = { ...process.env, XDG_RUNTIME_DIR: undefined, TMPDIR: base };
  const child = spawn(process.execPath, [program, dataDir], { stdio: ['pipe', 'pipe', 'inherit'], env });
  children.push(child);
  const result = new Promise<string>((resolve) =>
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim())),
  );
  return { child, result };
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await closed;
}

describe('the lock on a data folder', () => {
  it('is taken by one of 20 processes that start at once after a kill -9, in each round (LS03, RF22)', async () => {
    const first = startContender();
    expect(await first.result).toBe('owner');
    let owner = first.child;
    for (let round = 0; round < 3; round += 1) {
      await kill(owner);
      expect(existsSync(path.join(dataDir, 'broker.sock'))).toBe(true);
      const contenders = Array.from({ length: 20 }, startContender);
      const results = await Promise.all(contenders.map(({ result }) => result));
      expect(results.filter((result) => result === 'owner')).toHaveLength(1);
      expect(results.filter((result) => result === 'taken')).toHaveLength(19);
      owner = contenders[results.indexOf('owner')]?.child ?? owner;
    }
  });

  it('stays held when its files and the key are deleted', async () => {
    const first = startContender();
    expect(await first.result).toBe('owner');
    for (const name of readdirSync(dataDir)) rmSync(path.join(dataDir, name));
    expect(await startContender().result).toBe('taken');
    await kill(first.child);
    expect(await startContender().result).toBe('owner');
  });

  it('is created again when its file is deleted, and is lost only to another owner', async () => {
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

  it('leaves one file in the folder, however often it is released or its holder is killed', async () => {
    for (let round = 0; round < 3; round += 1) await (await acquireLock(dataDir))?.release();
    const killed = startContender();
    expect(await killed.result).toBe('owner');
    await kill(killed.child);
    await (await acquireLock(dataDir))?.release();
    expect(
      readdirSync(dataDir).filter((name) => name.startsWith('broker') && !/\.(?:key|sock)$/.test(name)),
    ).toHaveLength(1);
  });

  it('can be taken in a folder that has folders, files and links with the names of locks', async () => {
    ensureKey(dataDir);
    mkdirSync(path.join(dataDir, 'broker.lock.1'));
    writeFileSync(path.join(dataDir, 'broker.lock.2'), '');
    symlinkSync('nowhere', path.join(dataDir, 'broker.lock.3'));
    const lock = await acquireLock(dataDir);
    expect(lock).toBeDefined();
    expect(await acquireLock(dataDir)).toBeUndefined();
    await lock?.release();
  });

  it('is taken once on a folder whose path is too long for a socket', async () => {
    dataDir = path.join(dataDir, 'd'.repeat(120));
    const results = await Promise.all(Array.from({ length: 4 }, () => startContender().result));
    expect(results.filter((result) => result === 'owner')).toHaveLength(1);
    expect(results.filter((result) => result === 'taken')).toHaveLength(3);
  });

  it('is taken by one of 20 processes on a folder that does not exist yet', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => startContender().result));
    expect(results.filter((result) => result === 'owner')).toHaveLength(1);
  });

  it('is free after its release, and does not affect other folders', async () => {
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

  it('RF22 refuses a second broker while the first keeps serving', async () => {
    const rig = await startRelayRig({ dataDir });
    await expect(startRelayRig({ dataDir })).rejects.toMatchObject({ code: 'E_BROKER_RUNNING' });
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toMatchObject({ kind: 'connected' });
    await rig.close();
  });

  it('lets the next broker replace the socket file after a kill -9 (LS03)', async () => {
    const first = startContender();
    await first.result;
    await kill(first.child);
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toEqual({ kind: 'down' });
    const rig = await startRelayRig({ dataDir });
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toMatchObject({ kind: 'connected' });
    await rig.close();
    expect(existsSync(path.join(dataDir, 'broker.sock'))).toBe(false);
  });
});

describe.skipIf(process.platform === 'win32')('the data folder (LS01)', () => {
  it('has mode 0700, its key and socket have mode 0600', async () => {
    const rig = await startRelayRig({ dataDir });
    const mode = (file: string) => statSync(file).mode & 0o777;
    expect([mode(dataDir), mode(path.join(dataDir, 'broker.key')), mode(path.join(dataDir, 'broker.sock'))]).toEqual([
      0o700, 0o600, 0o600,
    ]);
    await rig.close();
  });

  const refused: [string, () => void][] = [
    ['it is open to other users', () => mkdirSync(dataDir, { mode: 0o755 })],
    [
      'it is a link',
      () => {
        mkdirSync(`${dataDir}-real`, { mode: 0o700 });
        symlinkSync(`${dataDir}-real`, dataDir);
      },
    ],
    ['it is a file', () => writeFileSync(dataDir, '', { mode: 0o600 })],
    [
      'its key is open to other users',
      () => {
        ensureKey(dataDir);
        chmodSync(path.join(dataDir, 'broker.key'), 0o644);
      },
    ],
    [
      'its key is a link',
      () => {
        mkdirSync(dataDir, { mode: 0o700 });
        writeFileSync(`${dataDir}-key`, '0'.repeat(64), { mode: 0o600 });
        symlinkSync(`${dataDir}-key`, path.join(dataDir, 'broker.key'));
      },
    ],
    [
      'its key is damaged',
      () => {
        mkdirSync(dataDir, { mode: 0o700 });
        writeFileSync(path.join(dataDir, 'broker.key'), 'abc', { mode: 0o600 });
      },
    ],
    [
      'a file is in place of the socket',
      () => {
        ensureKey(dataDir);
        writeFileSync(path.join(dataDir, 'broker.sock'), '', { mode: 0o600 });
      },
    ],
  ];
  it.each(refused)('is refused by broker and bridge if %s', async (_, prepare) => {
    prepare();
    await expect(startRelayRig({ dataDir })).rejects.toMatchObject({
      code: 'E_SOCKET_UNSAFE',
      message: expect.stringContaining(dataDir),
    });
    expect(await connectToBroker(dataDir, { role: 'control', pid: 1 })).toMatchObject({
      kind: 'refused',
      error: { code: 'E_SOCKET_UNSAFE' },
    });
    // The refused broker has released the lock.
    if (existsSync(path.join(dataDir, 'broker.sock')) && statSync(path.join(dataDir, 'broker.sock')).isFile()) {
      rmSync(path.join(dataDir, 'broker.sock'));
      await (await startRelayRig({ dataDir })).close();
    }
  });
});
