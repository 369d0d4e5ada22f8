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
import { withUndoing, type Ending } from './ending.ts';

export interface DemoOptions {
  readonly root: string;
  /** Drives itself. */
  readonly auto: boolean;
  /** On a screen of its own. */
  readonly noDisplay: boolean;
  /** The keychain child gets a keyring of its own. */
  readonly noKeyring: boolean;
  readonly electron: { readonly executable: string; readonly kind: 'release' | 'development' };
}

/** Returns the exit code: 0 only when every step really happened. Leaves nothing behind. */
export async function runDemo(options: DemoOptions): Promise<number> {
  let last = 'the start';
  const say = (line: string) => {
    last = line.split(/ {2,}|: /)[0] ?? line;
    process.stdout.write(`${line}\n`);
  };
  const ended = await withUndoing((ending) => openApp(options, say, ending));
  if (ended.kind === 'done') {
    if (options.auto) say('done: every step above really happened');
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

async function openApp(options: DemoOptions, say: (line: string) => void, ending: Ending): Promise<void> {
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

  // Chromium and its libraries would leave fonts, shaders and a folder for its socket elsewhere.
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
    say('no keyring is running here: a private one for the keychain process alone');
  }
  if (options.noDisplay) {
    const display = await startPrivateDisplay();
    await atEnd(() => display.stop());
    env['DISPLAY'] = display.display;
    say('no display here: a screen that nobody sees');
  }
  if (options.electron.kind === 'development') say('the Electron in use is a stand-in for development');

  const app = await startDesktopApp(
    { root: options.root, executable: options.electron.executable, env, dataDir },
    ending,
  );
  if (options.auto) return driveDemo({ say, dataDir, env, authorizationServer, mcpServer }, ending);
  await app.call('addServer', { url: mcpServer.url, name: 'demo' });
  const { name, password } = authorizationServer.user;
  say(`The app is open. Its server "demo" is ${mcpServer.url}; sign in as ${name} with the password ${password}.`);
  say('Quit Keybridge (or press Ctrl-C here) to end the demo.');
  await app.ended;
}
