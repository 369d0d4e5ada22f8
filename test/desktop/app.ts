import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright';
import { ensureElectron } from '../../scripts/electron-runtime.mjs';
import { sandboxSwitches } from '../../scripts/sandbox.mjs';
import { until } from '../fixtures/wait.ts';
import type { DesktopSession } from './session.ts';
import { trayItems, type TrayItem } from './tray-menu.ts';

export const root = path.join(import.meta.dirname, '../..');

/** The switch with which launchers turn Chromium's sandbox off where it cannot run; otherwise empty. */
export const launcherSwitches: readonly string[] = sandboxSwitches();

export interface DesktopApp {
  readonly electron: ElectronApplication;
  readonly page: Page;
  readonly pid: number;
  /** The app's icon in the tray of the session. */
  tray(): Promise<TrayItem>;
  /** Ends the app as the system does (SIGTERM), and waits for that. */
  quit(): Promise<void>;
}

export interface LaunchOptions {
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** Starts the built app in the real Electron, with its window. */
export async function launchApp(
  session: DesktopSession,
  { dataDir, env = {}, args = [] }: LaunchOptions,
): Promise<DesktopApp> {
  const { executable } = await ensureElectron();
  const electron = await _electron.launch({
    executablePath: executable,
    args: [...launcherSwitches, root, ...args],
    env: { ...session.env, KEYBRIDGE_DATA_DIR: dataDir, KEYBRIDGE_NODE: process.execPath, ...env },
  });
  const { pid } = electron.process();
  if (pid === undefined) throw new Error('The app has no process.');
  const page = await electron.firstWindow();
  return {
    electron,
    page,
    pid,
    tray: () =>
      until(async () => (await trayItems(session.busAddress)).find((item) => item.pid === pid), 'the tray icon', 5_000),
    async quit() {
      const closed = electron.waitForEvent('close');
      process.kill(pid, 'SIGTERM');
      await closed;
    },
  };
}

/** Whether a running process has this folder in its arguments. Chromium's children outlive the app and still write. */
async function inUse(folder: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.some((line) => line.includes(folder));
}

/**
 * Creates a data folder. `remove` waits until no process uses it. `closedBefore`: the window was closed once before, so
 * that no dialog explains where it goes.
 */
export async function newDataFolder({ closedBefore = true } = {}): Promise<{
  dataDir: string;
  remove: () => Promise<void>;
}> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-desktop-'));
  if (closedBefore) {
    await mkdir(path.join(dataDir, 'electron'), { mode: 0o700 });
    await writeFile(path.join(dataDir, 'electron', 'closing.json'), '{"toldWhere":true}');
  }
  const remove = async () => {
    await until(async () => !(await inUse(dataDir)), 'the last process of the app to end');
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  return { dataDir, remove };
}

export const readLog = (dataDir: string): Promise<string> => readFile(path.join(dataDir, 'keybridge.log'), 'utf8');
