import { setTimeout as pause } from 'node:timers/promises';
import { dialog } from 'electron';
import { endBroker } from '../broker/control-client.ts';
import { acquireLock, type Lock } from '../broker/data-folder-lock.ts';

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
    title: 'Keybridge',
    message: 'Keybridge is already running without a window',
    detail: `It was started with “keybridge serve” and looks after the sign-ins in ${dataDir}. Only one can do that at a time. If this window takes over, that one ends; connected apps stay connected.`,
    buttons: ['Take over', 'Quit'],
    defaultId: 0,
    cancelId: 1,
    noLink: true,
  });
  return response === 0;
}
