import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startPrivateDisplay } from '../../scripts/private-display.mjs';
import { startPrivateKeyring } from '../../scripts/private-keyring.mjs';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { browserProgram } from '../fixtures/browser.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { startDesktopApp } from './desktop-app.ts';
import { driveDemo } from './drive.ts';
import { withCleanUp, type Ending } from './ending.ts';

export interface DemoOptions {
  readonly root: string;
  /** Runs through the main job by itself. */
  readonly auto: boolean;
  /** Whether to start a private display. */
  readonly noDisplay: boolean;
  /** Whether to start a private keyring for the keychain child. */
  readonly noKeyring: boolean;
  readonly electron: { readonly executable: string; readonly kind: 'release' | 'development' };
}

/** Returns the exit code, which is 0 only if every step happened. Leaves no files behind. */
export async function runDemo(options: DemoOptions): Promise<number> {
  let last = 'the start';
  const print = (line: string) => {
    last = line.split(/ {2,}|: /)[0] ?? line;
    process.stdout.write(`${line}\n`);
  };
  const ended = await withCleanUp((ending) => openApp(options, print, ending));
  if (ended.kind === 'done') {
    if (options.auto) print('done: every step above really happened');
    return 0;
  }
  if (ended.kind === 'interrupted') {
    process.stdout.write('interrupted; nothing was left behind\n');
    return ended.exitCode;
  }
  process.stdout.write(
    `FAILED after "${last}": ${ended.error instanceof Error ? ended.error.message : String(ended.error)}\n`,
  );
  return 1;
}

async function openApp(options: DemoOptions, print: (line: string) => void, ending: Ending): Promise<void> {
  const { atEnd } = ending;
  const place = await mkdtemp(path.join(os.tmpdir(), 'keybridge-demo-'));
  await atEnd(() => rm(place, { recursive: true, force: true, maxRetries: 5 }));
  const dataDir = path.join(place, 'data');
  const [cache, temporary] = [path.join(place, 'cache'), path.join(place, 'tmp')];
  await mkdir(temporary);
  const authorizationServer = await startAuthorizationServer({ accessTokenSeconds: 60 });
  await atEnd(() => authorizationServer.close());
  const mcpServer = await startMcpServer({ authorizationServer });
  await atEnd(() => mcpServer.close());

  // Otherwise Chromium and its libraries would leave caches and a folder for its socket elsewhere.
  const env: Record<string, string | undefined> = {
    ...process.env,
    KEYBRIDGE_DATA_DIR: dataDir,
    XDG_CACHE_HOME: cache,
    TMPDIR: temporary,
  };
  if (options.auto) env['BROWSER'] = browserProgram;
  if (options.noKeyring) {
    const keyring = await startPrivateKeyring();
    await atEnd(() => keyring.stop());
    env['KEYBRIDGE_KEYCHAIN_DBUS'] = keyring.address;
    print('There is no keyring, so the keychain process gets a private one.');
  }
  if (options.noDisplay) {
    const display = await startPrivateDisplay();
    await atEnd(() => display.stop());
    env['DISPLAY'] = display.display;
    print('There is no display, so the app runs on a private one.');
  }
  if (options.electron.kind === 'development') print('This Electron is a stand-in for development.');

  const app = await startDesktopApp(
    { root: options.root, executable: options.electron.executable, env, dataDir },
    ending,
  );
  if (options.auto) return driveDemo({ print, dataDir, env, authorizationServer, mcpServer }, ending);
  await app.call('addServer', { url: mcpServer.url, name: 'demo' });
  const { name, password } = authorizationServer.user;
  print(`The app is open. Its server "demo" is ${mcpServer.url}; sign in as ${name} with the password ${password}.`);
  print('Quit Keybridge (or press Ctrl-C here) to end the demo.');
  await app.ended;
}
