import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServer } from '../fixtures/authorization-server.ts';
import { browserProgram } from '../fixtures/browser.ts';
import { startMcpServer, type RunningMcpServer } from '../fixtures/mcp-server.ts';
import { until } from '../fixtures/wait.ts';
import { launchApp, newDataFolder, type DesktopApp } from './app.ts';
import { startDesktopSession, type DesktopSession } from './session.ts';
import { lines } from './tray-menu.ts';

/** The tray as a panel sees it, over D-Bus. Each test continues where the one before ended. */
describe('the tray', () => {
  let session: DesktopSession;
  let as: AuthorizationServer;
  let mcp: RunningMcpServer;
  let app: DesktopApp;
  let folder: Awaited<ReturnType<typeof newDataFolder>>;

  /** Item ids and bus names change with each new menu, so everything is read again each time. */
  const labels = async () => lines(await (await app.tray()).menu()).map(({ label }) => label);
  const label = (wanted: RegExp) =>
    until(async () => (await labels()).find((one) => wanted.test(one)), `a tray line ${wanted}`);
  const isVisible = () =>
    app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().some((window) => window.isVisible()));

  beforeAll(async () => {
    session = await startDesktopSession();
    as = await startAuthorizationServer();
    mcp = await startMcpServer({ authorizationServer: as });
    folder = await newDataFolder();
    app = await launchApp(session, { dataDir: folder.dataDir, env: { BROWSER: browserProgram } });
  });

  afterAll(async () => {
    await app?.quit().catch(() => {});
    await mcp?.close();
    await as?.close();
    await session?.stop();
    await folder?.remove();
  });

  it('offers to open the window and to quit when there are no servers', async () => {
    expect((await labels()).filter((one) => one !== '')).toEqual([
      'No servers yet',
      'Open Keybridge',
      'Quit Keybridge',
    ]);
  });

  it('has an item for each server with its state', async () => {
    await app.page.evaluate((url) => window.keybridge.call('addServer', { url, name: 'work' }), mcp.url);
    await label(/^work: /);
  });

  it('signs in on a click, and its icon changes with the state', async () => {
    await app.page.evaluate(() => window.keybridge.call('signIn', { server: 'work' }));
    await label(/^work: Signed in/);
    const ok = (await app.tray()).picture;
    await app.page.evaluate(() => window.keybridge.call('signOut', { server: 'work' }));
    await label(/^work: Signed out$/);
    expect((await app.tray()).picture).not.toBe(ok);
    await (await app.tray()).click('Sign in', 'work');
    await label(/^work: Signed in, refreshes/);
    expect((await app.tray()).picture).toBe(ok);
    expect((await app.tray()).tooltip).toBe('Keybridge: Ready');
    expect(as.counts.codeExchangesGranted).toBe(2);
  });

  it('keeps the app running when the window is closed, and its icon opens the window again', async () => {
    await app.electron.evaluate(({ BrowserWindow }) => {
      for (const window of BrowserWindow.getAllWindows()) window.close();
    });
    await until(async () => !(await isVisible()), 'the window to hide');
    await label(/^work: Signed in/);
    await (await app.tray()).activate();
    await until(isVisible, 'the window to come back');
  });

  it('keeps one app: a second start shows the window of the first and exits', async () => {
    await app.electron.evaluate(({ BrowserWindow }) => {
      for (const window of BrowserWindow.getAllWindows()) window.close();
    });
    await until(async () => !(await isVisible()), 'the window to hide');
    await expect(launchApp(session, { dataDir: folder.dataDir })).rejects.toThrow();
    await until(isVisible, 'the window to come back');
  });

  it('opens the page of a server in the window', async () => {
    await (await app.tray()).click('Show in window', 'work');
    await app.page.getByRole('heading', { name: 'work', exact: true }).waitFor();
    await app.page.getByText(mcp.url).first().waitFor();
  });

  it('quits the app', async () => {
    const closed = app.electron.waitForEvent('close');
    const running = app.electron.process();
    // The app may have ended before the click returns.
    await (await app.tray()).click('Quit Keybridge').catch(() => {});
    await closed;
    expect(running.exitCode).toBe(0);
  });
});
