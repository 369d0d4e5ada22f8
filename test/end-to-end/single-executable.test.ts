import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCommandLine } from '../../scripts/package.mjs';
import { isHardened, releaseRefused } from '../../scripts/single-executable.mjs';
import { keyringMissing, startKeyring } from '../fixtures/keyring.ts';

const exec = promisify(execFile);

describe('the single executable', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  const at = (name: string) => path.join(folder, name);
  const environment = () => ({
    PATH: process.env['PATH'],
    HOME: folder,
    KEYBRIDGE_DATA_DIR: at('data'),
    KEYBRIDGE_STORE: 'memory',
  });

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'keybridge-sea-test-'));
    await makeCommandLine(path.join(import.meta.dirname, '../../dist'), at('keybridge'));
  }, 120_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs the keychain child alone, and returns its response to one request. */
  async function askKeychain(bus = 'disabled:'): Promise<unknown> {
    const child = spawn(at('keybridge'), ['--keychain-child'], {
      env: { HOME: folder, DBUS_SESSION_BUS_ADDRESS: bus },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.push(child);
    child.send({ id: 1, op: 'probe', service: 'Keybridge test' });
    const [answer] = (await once(child, 'message')) as [unknown];
    child.disconnect();
    return answer;
  }

  it('consists of the program and the one library that cannot be embedded', async () => {
    expect((await readdir(folder)).toSorted()).toEqual(['keybridge', 'keytar.node']);
  });

  it('ignores files beside it that have the names of its parts', async () => {
    const parts = ['cli-main.cjs', 'headless.cjs', 'keychain.cjs', 'keybridge.cjs', 'embedded.cjs'];
    for (const name of parts)
      await writeFile(at(name), "process.stdout.write('from a file beside it'); process.exit(99);");
    const { version } = JSON.parse(await readFile(path.join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      version: string;
    };
    expect((await exec(at('keybridge'), ['--version'], { env: environment() })).stdout.trim()).toBe(version);
    const broker = spawn(at('keybridge'), ['serve', '--json'], {
      env: environment(),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(broker);
    const [line] = (await once(broker.stdout, 'data')) as [Buffer];
    expect(JSON.parse(line.toString())).toMatchObject({ ready: true, store: 'memory' });
    broker.stdin.end();
    expect(await once(broker, 'exit')).toEqual([0, null]);
    expect(JSON.stringify(await askKeychain())).not.toContain('from a file');
    for (const name of parts) await rm(at(name));
  }, 60_000);

  it.skipIf(keyringMissing() !== undefined)(
    'loads the keychain library only if it is the one that it was built with',
    async () => {
      const keyring = await startKeyring();
      try {
        expect(await askKeychain(keyring.address)).toMatchObject({ result: { kind: 'ready' } });
        await appendFile(at('keytar.node'), 'x');
        expect(await askKeychain(keyring.address)).toMatchObject({ result: { kind: 'unavailable' } });
      } finally {
        await keyring.stop();
      }
    },
    60_000,
  );

  it('ignores NODE_OPTIONS if its Node supports that', async () => {
    await writeFile(at('preload.cjs'), "process.stdout.write('preloaded ');");
    const { stdout } = await exec(at('keybridge'), ['--version'], {
      env: { ...environment(), NODE_OPTIONS: `--require ${at('preload.cjs')}` },
    });
    expect(stdout.includes('preloaded')).toBe(!isHardened());
    await rm(at('preload.cjs'));
  });
});

describe('a release build', () => {
  it('fails with a Node that honours NODE_OPTIONS in the finished program', () => {
    expect(releaseRefused({ electron: 'release', nodeVersion: '20.20.2' })).toContain('Node 24');
    expect(releaseRefused({ electron: 'release', nodeVersion: '22.22.0' })).toContain('NODE_OPTIONS');
    expect(releaseRefused({ electron: 'release', nodeVersion: '24.0.0' })).toBeUndefined();
    expect(releaseRefused({ electron: 'development', nodeVersion: '20.20.2' })).toBeUndefined();
  });
});
