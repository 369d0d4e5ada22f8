import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { callBroker } from '../../electron/broker/control-client.ts';
import { readKey } from '../../electron/local-socket/data-folder.ts';
import { bareMachine, type BareMachine } from '../fixtures/command-line.ts';
import { namesShownBy, squat } from '../fixtures/stranger.ts';
import { until } from '../fixtures/wait.ts';

// The broker checks its files every four seconds, so these tests run concurrently.

const onMachine = (test: (machine: BareMachine) => Promise<void>) => async () => {
  const machine = await bareMachine();
  try {
    await test(machine);
  } finally {
    await machine.close();
  }
};
const responds = (machine: BareMachine) =>
  callBroker(machine.dataDir, 'status', undefined).then(
    () => true,
    () => false,
  );
const inFolder = (machine: BareMachine, name: string) => path.join(machine.dataDir, name);
const emptyFolder = (machine: BareMachine) => {
  for (const name of readdirSync(machine.dataDir)) rmSync(inFolder(machine, name), { recursive: true });
};

describe.concurrent('a broker whose files are deleted or replaced', () => {
  it(
    'creates a deleted socket again, so that callers reach it without a restart',
    onMachine(async (machine) => {
      await machine.serve();
      rmSync(inFolder(machine, 'broker.sock'));
      expect(await responds(machine)).toBe(false);
      await until(() => responds(machine), 'a response', 15_000);
      expect(statSync(inFolder(machine, 'broker.sock')).mode & 0o777).toBe(0o600);
      // It watches the new socket too.
      rmSync(inFolder(machine, 'broker.sock'));
      await until(() => responds(machine), 'a response after the second time', 15_000);
    }),
  );

  it(
    'keeps open connections when it creates its socket again',
    onMachine(async (machine) => {
      await machine.serve();
      await machine.run(['add', 'http://127.0.0.1:9/mcp', '--name', 'work']);
      const host = machine.connect('work');
      await host.initialize();
      rmSync(inFolder(machine, 'broker.sock'));
      await until(() => existsSync(inFolder(machine, 'broker.sock')), 'the socket', 15_000);
      expect((await host.request('ping')).result).toEqual({});
    }),
  );

  it(
    'writes a deleted key again, and still refuses a second broker',
    onMachine(async (machine) => {
      await machine.serve();
      const before = readKey(machine.dataDir);
      rmSync(inFolder(machine, 'broker.key'));
      rmSync(inFolder(machine, 'broker.sock'));
      await until(() => responds(machine), 'a response', 15_000);
      expect(readKey(machine.dataDir)).toEqual(before);
      expect((await machine.run(['serve'])).stderr).toContain('E_BROKER_RUNNING');
    }),
  );

  it(
    'stays the only owner when everything in its folder is deleted and a second broker starts at once',
    onMachine(async (machine) => {
      const first = await machine.serve();
      // While it is stopped, it cannot notice the loss and end.
      first.child.kill('SIGSTOP');
      emptyFolder(machine);
      const second = await machine.run(['serve']);
      expect(second.stdout).toBe('');
      expect(second.stderr).toContain('E_BROKER_RUNNING');
      first.child.kill('SIGCONT');
      // The second broker has created another key, so no caller can prove itself to the first one any more.
      expect((await first.ended).stderr).toContain('E_DATA_FOLDER_LOST');
      await machine.serve();
      expect(await responds(machine)).toBe(true);
    }),
  );

  it(
    'ends with the reason when its key is replaced, and the next broker starts',
    onMachine(async (machine) => {
      const first = await machine.serve();
      writeFileSync(inFolder(machine, 'broker.key'), `${'7'.repeat(64)}\n`, { mode: 0o600 });
      const { code, stderr } = await first.ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(/The key in the data folder was replaced.*Start Keybridge again.*E_DATA_FOLDER_LOST/s);
      expect(existsSync(inFolder(machine, 'broker.sock'))).toBe(false);
      await machine.serve();
      expect(await responds(machine)).toBe(true);
    }),
  );

  it(
    'ends when its folder is replaced',
    onMachine(async (machine) => {
      const first = await machine.serve();
      renameSync(machine.dataDir, `${machine.dataDir}-old`);
      mkdirSync(machine.dataDir, { mode: 0o700 });
      expect((await first.ended).stderr).toContain('E_DATA_FOLDER_LOST');
      await machine.serve();
      expect(await responds(machine)).toBe(true);
    }),
  );

  it(
    'uses no name that another user could take first',
    onMachine(async (machine) => {
      const first = await machine.serve();
      const names = namesShownBy(first.child.pid ?? 0);
      first.child.kill('SIGKILL');
      await first.ended;
      const endSquatting = await squat(names);
      const second = await machine.serve();
      endSquatting();
      expect(second.stderr).toBe('');
      expect(await responds(machine)).toBe(true);
      expect(names).toEqual([]);
    }),
  );
});
