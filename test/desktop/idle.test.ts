import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callBroker } from '../../electron/broker/control-client.ts';
import { startAuthorizationServer, type AuthorizationServer } from '../fixtures/authorization-server.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { until } from '../fixtures/wait.ts';
import { launchApp, newDataFolder, type DesktopApp } from './app.ts';
import { startDesktopSession, type DesktopSession } from './session.ts';

describe('a hidden window', () => {
  let session: DesktopSession;
  let as: AuthorizationServer;
  let mcp: RunningMcpServer;
  let app: DesktopApp;
  let folder: Awaited<ReturnType<typeof newDataFolder>>;

  const visible = () =>
    app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().some((window) => window.isVisible()));
  const stateNow = async () => (await callBroker(folder.dataDir, 'status', undefined)).servers[0]?.state;
  /** The number of running animations, and the text of the page. */
  const page = () =>
    app.page.evaluate(() => ({ animations: document.getAnimations().length, text: document.body.textContent ?? '' }));

  beforeAll(async () => {
    session = await startDesktopSession();
    folder = await newDataFolder();
    as = await startAuthorizationServer();
    mcp = await startMcpServer({ authorizationServer: as });
    app = await launchApp(session, {
      dataDir: folder.dataDir,
      env: { BROWSER: '/bin/true', KEYBRIDGE_STORE: 'memory' },
    });
    await callBroker(folder.dataDir, 'addServer', { url: mcp.url, name: 'work' });
    await app.page.getByRole('button', { name: 'work', exact: true }).waitFor();
  });

  afterAll(async () => {
    await app?.quit().catch(() => {});
    await mcp?.close();
    await as?.close();
    await session?.stop();
    await folder?.remove();
  });

  it('does not draw a change of the status until it is shown', async () => {
    await app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    await until(async () => !(await visible()), 'the window to hide');
    const before = await page();
    callBroker(folder.dataDir, 'signIn', { server: 'work', openBrowser: false }).catch(() => {});
    await until(async () => {
      const state = await stateNow();
      return state?.kind === 'signing_in' && state.step === 'browser';
    }, 'the sign-in');
    // Messages arrive in order: what was sent to the page before this call has arrived before it.
    expect(await page()).toEqual(before);
    expect(before.animations).toBe(0);

    await app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.show());
    await app.page.getByText('waiting for the browser').first().waitFor();
    await callBroker(folder.dataDir, 'cancelSignIn', { server: 'work' });
    await app.page.getByText('Not signed in yet').first().waitFor();
  });
});
