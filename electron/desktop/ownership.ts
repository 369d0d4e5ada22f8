import { dialog } from 'electron';
import { acquireLock, type Lock } from '../broker/lock.ts';

/**
 * The lock that makes this app the one owner of the data folder. Another app cannot be there (single instance), but a
 * broker without a window can (`keybridge serve`): then the user is asked, or with `hidden` the other one simply stays.
 * Undefined: this app is to end. Throws E_SOCKET_UNSAFE.
 */
export async function ownDataFolder(dataDir: string, hidden: boolean): Promise<Lock | undefined> {
  for (;;) {
    const lock = await acquireLock(dataDir);
    if (lock || hidden) return lock;
    const { response } = await dialog.showMessageBox({
      type: 'info',
      title: 'Keybridge',
      message: 'Keybridge is already running without a window',
      detail: `It was started with “keybridge serve” and looks after the sign-ins in ${dataDir}. End it there, then try again: only one can do this at a time.`,
      buttons: ['Try again', 'Quit'],
      defaultId: 0,
      cancelId: 1,
      noLink: true,
    });
    if (response !== 0) return undefined;
  }
}
