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

/** Whether a process that is no child of this one still runs. A zombie does not. */
function isRunning(pid: number | undefined): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the start of the app', () => {
  let session: DesktopSession;
  let mcp: RunningMcpServer;
  let folder: Awaited<ReturnType<typeof newDataFolder>>;
  const env = () => ({ ...session.env, KEYBRIDGE_DATA_DIR: folder.dataDir, KEYBRIDGE_STORE: 'memory' });
  const cli = path.join(root, 'dist/keybridge.cjs');

  /** Names of the visible windows. */
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

  it('with --log-level=debug logs debug events', async () => {
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

  it('by a bridge is hidden and happens once, and the next start by a user shows the window', async () => {
    const first = await launchApp(session, { dataDir: folder.dataDir, env: { KEYBRIDGE_STORE: 'memory' } });
    await callBroker(folder.dataDir, 'addServer', { url: mcp.url, name: 'open' });
    await first.quit();

    const hosts = [1, 2, 3].map(() => startHost(process.execPath, [cli, 'connect', 'open'], env()));
    let pid: number | undefined;
    try {
      const results = await Promise.all(
        hosts.map(async (host, index) => {
          await host.initialize();
          return textOf(await host.call('echo', { text: `call ${index}` }, 20_000));
        }),
      );
      expect(results).toEqual(['call 0', 'call 1', 'call 2']);
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
    // The app is no child of this process, and may write to its data folder until it has ended.
    await until(() => !isRunning(pid), 'the app to end');
    expect(await trayItems(session.busAddress)).toEqual([]);
  });

  it('beside `keybridge serve` asks first and takes over after the confirmation', async () => {
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
      // Enter presses "Take over". xdotool can fail because another window was closed during its search.
      const pressEnter = () =>
        exec('xdotool', ['search', '--onlyvisible', '--name', 'Keybridge', 'windowfocus', '--sync', 'key', 'Return'], {
          env: session.env,
        });
      await until(
        () =>
          pressEnter().then(
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

  it('with --hidden beside `keybridge serve` exits and leaves that running', async () => {
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

  it('with an unknown store fails and names the variable', async () => {
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
