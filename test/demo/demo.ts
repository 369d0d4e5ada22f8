import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startPrivateDisplay } from '../../scripts/private-display.mjs';
import { startPrivateKeyring } from '../../scripts/private-keyring.mjs';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { browserProgram } from '../fixtures/browser.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { hasSecretService } from './keychain.ts';
import { driveDemo } from './drive.ts';
import { startDesktopApp } from './desktop-app.ts';

export interface DemoOptions {
  readonly root: string;
  readonly auto: boolean;
  readonly noDisplay: boolean;
  readonly electron: { readonly executable: string; readonly kind: 'release' | 'development' };
}

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Gives the exit code: 0 only when every step really happened. Leaves nothing behind. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const cleanups: (() => Promise<unknown>)[] = [];
  const cleanUp = async () => {
    for (const task of cleanups.splice(0).toReversed()) await task().catch(() => {});
  };
  // Ctrl-C must leave nothing behind either.
  process.once('SIGINT', () => void cleanUp().then(() => process.exit(130)));
  try {
    const dataDir = await mkdtemp(path.join(os.tmpdir(), 'keybridge-demo-'));
    cleanups.push(() => rm(dataDir, { recursive: true, force: true }));
    const authorizationServer = await startAuthorizationServer({ accessTokenSeconds: 60 });
    cleanups.push(() => authorizationServer.close());
    const mcpServer = await startMcpServer({ authorizationServer });
    cleanups.push(() => mcpServer.close());

    const env: Record<string, string | undefined> = { ...process.env, KEYBRIDGE_DATA_DIR: dataDir };
    if (options.auto) env['BROWSER'] = browserProgram;
    if (process.platform === 'linux' && !(await hasSecretService())) {
      const keyring = await startPrivateKeyring();
      cleanups.push(() => keyring.stop());
      env['KEYBRIDGE_KEYCHAIN_DBUS'] = keyring.address;
      say('no keyring is running here: a private one for the keychain process alone');
    }
    if (options.noDisplay) {
      const display = await startPrivateDisplay();
      cleanups.push(() => display.stop());
      env['DISPLAY'] = display.display;
    }
    if (options.electron.kind === 'development') say('the Electron in use is a stand-in for development');

    const app = await startDesktopApp({ root: options.root, executable: options.electron.executable, env, dataDir });
    cleanups.push(() => app.stop());
    if (options.auto) {
      await driveDemo({ say, dataDir, env, authorizationServer, mcpServer });
      await app.stop();
      say('done: every step above really happened');
      return 0;
    }
    await app.call('addServer', { url: mcpServer.url, name: 'demo' });
    const { name, password } = authorizationServer.user;
    say(`The app is open. Its server "demo" is ${mcpServer.url}; sign in as ${name} with the password ${password}.`);
    say('Quit Keybridge (or press Ctrl-C here) to end the demo.');
    await app.ended;
    return 0;
  } catch (error) {
    say(`FAILED: ${error instanceof Error ? error.message : 'unknown'}`);
    return 1;
  } finally {
    await cleanUp();
  }
}
