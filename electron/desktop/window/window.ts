import { BrowserWindow, Menu, nativeTheme, session, type MenuItemConstructorOptions, type WebContents } from 'electron';
import { firstPage, isOwnPage } from './page-address.ts';
import { servePages } from './app-protocol.ts';
import { lockSession } from './session-permissions.ts';
import { readBounds, rememberBounds, type Bounds } from './window-bounds.ts';

export interface MainWindow {
  /**
   * Makes the window when there is none, and brings it to the front, at this server's page if one is given (its id).
   */
  show(server?: string): Promise<void>;
  /** The page's contents while there is a window. */
  readonly contents: WebContents | undefined;
  /** It can be seen: neither hidden nor minimised. */
  readonly visible: boolean;
  /** Calls the listener each time it comes into view. */
  onShown(listener: () => void): void;
}

export interface WindowDeps {
  readonly pages: string;
  readonly preload: string;
  readonly boundsFile: string;
  readonly icon: string;
  readonly devTools: boolean;
  /** Instead of closing: the person has asked for that. */
  readonly onClose: (window: BrowserWindow) => Promise<void>;
}

/** Until the page has drawn: its own ground (renderer/theme.css). */
const background = () => (nativeTheme.shouldUseDarkColors ? '#16181a' : '#f5f4f0');

/** In memory only (no `persist:`): nothing of a page is written to the disk. */
const partition = 'window';

/** The one window. Its page is untrusted: sandboxed, on a session that can reach nothing but the app's own files. */
export function createMainWindow(deps: WindowDeps): MainWindow {
  let window: BrowserWindow | undefined;
  let opening: Promise<BrowserWindow> | undefined;
  const shownListeners: (() => void)[] = [];
  const shown = () => {
    for (const listener of shownListeners) listener();
  };
  const own = session.fromPartition(partition);
  for (const one of [own, session.defaultSession]) lockSession(one);
  servePages(own.protocol, deps.pages);
  Menu.setApplicationMenu(Menu.buildFromTemplate(menu(deps.devTools)));

  async function open(): Promise<BrowserWindow> {
    const made = newWindow(deps, await readBounds(deps.boundsFile));
    lockContents(made.webContents);
    rememberBounds(made, deps.boundsFile);
    // The tray, or a second start, brings it back. At the app's end windows are not asked.
    made.on('close', (event) => {
      event.preventDefault();
      void deps.onClose(made).catch(() => made.hide());
    });
    made.on('closed', () => {
      window = undefined;
    });
    made.on('show', shown);
    made.on('restore', shown);
    // A page that died is replaced; the core and its connections never notice (UI11).
    made.webContents.on('render-process-gone', (_event, { reason }) => {
      if (reason !== 'clean-exit' && !made.isDestroyed()) void made.loadURL(firstPage).catch(() => {});
    });
    window = made;
    await made.loadURL(firstPage).catch(() => {});
    return made;
  }

  function start(): Promise<BrowserWindow> {
    opening = open().finally(() => {
      opening = undefined;
    });
    return opening;
  }

  return {
    async show(server) {
      const opened = await (opening ?? (window ? Promise.resolve(window) : start()));
      if (opened.isDestroyed()) return;
      // A change after `#` stays on the page, which hears of it as `hashchange`.
      if (server !== undefined)
        await opened.loadURL(`${firstPage}#server=${encodeURIComponent(server)}`).catch(() => {});
      if (opened.isMinimized()) opened.restore();
      opened.show();
      opened.focus();
    },
    get visible() {
      return window !== undefined && !window.isDestroyed() && window.isVisible() && !window.isMinimized();
    },
    onShown: (listener) => void shownListeners.push(listener),
    get contents() {
      return window && !window.isDestroyed() ? window.webContents : undefined;
    },
  };
}

function newWindow({ preload, icon, devTools }: WindowDeps, bounds: Bounds | undefined): BrowserWindow {
  const made = new BrowserWindow({
    width: 1_000,
    height: 700,
    ...(bounds && { x: bounds.x, y: bounds.y, width: bounds.width, height: bounds.height }),
    minWidth: 380,
    minHeight: 480,
    show: false,
    title: 'Keybridge',
    icon,
    backgroundColor: background(),
    autoHideMenuBar: true,
    webPreferences: {
      preload,
      partition,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      devTools,
    },
  });
  if (bounds?.maximized) made.maximize();
  const followTheme = () => made.setBackgroundColor(background());
  nativeTheme.on('updated', followTheme);
  made.on('closed', () => nativeTheme.off('updated', followTheme));
  return made;
}

/** The page stays where it is: no other address, no second window, no embedded one (UI05). */
function lockContents(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.on('will-navigate', (event) => event.preventDefault());
  contents.on('will-frame-navigate', (event) => event.preventDefault());
  contents.on('will-redirect', (event) => {
    if (!isOwnPage(event.url)) event.preventDefault();
  });
}

/** Invisible but for Alt, except on macOS; it gives the keys for editing, zoom and closing. */
function menu(devTools: boolean): MenuItemConstructorOptions[] {
  return [
    ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    {
      label: 'File',
      submenu: [{ role: 'close' }, ...(process.platform === 'darwin' ? [] : [{ role: 'quit' } as const])],
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        ...(devTools ? [{ role: 'toggleDevTools' } as const] : []),
      ],
    },
  ];
}
