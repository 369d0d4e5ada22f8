import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { WebSocket } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureElectron } from '../../scripts/electron-runtime.mjs';
import { freePort } from '../fixtures/free-port.ts';
import { until } from '../fixtures/wait.ts';
import { root } from './app.ts';
import { startDesktopSession, type DesktopSession } from './session.ts';

const copied = [
  'electron',
  'renderer',
  'shared',
  'scripts',
  'build',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
];

/** Runs an expression in a page, by the DevTools protocol. Playwright cannot attach to an Electron it did not start. */
async function evaluate(debuggerUrl: string, expression: string): Promise<unknown> {
  const socket = new WebSocket(debuggerUrl);
  try {
    await once(socket, 'open');
    socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression, returnByValue: true } }));
    const [{ data }] = (await once(socket, 'message')) as [{ data: string }];
    const reply = JSON.parse(data) as { result: { result: { value?: unknown } } };
    return reply.result.result.value;
  } finally {
    socket.close();
  }
}

/** Runs in a copy of the checkout, because the test changes sources. */
describe('npm run dev', () => {
  let session: DesktopSession;
  let copy: string;
  let dev: ChildProcess;
  let output = '';
  let debugPort: number;

  const source = (name: string) => path.join(copy, name);
  const starts = () => [...output.matchAll(/\[dev\] started \(process (\d+)\)/g)].map(([, pid]) => Number(pid));

  /** The value of an expression in the app's page; undefined while there is no page. */
  const inPage = async (expression: string) => {
    const targets = await fetch(`http://127.0.0.1:${debugPort}/json/list`).catch(() => undefined);
    const pages = (await targets?.json()) as { url: string; webSocketDebuggerUrl: string }[] | undefined;
    const page = pages?.find(({ url }) => url === 'app://keybridge/index.html');
    return page ? evaluate(page.webSocketDebuggerUrl, expression).catch(() => undefined) : undefined;
  };
  const drawn = `document.getElementById('root')?.childElementCount > 0`;
  const changedStyle = `getComputedStyle(document.documentElement).getPropertyValue('--changed').trim()`;

  beforeAll(async () => {
    session = await startDesktopSession({ tray: false });
    copy = await mkdtemp(path.join(os.tmpdir(), 'keybridge-dev-'));
    for (const name of copied) await cp(path.join(root, name), source(name), { recursive: true });
    await symlink(path.join(root, 'node_modules'), source('node_modules'));
    await mkdir(source('data'), { mode: 0o700 });
    debugPort = await freePort();
    // The cache folder of the session is empty, so this Electron is given.
    const { dist } = await ensureElectron();
    const args = ['scripts/dev.mjs', `--remote-debugging-port=${debugPort}`];
    dev = spawn(process.execPath, args, {
      cwd: copy,
      env: {
        ...session.env,
        KEYBRIDGE_STORE: 'memory',
        KEYBRIDGE_DATA_DIR: source('data'),
        ELECTRON_OVERRIDE_DIST_PATH: dist,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [dev.stdout, dev.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  });

  afterAll(async () => {
    if (dev && dev.exitCode === null && dev.signalCode === null) {
      const ended = once(dev, 'exit');
      dev.kill('SIGTERM');
      await ended;
    }
    await session?.stop();
    await rm(copy, { recursive: true, force: true, maxRetries: 5 });
  });

  it('shows a change of the window without a restart, and restarts the app after a change of main.ts', async () => {
    await until(() => inPage(drawn), 'the window', 30_000);
    await inPage(`window.mark = 'the same page'`);
    await appendFile(source('renderer/theme.css'), ':root { --changed: style; }\n');
    await until(async () => (await inPage(changedStyle)) === 'style', 'the change of style');
    await appendFile(source('renderer/app.tsx'), `document.documentElement.lang = 'en-changed';\n`);
    await until(async () => (await inPage('document.documentElement.lang')) === 'en-changed', 'the change of code');
    expect(await inPage('window.mark')).toBe('the same page');
    expect(starts()).toHaveLength(1);

    await appendFile(source('electron/main.ts'), '// changed\n');
    await until(() => starts().length === 2, 'the restart', 30_000);
    const isBack = async () => (await inPage(changedStyle)) === 'style' && (await inPage(drawn));
    await until(isBack, 'the new window', 30_000);
    expect(new Set(starts()).size).toBe(2);

    const ended = once(dev, 'exit');
    dev.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    expect(() => process.kill(starts().at(-1) ?? 0, 0)).toThrow('ESRCH');
  });
});
