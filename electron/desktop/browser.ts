import { shell } from 'electron';
import { AppError } from '../core/base/errors.ts';
import { openSystemBrowser } from '../platform/system-browser.ts';

/**
 * Opens a page in the user's browser. This is the only use of `shell.openExternal` (UI06). The core has checked the
 * address, and its scheme is checked again here, because the system starts programs for other schemes (T1). Honours
 * $BROWSER on Linux. Rejects with E_BROWSER.
 */
export async function openBrowser(url: URL): Promise<void> {
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new AppError('E_BROWSER', 'Only web addresses are opened in the browser.');
  if (process.platform === 'linux' && process.env['BROWSER']) return openSystemBrowser(url);
  try {
    await shell.openExternal(url.href);
  } catch (error) {
    throw new AppError('E_BROWSER', 'The browser could not be opened.', { cause: error });
  }
}
