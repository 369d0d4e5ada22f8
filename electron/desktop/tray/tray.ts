import path from 'node:path';
import { Menu, nativeImage, Tray, type MenuItemConstructorOptions } from 'electron';
import type { App } from '../../core/app/app.ts';
import type { Status } from '../../../shared/model.ts';
import { trayModel, type TrayAction, type TrayIcon, type TrayItem, type TrayModel } from './tray-model.ts';
import type { Clock } from '../../core/base/clock.ts';

export interface TrayDeps {
  readonly app: App;
  readonly clock: Clock;
  /** Folder with the icons. */
  readonly icons: string;
  readonly onAction: (action: TrayAction) => void;
}

const minuteMs = 60_000;

/**
 * Shows the tray icon with its menu, as tray-model.ts derives them from the status. Returns a function that removes it.
 */
export function createTray({ app, clock, icons, onAction }: TrayDeps): () => void {
  let tray: Tray | undefined;
  let shown = '';
  let cancelTick = () => {};

  function render(status: Status): void {
    cancelTick();
    const model = trayModel(status, clock.now());
    // To stay idle, there is no timer unless a label counts minutes, and no new menu unless a label changes.
    if (model.countsMinutes) cancelTick = clock.after(minuteMs, () => render(app.status.current()));
    const text = JSON.stringify(model);
    if (text === shown) return;
    shown = text;
    draw(model);
  }

  function draw(model: TrayModel): void {
    const icon = iconFrom(icons, model.icon);
    if (!tray) {
      tray = new Tray(icon);
      tray.on('click', () => onAction({ kind: 'open' }));
    } else {
      tray.setImage(icon);
    }
    tray.setToolTip(model.tooltip);
    tray.setContextMenu(Menu.buildFromTemplate(model.items.map((item) => menuItem(item, onAction))));
  }

  const unsubscribe = app.status.subscribe(render);
  return () => {
    unsubscribe();
    cancelTick();
    tray?.destroy();
  };
}

/** macOS takes only the shape and colours it itself. */
function iconFrom(folder: string, icon: TrayIcon) {
  const suffix = process.platform === 'darwin' ? '-template' : process.platform === 'win32' ? '-16' : '';
  const image = nativeImage.createFromPath(path.join(folder, `${icon}${suffix}.png`));
  image.setTemplateImage(process.platform === 'darwin');
  return image;
}

function menuItem(item: TrayItem, onAction: (action: TrayAction) => void): MenuItemConstructorOptions {
  switch (item.kind) {
    case 'separator':
      return { type: 'separator' };
    case 'text':
      return { label: withoutShortcut(item.label), enabled: false };
    case 'action':
      return { label: withoutShortcut(item.label), click: () => onAction(item.action) };
    case 'submenu':
      return { label: withoutShortcut(item.label), submenu: item.items.map((inner) => menuItem(inner, onAction)) };
  }
}

/** In a menu, an ampersand marks the next letter as a shortcut. */
const withoutShortcut = (label: string): string => label.replaceAll('&', '&&');
