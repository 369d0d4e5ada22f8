import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../fixtures/wait.ts';
import { launchApp, newDataFolder, type DesktopApp } from './app.ts';
import { startDesktopSession, type DesktopSession } from './session.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function desktop({ tray = true } = {}): Promise<{ session: DesktopSession; dataDir: string }> {
  const session = await startDesktopSession({ tray });
  closing.push(() => session.stop());
  const { dataDir, remove } = await newDataFolder({ closedBefore: false });
  closing.push(remove);
  return { session, dataDir };
}

async function start({ session, dataDir }: { session: DesktopSession; dataDir: string }): Promise<DesktopApp> {
  const app = await launchApp(session, { dataDir, env: { KEYBRIDGE_STORE: 'memory' } });
  closing.push(() => app.quit().catch(() => {}));
  await app.page.getByRole('button', { name: 'Add your first server' }).waitFor();
  return app;
}

/** Presses this button in each message box of the app. Returns a function that reads the texts of the boxes. */
async function pressInDialogs(app: DesktopApp, button: string): Promise<() => Promise<string[]>> {
  await app.electron.evaluate(({ dialog }, wanted) => {
    const texts: string[] = [];
    Object.assign(globalThis, { texts });
    Object.assign(dialog, {
      async showMessageBox(
        _window: unknown,
        { message, detail, buttons }: { message: string; detail: string; buttons: string[] },
      ) {
        texts.push(`${message} ${detail}`);
        return { response: buttons.indexOf(wanted), checkboxChecked: false };
      },
    });
  }, button);
  return () => app.electron.evaluate(() => (globalThis as unknown as { texts: string[] }).texts);
}

const close = (app: DesktopApp) =>
  app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
const windowState = (app: DesktopApp) =>
  app.electron.evaluate(({ BrowserWindow }) => {
    const window = BrowserWindow.getAllWindows()[0];
    return window?.isMinimized() ? 'minimized' : window?.isVisible() ? 'shown' : 'hidden';
  });

describe('closing the window', () => {
  it('explains only the first time, even over a restart, that the app keeps running in the tray', async () => {
    const place = await desktop();
    const app = await start(place);
    const texts = await pressInDialogs(app, 'Keep running');
    // Chromium registers its icon some time after it created it.
    await app.tray();
    await close(app);
    await until(async () => (await windowState(app)) === 'hidden', 'the window to hide');
    expect(await texts()).toEqual([
      expect.stringMatching(/^Keybridge keeps running Its icon in the tray opens this window again/),
    ]);

    await (await app.tray()).activate();
    await until(async () => (await windowState(app)) === 'shown', 'the window to come back');
    await close(app);
    await until(async () => (await windowState(app)) === 'hidden', 'the window to hide');
    expect(await texts()).toHaveLength(1);
    await app.quit();

    const again = await start(place);
    const textsAgain = await pressInDialogs(again, 'Keep running');
    await again.tray();
    await close(again);
    await until(async () => (await windowState(again)) === 'hidden', 'the window to hide');
    expect(await textsAgain()).toEqual([]);
  });

  it('offers to quit in the dialog that explains the tray', async () => {
    const app = await start(await desktop());
    await pressInDialogs(app, 'Quit Keybridge');
    await app.tray();
    const running = app.electron.process();
    const closed = app.electron.waitForEvent('close');
    // The app may have ended before the call returns.
    await close(app).catch(() => {});
    await closed;
    expect(running.exitCode).toBe(0);
  });

  it('asks each time and minimizes the window if no tray shows the icon', async () => {
    const app = await start(await desktop({ tray: false }));
    const texts = await pressInDialogs(app, 'Keep running');
    await close(app);
    await until(async () => (await windowState(app)) === 'minimized', 'the window to be minimized');
    await app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.restore());
    await until(async () => (await windowState(app)) === 'shown', 'the window to come back');
    await close(app);
    await until(async () => (await windowState(app)) === 'minimized', 'the window to be minimized');
    expect(await texts()).toEqual([
      expect.stringContaining('Keep Keybridge running?'),
      expect.stringContaining('No tray on this desktop'),
    ]);
  });

  it('quits the app if no tray shows the icon and the user chooses that', async () => {
    const app = await start(await desktop({ tray: false }));
    await pressInDialogs(app, 'Quit Keybridge');
    const running = app.electron.process();
    const closed = app.electron.waitForEvent('close');
    await close(app).catch(() => {});
    await closed;
    expect(running.exitCode).toBe(0);
  });
});
