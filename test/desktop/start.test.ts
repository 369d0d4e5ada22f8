import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callBroker } from '../../electron/broker/control-client.ts';
import { startHost, textOf } from '../fixtures/host.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { until } from '../fixtures/wait.ts';
import { ensureElectron } from '../../scripts/electron-runtime.mjs';
import { launchApp, launcherSwitches, newDataFolder, readLog, root } from './app.ts';
import { startDesktopSession, type DesktopSession } from './session.ts';
import { trayItems } from './tray-menu.ts';

const exec = promisify(execFile);

/** Whether a process that is no child of ours still runs; one that has ended and was not waited for does not. */
function isRunning(pid: number | undefined): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('starting and ending', () => {
  let session: DesktopSession;
  let mcp: RunningMcpServer;
  let folder: Awaited<ReturnType<typeof newDataFolder>>;
  const env = () => ({ ...session.env, KEYBRIDGE_DATA_DIR: folder.dataDir, KEYBRIDGE_STORE: 'memory' });
  const cli = path.join(root, 'dist/keybridge.cjs');

  /** Names of the windows that can be seen. */
  async function windows(): Promise<string[]> {
    const { stdout } = await exec(
      'xdotool',
      ['search', '--onlyvisible', '--name', 'Keybridge', 'getwindowname', '%@'],
      { env: session.env },
    ).catch(() => ({ stdout: '' }));
    return stdout.split('\n').filter(Boolean);
  }

  beforeAll(async () => {
    session = await startDesktopSession();
    mcp = await startMcpServer();
  });

  afterAll(async () => {
    await mcp?.close();
    await session?.stop();
  });

  beforeEach(async () => {
    folder = await newDataFolder();
  });

  afterEach(() => folder.remove());

  it('the app logs debug events when it is started with --log-level=debug', async () => {
    const options = { dataDir: folder.dataDir, env: { KEYBRIDGE_STORE: 'memory' }, args: ['--log-level=debug'] };
    const app = await launchApp(session, options);
    try {
      await callBroker(folder.dataDir, 'status', undefined);
      const isLogged = async () =>
        (await readLog(folder.dataDir))
          .split('\n')
          .some((line) => line.includes('"command"') && line.includes('"debug"'));
      await until(isLogged, 'the command in the log');
    } finally {
      await app.quit();
    }
  });

  it('a bridge starts the app, hidden, the way it was last started; the next start shows its window', async () => {
    const first = await launchApp(session, { dataDir: folder.dataDir, env: { KEYBRIDGE_STORE: 'memory' } });
    await callBroker(folder.dataDir, 'addServer', { url: mcp.url, name: 'open' });
    await first.quit();

    const hosts = [1, 2, 3].map(() => startHost(process.execPath, [cli, 'connect', 'open'], env()));
    let pid: number | undefined;
    try {
      const answers = await Promise.all(
        hosts.map(async (host, index) => {
          await host.initialize();
          return textOf(await host.call('echo', { text: `call ${index}` }, 20_000));
        }),
      );
      expect(answers).toEqual(['call 0', 'call 1', 'call 2']);
      const items = await until(
        async () => (await trayItems(session.busAddress)).filter((item) => item.pid > 0),
        'the tray icon',
      );
      expect(items).toHaveLength(1);
      pid = items[0]?.pid;
      expect(await windows()).toEqual([]);

      const { executable } = await ensureElectron();
      const second = spawn(executable, [...launcherSwitches, root], { env: env(), stdio: 'ignore' });
      expect(await once(second, 'exit')).toEqual([0, null]);
      await until(async () => (await windows()).length > 0, 'the window of the first');
    } finally {
      await Promise.all(hosts.map((host) => host.close()));
      if (pid !== undefined) process.kill(pid, 'SIGTERM');
    }
    // It is nobody's child here; until it is gone it may write to its data folder.
    await until(() => !isRunning(pid), 'the app to end');
    expect(await trayItems(session.busAddress)).toEqual([]);
  });

  it('beside a broker without a window it says so, starts nothing, and takes over when told to', async () => {
    const broker = spawn(process.execPath, [cli, 'serve', '--store', 'memory', '--json'], {
      env: env(),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const brokerEnded = once(broker, 'exit');
    await once(broker.stdout, 'data');
    const { executable } = await ensureElectron();
    const app = spawn(executable, [...launcherSwitches, root], { env: env(), stdio: 'ignore' });
    const appEnded = once(app, 'exit');
    try {
      await until(async () => (await windows()).length > 0, 'the question');
      expect(await trayItems(session.busAddress)).toEqual([]);
      // Enter: "Take over".
      // The X server may end a search because some other window went away meanwhile.
      const enter = () =>
        exec('xdotool', ['search', '--onlyvisible', '--name', 'Keybridge', 'windowfocus', '--sync', 'key', 'Return'], {
          env: session.env,
        });
      await until(
        () =>
          enter().then(
            () => true,
            () => false,
          ),
        'the key to be pressed',
      );
      await until(
        async () => (await callBroker(folder.dataDir, 'status', undefined).catch(() => undefined))?.front === 'desktop',
        'the app to take over',
      );
      expect(await brokerEnded).toEqual([0, null]);
    } finally {
      broker.kill();
      app.kill('SIGTERM');
      expect(await appEnded).toEqual([0, null]);
    }
  });

  it('started hidden beside a broker without a window, it leaves the place to that', async () => {
    const broker = spawn(process.execPath, [cli, 'serve', '--store', 'memory', '--json'], {
      env: env(),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const brokerEnded = once(broker, 'exit');
    await once(broker.stdout, 'data');
    const { executable } = await ensureElectron();
    const app = spawn(executable, [...launcherSwitches, root, '--hidden'], { env: env(), stdio: 'ignore' });
    expect(await once(app, 'exit')).toEqual([0, null]);
    expect((await callBroker(folder.dataDir, 'status', undefined)).front).toBe('headless');
    broker.stdin.end();
    await brokerEnded;
  });

  it('an unknown store is named, not replaced by another one', async () => {
    const { executable } = await ensureElectron();
    const app = spawn(executable, [...launcherSwitches, root, '--hidden'], {
      env: { ...env(), KEYBRIDGE_STORE: 'file' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    app.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    expect(await once(app, 'exit')).toEqual([1, null]);
    expect(text).toContain('KEYBRIDGE_STORE');
  });
});
