import { setTimeout as pause } from 'node:timers/promises';
import { dialog } from 'electron';
import { desktopMessages } from '../../shared/messages/en/desktop.ts';
import { translator } from '../../shared/messages/translator.ts';
import { endBroker } from '../broker/control-client.ts';
import { acquireLock } from '../broker/data-folder-lock.ts';
import type { Lock } from '../local-socket/lock.ts';

const { t } = translator(desktopMessages);

/** How long a broker may take to end its sessions and to store tokens that are in flight. */
const endLimitMs = 15_000;

/**
 * Acquires the lock that makes this app the only owner of the data folder. If `keybridge serve` holds it, asks whether
 * to take over; with `hidden` it does not ask. Returns undefined if the app is to quit. Throws E_SOCKET_UNSAFE.
 */
export async function ownDataFolder(dataDir: string, hidden: boolean): Promise<Lock | undefined> {
  let lock = await acquireLock(dataDir);
  while (!lock) {
    if (hidden || !(await userTakesOver(dataDir))) return undefined;
    // An error does not matter: the lock shows whether the broker has ended.
    await endBroker(dataDir).catch(() => {});
    lock = await lockWithin(dataDir, endLimitMs);
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
