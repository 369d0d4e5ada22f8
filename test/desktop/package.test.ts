import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFuses } from '../../scripts/fuses.mjs';
import { packageApp } from '../../scripts/package.mjs';
import { startAuthorizationServer, type AuthorizationServer } from '../fixtures/authorization-server.ts';
import { browserProgram } from '../fixtures/browser.ts';
import { startHost, textOf } from '../fixtures/host.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { until } from '../fixtures/wait.ts';
import { launcherSwitches, newDataFolder } from './app.ts';
import { storedSecrets } from './secrets.ts';
import { startDesktopSession, type DesktopSession } from './session.ts';
import { lines, trayItems } from './tray-menu.ts';

const exec = promisify(execFile);

/** The app as users get it, in another folder. It accepts no debugger, so tests use its tray and command line. */
describe.skipIf(process.platform !== 'linux')('the packaged app', () => {
  let session: DesktopSession;
  let as: AuthorizationServer;
  let mcp: RunningMcpServer;
  let out: string;
  let folder: Awaited<ReturnType<typeof newDataFolder>>;
  let app: ReturnType<typeof start> | undefined;

  const file = (...parts: string[]) => path.join(out, 'linux-unpacked', ...parts);
  const env = () => ({ ...session.env, KEYBRIDGE_DATA_DIR: folder.dataDir, BROWSER: browserProgram });

  function start(args: readonly string[], extra: Record<string, string> = {}) {
    const child = spawn(file('keybridge'), [...launcherSwitches, ...args], {
      env: { ...env(), ...extra },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { text: '' };
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output.text += text));
    return { child, output, ended: once(child, 'exit') };
  }

  /** The packaged command line. Rejects with `code` and `stdout` when it fails. */
  async function keybridge(...args: string[]): Promise<unknown> {
    const { stdout } = await exec(file('resources/bin/keybridge'), [...args, '--json'], {
      env: env(),
      timeout: 30_000,
    });
    return JSON.parse(stdout) as unknown;
  }

  async function stopApp(): Promise<number | null> {
    if (!app) return null;
    app.child.kill('SIGTERM');
    const [code] = (await app.ended) as [number | null];
    app = undefined;
    return code;
  }

  beforeAll(async () => {
    out = await mkdtemp(path.join(os.tmpdir(), 'keybridge-package-'));
    const [packaged] = await Promise.all([packageApp({ out }), startDesktopSession().then((one) => (session = one))]);
    expect(packaged.out).toBe(out);
    as = await startAuthorizationServer();
    mcp = await startMcpServer({ authorizationServer: as });
    folder = await newDataFolder();
  }, 180_000);

  afterAll(async () => {
    await stopApp().catch(() => {});
    await mcp?.close();
    await as?.close();
    await session?.stop();
    await folder?.remove();
    await rm(out, { recursive: true, force: true });
  });

  it('UI08: has the fuses of a credential manager', async () => {
    expect(await readFuses(file('keybridge'))).toEqual({
      runAsNode: false,
      cookieEncryption: true,
      nodeOptions: false,
      nodeCliInspect: false,
      asarIntegrity: true,
      onlyLoadAppFromAsar: true,
      browserV8Snapshot: false,
      fileProtocolExtraPrivileges: false,
    });
  });

  it('contains the files it needs and no others', async () => {
    expect(readdirSync(file('resources')).toSorted()).toEqual(['app.asar', 'app.asar.unpacked', 'bin']);
    expect(readdirSync(file('resources/bin')).toSorted()).toEqual(['keybridge', 'keytar.node']);
    expect(existsSync(file('version'))).toBe(false);
    const archive = await readFile(file('resources/app.asar'));
    const index = archive.toString('utf8', 16, 16 + archive.readUInt32LE(12));
    expect(Object.keys((JSON.parse(index) as { files: object }).files).toSorted()).toEqual([
      'build',
      'dist',
      'node_modules',
      'package.json',
    ]);
    expect(index).not.toMatch(/\.map"|\.ts"|cli-main|headless|keybridge\.cjs/);
    expect(existsSync(file('resources/app.asar.unpacked/node_modules/keytar/prebuilds/linux-x64/keytar.node'))).toBe(
      true,
    );
  });

  it('starts hidden, with a tray icon and a broker but no window', async () => {
    app = start(['--hidden']);
    const item = await until(
      async () => (await trayItems(session.busAddress)).find(({ pid }) => pid === app?.child.pid),
      'the tray icon',
    );
    expect(lines(await item.menu()).map(({ label }) => label)).toContain('Open Keybridge');
    await until(() => keybridge('status').catch(() => undefined), 'a response to status');
    expect(await keybridge('status')).toMatchObject({ front: 'desktop', store: { name: 'keychain', state: 'ready' } });
    const { stdout } = await exec('xdotool', ['search', '--onlyvisible', '--name', '^Keybridge$'], {
      env: session.env,
    }).catch(() => ({ stdout: '' }));
    expect(stdout).toBe('');
  });

  it('signs in from its own command line and stores the refresh token in the Secret Service', async () => {
    await keybridge('add', mcp.url, '--name', 'work');
    await keybridge('login', 'work');
    expect(await keybridge('status')).toMatchObject({ servers: [{ name: 'work', state: { kind: 'signed_in' } }] });
    expect(JSON.stringify(await storedSecrets(session.busAddress))).toContain(as.issuedTokens().refresh.at(-1));
  });

  it('has a bridge that needs no Node and calls a tool', async () => {
    const host = startHost(file('resources/bin/keybridge'), ['connect', 'work'], {
      KEYBRIDGE_DATA_DIR: folder.dataDir,
    });
    try {
      expect((await host.initialize()).error).toBeUndefined();
      expect(textOf(await host.call('echo', { text: 'from the package' }))).toContain('from the package');
    } finally {
      await host.close();
    }
  });

  it('exits with 0 and is started again by a bridge, hidden', async () => {
    expect(await stopApp()).toBe(0);
    const host = startHost(file('resources/bin/keybridge'), ['connect', 'work'], env());
    try {
      if (launcherSwitches.length > 0) {
        // No bridge can start an app that needs --no-sandbox from a launcher, because that switch is never stored.
        expect(JSON.parse(await readFile(path.join(folder.dataDir, 'app.json'), 'utf8'))).toEqual({
          command: file('keybridge'),
          args: ['--hidden'],
        });
        return;
      }
      expect((await host.initialize()).error).toBeUndefined();
      expect(textOf(await host.call('echo', { text: 'started by the bridge' }, 20_000))).toContain(
        'started by the bridge',
      );
      await until(async () => (await trayItems(session.busAddress)).length > 0, 'its tray icon');
    } finally {
      await host.close();
      for (const { pid } of await trayItems(session.busAddress)) process.kill(pid, 'SIGTERM');
    }
    await until(async () => (await trayItems(session.busAddress)).length === 0, 'its end');
  });

  it.each([
    '--remote-debugging-port=0',
    '--remote-debugging-pipe',
    '--inspect=0',
    '--js-flags=--expose-gc',
    '--enable-logging=file',
  ])('UI07: refuses to start with %s', async (debug) => {
    const refused = start(['--hidden', debug]);
    expect(await refused.ended).toEqual([2, null]);
    expect(refused.output.text).toContain('is not accepted');
  });

  it('UI07 KC12: ignores ELECTRON_RUN_AS_NODE and NODE_OPTIONS and starts as usual', async () => {
    const script = path.join(out, 'script.js');
    await writeFile(script, 'console.log("ran as " + "node")');
    app = start(['--hidden', script], {
      ELECTRON_RUN_AS_NODE: '1',
      NODE_OPTIONS: `--require ${path.join(out, 'not-there.cjs')}`,
    });
    await until(() => keybridge('status').catch(() => undefined), 'a response to status');
    expect(app.output.text).not.toMatch(/ran as node|not-there/);
    expect(await stopApp()).toBe(0);
  });

  it('runs `keybridge serve` without Node, with the keychain', async () => {
    const child = spawn(file('resources/bin/keybridge'), ['serve', '--json'], {
      env: env(),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      expect(JSON.parse(line.toString('utf8'))).toMatchObject({ ready: true, store: 'keychain' });
      expect(await keybridge('status')).toMatchObject({
        front: 'headless',
        store: { state: 'ready' },
        servers: [{ name: 'work', state: { kind: 'signed_in' } }],
      });
    } finally {
      child.stdin.end();
      expect(await ended).toEqual([0, null]);
    }
  });
});
