import { setTimeout as pause } from 'node:timers/promises';
import { dialog } from 'electron';
import { desktopMessages } from '../../shared/messages/en/desktop.ts';
import { translator } from '../../shared/messages/translator.ts';
import { endBroker } from '../broker/control-client.ts';
import { acquireLock } from '../broker/data-folder-lock.ts';
import type { Lock } from '../local-socket/lock.ts';

const { t } = translator(desktopMessages);

/** A broker that ends says goodbye to its servers and stores what is in flight. */
const longestEndMs = 15_000;

/**
 * The lock that makes this app the one owner of the data folder. Another app cannot be there (single instance), but a
 * broker without a window can (`keybridge serve`): then the user is asked, or with `hidden` the other one simply stays.
 * Undefined: this app is to end. Throws E_SOCKET_UNSAFE.
 */
export async function ownDataFolder(dataDir: string, hidden: boolean): Promise<Lock | undefined> {
  let lock = await acquireLock(dataDir);
  while (!lock) {
    if (hidden || !(await userTakesOver(dataDir))) return undefined;
    // It may have ended by itself meanwhile; whether it has gone is what the lock says.
    await endBroker(dataDir).catch(() => {});
    lock = await lockWithin(dataDir, longestEndMs);
  }
  return lock;
}

async function lockWithin(dataDir: string, limitMs: number): Promise<Lock | undefined> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const lock = await acquireLock(dataDir);
    if (lock || performance.now() > deadline) return lock;
    await pause(100);
  }
}

async function userTakesOver(dataDir: string): Promise<boolean> {
  const { response } = await dialog.showMessageBox({
    type: 'question',
    title: t('dialog.title'),
    message: t('dialog.takeOver'),
    detail: t('dialog.takeOverDetail', { dataDir }),
    buttons: [t('dialog.takeOverConfirm'), t('dialog.takeOverCancel')],
    defaultId: 0,
    cancelId: 1,
    noLink: true,
  });
  return response === 0;
}
