import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { callBroker } from '../../electron/broker/control-client.ts';
import { startSmallBroker } from '../fixtures/small-broker.ts';

// On SIGUSR1 Node opens its inspector on a local port, to which every user of the computer can connect.

const built = path.join(import.meta.dirname, '../../dist');
const dataDir = mkdtempSync(path.join(os.tmpdir(), 'keybridge-debugger-'));
let child: ChildProcess | undefined;
afterEach(() => void child?.kill('SIGKILL'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

function run(
  file: string,
  args: readonly string[],
  stdio: readonly ('pipe' | 'ipc' | 'ignore')[] = ['pipe', 'pipe', 'pipe'],
): { child: ChildProcess; stderr: () => string; ended: Promise<unknown> } {
  const started = spawn(process.execPath, [path.join(built, file), ...args], {
    env: { PATH: process.env['PATH'], HOME: dataDir, KEYBRIDGE_DATA_DIR: dataDir, KEYBRIDGE_STORE: 'memory' },
    stdio: [...stdio],
  });
  child = started;
  let text = '';
  started.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return {
    child: started,
    stderr: () => text,
    ended: Promise.all([once(started, 'exit'), once(started.stderr ?? started, 'end')]),
  };
}

describe.skipIf(process.platform === 'win32')('SIGUSR1 opens no debugger', () => {
  it('in the broker', async () => {
    const { child: broker, stderr, ended } = run('keybridge.cjs', ['serve', '--json']);
    await once(broker.stdout ?? broker, 'data');
    broker.kill('SIGUSR1');
    expect(await callBroker(dataDir, 'status', undefined)).toMatchObject({ front: 'headless' });
    broker.stdin?.end();
    await ended;
    expect(stderr()).not.toMatch(/debugger|inspector/i);
    expect(broker.exitCode).toBe(0);
  });

  it.each([
    ['in a bridge that the command line runs', 'keybridge.cjs', ['connect', 'demo']],
    ['in a bridge on its own', 'bridge.cjs', ['demo']],
  ])('%s', async (_, file, args) => {
    const small = await startSmallBroker(dataDir);
    const { child: bridge, stderr, ended } = run(file, args);
    const line = '{"jsonrpc":"2.0","id":1,"method":"initialize"}\n';
    bridge.stdin?.write(line);
    await once(bridge.stdout ?? bridge, 'data');
    bridge.kill('SIGUSR1');
    bridge.stdin?.write(line.replace('1,', '2,'));
    await once(bridge.stdout ?? bridge, 'data');
    bridge.stdin?.end();
    await ended;
    await small.close();
    expect(stderr()).not.toMatch(/debugger|inspector/i);
  });

  it('in the keychain child', async () => {
    const { child: keychain, stderr, ended } = run('keychain.cjs', [], ['ignore', 'ignore', 'pipe', 'ipc']);
    const probe = (id: number) => {
      keychain.send({ id, op: 'probe', service: 'Keybridge test' });
      return once(keychain, 'message');
    };
    await probe(1);
    keychain.kill('SIGUSR1');
    await probe(2);
    keychain.disconnect();
    await ended;
    expect(stderr()).not.toMatch(/debugger|inspector/i);
  });
});
