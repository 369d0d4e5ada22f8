import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startListener } from '../fixtures/listener.ts';
import { until } from '../fixtures/wait.ts';
import { launchApp, newDataFolder, root, type DesktopApp } from './app.ts';
import { startDesktopSession, type DesktopSession } from './session.ts';

/** Rows UI01-UI06, T19 and T20 of the threat model, in the running app. */
describe('the window', () => {
  let session: DesktopSession;
  let app: DesktopApp;
  let folder: Awaited<ReturnType<typeof newDataFolder>>;
  let outside: Awaited<ReturnType<typeof startListener>>;
  const requests: string[] = [];

  beforeAll(async () => {
    session = await startDesktopSession();
    folder = await newDataFolder();
    outside = await startListener((request, response) => {
      requests.push(request.url ?? '');
      response.end('outside');
    });
    app = await launchApp(session, { dataDir: folder.dataDir, env: { KEYBRIDGE_STORE: 'memory' } });
    await app.page.getByRole('button', { name: 'Add your first server' }).waitFor();
  });

  afterAll(async () => {
    await app?.quit().catch(() => {});
    await outside?.close();
    await session?.stop();
    await folder?.remove();
  });

  it('gives its page neither Node nor Electron, only call and onStatus', async () => {
    const seen = await app.page.evaluate(() => ({
      globals: ['process', 'require', 'module', 'Buffer', 'global', 'electron', 'ipcRenderer'].filter(
        (name) => name in globalThis,
      ),
      bridge: Object.keys(window.keybridge).toSorted(),
      frozen: Object.isFrozen(window.keybridge),
    }));
    expect(seen).toEqual({ globals: [], bridge: ['call', 'onStatus'], frozen: true });
  });

  it('is sandboxed, isolated and without Node integration', async () => {
    const preferences = await app.electron.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((window) => {
        const { sandbox, contextIsolation, nodeIntegration, webSecurity, webviewTag } = (
          window.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }
        ).getLastWebPreferences();
        return { sandbox, contextIsolation, nodeIntegration, webSecurity, webviewTag };
      }),
    );
    expect(preferences).toEqual([
      { sandbox: true, contextIsolation: true, nodeIntegration: false, webSecurity: true, webviewTag: false },
    ]);
  });

  it('serves its pages with a content security policy that allows nothing unsafe', async () => {
    const policy = await app.electron.evaluate(async ({ session }) =>
      (await session.fromPartition('window').fetch('app://keybridge/index.html')).headers.get(
        'content-security-policy',
      ),
    );
    expect(policy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
        "connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
  });

  it('UI04: runs no inline script and loads no script or image of another origin', async () => {
    const ran = await app.page.evaluate(async (origin) => {
      const holder = document.createElement('div');
      holder.innerHTML = `<img src="${origin}/picture.png" onerror="window.inlineRan = true">`;
      document.body.append(holder);
      const script = document.createElement('script');
      script.src = `${origin}/script.js`;
      const foreignScript = await new Promise((resolve) => {
        script.addEventListener('load', () => resolve('loaded'));
        script.addEventListener('error', () => resolve('blocked'));
        document.head.append(script);
      });
      const fetched = await fetch(`${origin}/data`).then(
        () => 'loaded',
        () => 'blocked',
      );
      holder.remove();
      script.remove();
      return { foreignScript, fetched, inline: 'inlineRan' in window };
    }, outside.origin);
    expect(ran).toEqual({ foreignScript: 'blocked', fetched: 'blocked', inline: false });
    expect(requests).toEqual([]);
  });

  it('UI05: prevents its page from navigating away, opening a window or embedding one', async () => {
    const before = app.page.url();
    await app.electron.evaluate(({ BrowserWindow }) => {
      const navigations: { url: string; prevented: boolean }[] = [];
      Object.assign(globalThis, { navigations });
      BrowserWindow.getAllWindows()[0]?.webContents.on(
        'will-frame-navigate',
        ({ isMainFrame, url, defaultPrevented }) =>
          void (isMainFrame && navigations.push({ url, prevented: defaultPrevented })),
      );
    });
    const navigations = () =>
      app.electron.evaluate(
        () => (globalThis as unknown as { navigations: { url: string; prevented: boolean }[] }).navigations,
      );
    const opened = await app.page.evaluate((origin) => {
      const window2 = window.open(`${origin}/opened`);
      const frame = document.createElement('iframe');
      frame.src = `${origin}/framed`;
      const view = document.createElement('webview');
      view.setAttribute('src', `${origin}/webview`);
      document.body.append(frame, view);
      window.location.href = `${origin}/gone`;
      return window2 === null;
    }, outside.origin);
    expect(opened).toBe(true);
    await until(async () => (await navigations()).length > 0, 'the attempt to navigate');
    expect(await navigations()).toEqual([{ url: `${outside.origin}/gone`, prevented: true }]);
    expect(app.page.url()).toBe(before);
    expect(app.electron.windows()).toHaveLength(1);
    expect(requests).toEqual([]);
    await app.page.reload();
  });

  it('denies every permission except writing text to the clipboard', async () => {
    const results = await app.page.evaluate(async () => {
      const state = async (name: string) =>
        (await navigator.permissions.query({ name: name as PermissionName }).catch(() => undefined))?.state ??
        'unknown';
      const media = await navigator.mediaDevices.getUserMedia({ audio: true }).then(
        () => 'granted',
        () => 'denied',
      );
      const place = await new Promise((resolve) =>
        navigator.geolocation.getCurrentPosition(
          () => resolve('granted'),
          () => resolve('denied'),
        ),
      );
      const notify = await Notification.requestPermission();
      return { media, place, notify, read: await state('clipboard-read') };
    });
    expect(results).toEqual({ media: 'denied', place: 'denied', notify: 'denied', read: 'denied' });
    // Chromium grants access to the clipboard only to a page that was clicked.
    await app.page.getByRole('heading').first().click();
    expect(
      await app.page.evaluate(() =>
        navigator.clipboard.writeText('a snippet').then(
          () => 'written',
          (error: Error) => error.message,
        ),
      ),
    ).toBe('written');
  });

  it('UI01: rejects an unknown command, a wrong type, a cyclic value and 50 MB with an error', async () => {
    const codes = await app.page.evaluate(async () => {
      const untyped = window.keybridge as unknown as {
        call(name: unknown, input: unknown): Promise<{ ok: boolean; error?: { code: string } }>;
      };
      const code = (name: unknown, input: unknown) =>
        untyped.call(name, input).then(
          (reply) => reply.error?.code ?? 'ok',
          () => 'thrown',
        );
      const loop: Record<string, unknown> = {};
      loop['self'] = loop;
      return Promise.all([
        code('reveal', undefined),
        code('__proto__', undefined),
        code({ name: 'status' }, undefined),
        code('signIn', { server: 7 }),
        code('signIn', { server: 'x', extra: true }),
        code('status', loop),
        code('addServer', { url: 'x'.repeat(50_000_000) }),
      ]);
    });
    expect(codes.slice(0, 5)).toEqual([
      'E_UNKNOWN_COMMAND',
      'E_UNKNOWN_COMMAND',
      'E_UNKNOWN_COMMAND',
      'E_BAD_INPUT',
      'E_BAD_INPUT',
    ]);
    expect(codes[5]).toMatch(/E_BAD_INPUT|thrown/);
    expect(codes[6]).toBe('E_BAD_INPUT');
  });

  it('UI02: rejects commands of another window on the same pages', async () => {
    const response = await app.electron.evaluate(
      async ({ BrowserWindow }, preload) => {
        const second = new BrowserWindow({
          show: false,
          webPreferences: { preload, partition: 'window', sandbox: true },
        });
        await second.loadURL('app://keybridge/index.html');
        const reply: unknown = await second.webContents.executeJavaScript(`window.keybridge.call('status')`);
        second.destroy();
        return reply as { ok: boolean; error?: { code: string } };
      },
      path.join(root, 'dist/preload.cjs'),
    );
    expect(response).toMatchObject({ ok: false, error: { code: 'E_BAD_INPUT' } });
  });

  it('UI06: cannot open addresses from its preload script, only browser.ts can', () => {
    expect(readFileSync(path.join(root, 'electron/desktop/browser.ts'), 'utf8')).toContain('shell.openExternal(');
    const preload = readFileSync(path.join(root, 'dist/preload.cjs'), 'utf8');
    expect(preload).not.toMatch(/shell|openExternal/);
  });

  it('contains nothing of the development server in a build', () => {
    const main = readFileSync(path.join(root, 'dist/main.js'), 'utf8');
    expect(main).toContain("connect-src 'none'");
    expect(main).not.toMatch(/KEYBRIDGE_(?:DEV_SERVER|NONCE)|'nonce-|page-source\.dev/);
  });

  it('reloads its page after a crash, and the core still responds', async () => {
    const ok = await app.electron.evaluate(async ({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      const reloaded = new Promise<void>((resolve) => contents?.once('did-finish-load', () => resolve()));
      contents?.forcefullyCrashRenderer();
      await reloaded;
      return (await contents?.executeJavaScript(
        `window.keybridge.call('status').then((reply) => reply.ok)`,
      )) as unknown;
    });
    expect(ok).toBe(true);
  });

  it.skipIf(process.platform === 'win32')('writes its log and start command for this user only', () => {
    for (const file of ['keybridge.log', 'app.json'])
      expect(statSync(path.join(folder.dataDir, file)).mode & 0o077).toBe(0);
  });
});
