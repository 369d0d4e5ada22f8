import { app, dialog, type BrowserWindow } from 'electron';
import { z } from 'zod';
import { readJson } from '../../shared/json.ts';
import { desktopMessages } from '../../shared/messages/en/desktop.ts';
import { translator } from '../../shared/messages/translator.ts';
import { readFileIfThere, writeFileAtomic } from '../core/base/atomic-file.ts';
import { trayIconIsShown } from './tray/tray-host.ts';

/** Content of the file that remembers the explanation. */
const Explained = z.object({ toldWhere: z.literal(true) });
const { t } = translator(desktopMessages);

/**
 * Returns what closing the window does. The window hides and the app keeps running in the tray; a dialog explains that
 * the first time (`explainedFile` remembers it). If no tray shows the icon, nothing could bring the window back, so a
 * dialog asks each time whether to minimize it or to quit.
 */
export function createClosing(explainedFile: string): (window: BrowserWindow) => Promise<void> {
  let asking = false;
  return async (window) => {
    if (asking) return;
    asking = true;
    try {
      if (await trayIconIsShown()) await hide(window, explainedFile);
      else await minimizeOrQuit(window);
    } finally {
      asking = false;
    }
  };
}

async function hide(window: BrowserWindow, explainedFile: string): Promise<void> {
  if (!(await wasExplained(explainedFile))) {
    const quit = await choosesQuit(window, t('dialog.hidden'), t('dialog.hiddenDetail', { system: process.platform }));
    // If this fails, the dialog is only shown again.
    await writeFileAtomic(explainedFile, JSON.stringify({ toldWhere: true })).catch(() => {});
    if (quit) return app.quit();
  }
  if (!window.isDestroyed()) window.hide();
}

async function minimizeOrQuit(window: BrowserWindow): Promise<void> {
  if (await choosesQuit(window, t('dialog.noTray'), t('dialog.noTrayDetail'))) return app.quit();
  if (!window.isDestroyed()) window.minimize();
}

async function wasExplained(file: string): Promise<boolean> {
  const text = await readFileIfThere(file).catch(() => undefined);
  return text !== undefined && Explained.safeParse(readJson(text)).success;
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
