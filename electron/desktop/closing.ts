import { app, dialog, type BrowserWindow } from 'electron';
import { z } from 'zod';
import { readJson } from '../../shared/json.ts';
import { desktopMessages } from '../../shared/messages/en/desktop.ts';
import { translator } from '../../shared/messages/translator.ts';
import { readFileIfThere, writeFileAtomic } from '../core/base/atomic-file.ts';
import { trayIconIsShown } from './tray/tray-host.ts';

const Told = z.object({ toldWhere: z.literal(true) });
const { t } = translator(desktopMessages);

/**
 * What closing the window does: it hides, and the app goes on in the tray, which is said the first time (`toldFile`
 * remembers that). Where no tray shows the icon the window would be gone for good: there each time the person chooses
 * between going on, minimised, and quitting.
 */
export function createClosing(toldFile: string): (window: BrowserWindow) => Promise<void> {
  let asking = false;
  return async (window) => {
    if (asking) return;
    asking = true;
    try {
      if (await trayIconIsShown()) await hide(window, toldFile);
      else await minimizeOrQuit(window);
    } finally {
      asking = false;
    }
  };
}

async function hide(window: BrowserWindow, toldFile: string): Promise<void> {
  if (!(await told(toldFile))) {
    const quit = await choosesQuit(window, t('dialog.hidden'), t('dialog.hiddenDetail', { system: process.platform }));
    // A full disk is no reason to complain: then it is said again.
    await writeFileAtomic(toldFile, JSON.stringify({ toldWhere: true })).catch(() => {});
    if (quit) return app.quit();
  }
  if (!window.isDestroyed()) window.hide();
}

async function minimizeOrQuit(window: BrowserWindow): Promise<void> {
  if (await choosesQuit(window, t('dialog.noTray'), t('dialog.noTrayDetail'))) return app.quit();
  if (!window.isDestroyed()) window.minimize();
}

async function told(file: string): Promise<boolean> {
  const text = await readFileIfThere(file).catch(() => undefined);
  return text !== undefined && Told.safeParse(readJson(text)).success;
}

async function choosesQuit(window: BrowserWindow, message: string, detail: string): Promise<boolean> {
  if (window.isDestroyed()) return false;
  const { response } = await dialog.showMessageBox(window, {
    type: 'info',
    title: t('dialog.title'),
    message,
    detail,
    buttons: [t('dialog.keepRunning'), t('dialog.quit')],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  });
  return response === 1;
}
