import { BrowserWindow, Menu, nativeTheme, session, type MenuItemConstructorOptions, type WebContents } from 'electron';
import { desktopMessages } from '../../../shared/messages/en/desktop.ts';
import { translator } from '../../../shared/messages/translator.ts';
import { firstPage, isOwnPage } from './page-address.ts';
import { servePages } from './app-protocol.ts';
import { lockSession } from './session-permissions.ts';
import { readBounds, rememberBounds, type Bounds } from './window-bounds.ts';

const { t } = translator(desktopMessages);

export interface MainWindow {
  /** Opens the window if there is none and brings it to the front, on the page of a server if its id is given. */
  show(server?: string): Promise<void>;
  /** Undefined while there is no window. */
  readonly contents: WebContents | undefined;
  /** Whether the window is neither hidden nor minimized. */
  readonly visible: boolean;
  /** Calls the listener each time the window becomes visible. */
  onShown(listener: () => void): void;
}

export interface WindowDeps {
  readonly pages: string;
  readonly preload: string;
  readonly boundsFile: string;
  readonly icon: string;
  readonly devTools: boolean;
  /** Called when the user closes the window, which does not close by itself. */
  readonly onClose: (window: BrowserWindow) => Promise<void>;
}

/** Shown until the page is drawn. The same colours as in renderer/theme.css. */
const background = () => (nativeTheme.shouldUseDarkColors ? '#16181a' : '#f5f4f0');

/** Without the prefix `persist:` the session is kept in memory, so pages write nothing to the disk. */
const partition = 'window';

/** The only window. Its page is untrusted: sandboxed, with a session that can load only the app's own files. */
export function createMainWindow(deps: WindowDeps): MainWindow {
  let window: BrowserWindow | undefined;
  let opening: Promise<BrowserWindow> | undefined;
  const shownListeners: (() => void)[] = [];
  const notifyShown = () => {
    for (const listener of shownListeners) listener();
  };
  const own = session.fromPartition(partition);
  for (const one of [own, session.defaultSession]) lockSession(one);
  servePages(own.protocol, deps.pages);
  Menu.setApplicationMenu(Menu.buildFromTemplate(menu(deps.devTools)));

  async function open(): Promise<BrowserWindow> {
    const created = newWindow(deps, await readBounds(deps.boundsFile));
    lockContents(created.webContents);
    rememberBounds(created, deps.boundsFile);
    // Closing only hides the window. Quitting the app emits no `close` here (lifecycle.ts).
    created.on('close', (event) => {
      event.preventDefault();
      void deps.onClose(created).catch(() => created.hide());
    });
    created.on('closed', () => {
      window = undefined;
    });
    created.on('show', notifyShown);
    created.on('restore', notifyShown);
    // A page that crashed is loaded again. The core and its connections are not affected (UI11).
    created.webContents.on('render-process-gone', (_event, { reason }) => {
      if (reason !== 'clean-exit' && !created.isDestroyed()) void created.loadURL(firstPage).catch(() => {});
    });
    window = created;
    await created.loadURL(firstPage).catch(() => {});
    return created;
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
      // A change of the fragment does not reload the page, which gets a `hashchange` event.
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
  const created = new BrowserWindow({
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
  if (bounds?.maximized) created.maximize();
  const followTheme = () => created.setBackgroundColor(background());
  nativeTheme.on('updated', followTheme);
  created.on('closed', () => nativeTheme.off('updated', followTheme));
  return created;
}

/** Prevents navigation to other addresses, further windows and embedded pages (UI05). */
function lockContents(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.on('will-navigate', (event) => event.preventDefault());
  contents.on('will-frame-navigate', (event) => event.preventDefault());
  contents.on('will-redirect', (event) => {
    if (!isOwnPage(event.url)) event.preventDefault();
  });
}

/** Provides the shortcuts for editing, zoom and closing. Hidden until Alt is pressed, except on macOS. */
function menu(devTools: boolean): MenuItemConstructorOptions[] {
  return [
    ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    {
      label: t('menu.file'),
      submenu: [{ role: 'close' }, ...(process.platform === 'darwin' ? [] : [{ role: 'quit' } as const])],
    },
    { role: 'editMenu' },
    {
      label: t('menu.view'),
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        ...(devTools ? [{ role: 'toggleDevTools' } as const] : []),
      ],
    },
  ];
}
