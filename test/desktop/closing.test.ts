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

/**
 * Stands in for the person at the system's message boxes: takes this button each time. Returns what the boxes have
 * said.
 */
async function answering(app: DesktopApp, button: string): Promise<() => Promise<string[]>> {
  await app.electron.evaluate(({ dialog }, wanted) => {
    const said: string[] = [];
    Object.assign(globalThis, { said });
    Object.assign(dialog, {
      async showMessageBox(
        _window: unknown,
        { message, detail, buttons }: { message: string; detail: string; buttons: string[] },
      ) {
        said.push(`${message} ${detail}`);
        return { response: buttons.indexOf(wanted), checkboxChecked: false };
      },
    });
  }, button);
  return () => app.electron.evaluate(() => (globalThis as unknown as { said: string[] }).said);
}

const close = (app: DesktopApp) =>
  app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
const look = (app: DesktopApp) =>
  app.electron.evaluate(({ BrowserWindow }) => {
    const window = BrowserWindow.getAllWindows()[0];
    return window?.isMinimized() ? 'minimized' : window?.isVisible() ? 'shown' : 'hidden';
  });

describe('closing the window', () => {
  it('The first time the window says where it goes before it hides, and never again, also after a restart', async () => {
    const place = await desktop();
    const app = await start(place);
    const said = await answering(app, 'Keep running');
    // Chromium announces its icon a moment after it has made it.
    await app.tray();
    await close(app);
    await until(async () => (await look(app)) === 'hidden', 'the window to hide');
    expect(await said()).toEqual([
      expect.stringMatching(/^Keybridge keeps running Its icon in the tray opens this window again/),
    ]);

    await (await app.tray()).activate();
    await until(async () => (await look(app)) === 'shown', 'the window to come back');
    await close(app);
    await until(async () => (await look(app)) === 'hidden', 'the window to hide');
    expect(await said()).toHaveLength(1);
    await app.quit();

    const again = await start(place);
    const saidAgain = await answering(again, 'Keep running');
    await again.tray();
    await close(again);
    await until(async () => (await look(again)) === 'hidden', 'the window to hide');
    expect(await saidAgain()).toEqual([]);
  });

  it('A person who wanted to end it can quit from there', async () => {
    const app = await start(await desktop());
    await answering(app, 'Quit Keybridge');
    await app.tray();
    const running = app.electron.process();
    const closed = app.electron.waitForEvent('close');
    // The app may be gone before it has answered.
    await close(app).catch(() => {});
    await closed;
    expect(running.exitCode).toBe(0);
  });

  it('Where no tray shows the icon the window does not vanish: it asks each time, and is minimized', async () => {
    const app = await start(await desktop({ tray: false }));
    const said = await answering(app, 'Keep running');
    await close(app);
    await until(async () => (await look(app)) === 'minimized', 'the window to be minimized');
    await app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.restore());
    await until(async () => (await look(app)) === 'shown', 'the window to come back');
    await close(app);
    await until(async () => (await look(app)) === 'minimized', 'the window to be minimized');
    expect(await said()).toEqual([
      expect.stringContaining('Keep Keybridge running?'),
      expect.stringContaining('No tray on this desktop'),
    ]);
  });

  it('Where no tray shows the icon it can be quit by closing its window', async () => {
    const app = await start(await desktop({ tray: false }));
    await answering(app, 'Quit Keybridge');
    const running = app.electron.process();
    const closed = app.electron.waitForEvent('close');
    await close(app).catch(() => {});
    await closed;
    expect(running.exitCode).toBe(0);
  });
});
