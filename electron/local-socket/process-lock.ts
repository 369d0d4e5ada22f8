// Node's own modules only: the bridge loads this file.
import fs from 'node:fs';
import path from 'node:path';
import { codeOf } from './data-folder.ts';
import { takeSocketLock } from './socket-lock.ts';

/** Held until released, or until the process ends in whatever way: the kernel lets go of it. */
export interface Lock {
  /**
   * Whether it is still this process's. What lies of it in the folder is made again when somebody deleted it; false
   * when another process was faster.
   */
  stillHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/** `broker`: for the one owner of the folder. `starter`: for the one bridge that starts an owner. */
export type Purpose = 'broker' | 'starter';

/**
 * A lock on a data folder, which must exist; undefined when another process holds it. It lies inside the folder, where
 * nobody but this user can put anything: a name that all users share (an abstract socket, a named pipe) could be taken
 * by another one, who would keep Keybridge from starting.
 * Linux: a listening socket (socket-lock.ts). macOS and the BSDs: a file opened with O_EXLOCK. Windows: a file that is
 * opened without sharing, which also keeps it from being deleted.
 */
export async function takeKernelLock(dataDir: string, purpose: Purpose): Promise<Lock | undefined> {
  if (process.platform === 'linux') return takeSocketLock(dataDir, purpose);
  const file = path.join(dataDir, `${purpose}.lock`);
  let fd = await openExclusive(file);
  if (fd === undefined) return undefined;
  return {
    async stillHeld() {
      if (fd !== undefined && fs.lstatSync(file, { throwIfNoEntry: false })?.ino === fs.fstatSync(fd).ino) return true;
      const again = await openExclusive(file);
      if (again === undefined) return false;
      if (fd !== undefined) fs.closeSync(fd);
      fd = again;
      return true;
    },
    async release() {
      if (fd !== undefined) fs.closeSync(fd);
      fd = undefined;
    },
  };
}

/** From <fcntl.h> of macOS and the BSDs, and from libuv's <uv/win.h>; Node has no constants for them. */
const exclusiveLock = process.platform === 'win32' ? 0x1000_0000 : 0x20;
const nonBlocking = process.platform === 'win32' ? 0 : 0x4;
/** On Windows a scanner that looks at the file for a moment keeps it from being opened, too. */
const tries = process.platform === 'win32' ? 6 : 1;

async function openExclusive(file: string): Promise<number | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return fs.openSync(
        file,
        fs.constants.O_RDWR | fs.constants.O_CREAT | (fs.constants.O_NOFOLLOW ?? 0) | exclusiveLock | nonBlocking,
        0o600,
      );
    } catch (error) {
      if (!['EAGAIN', 'EWOULDBLOCK', 'EBUSY'].includes(codeOf(error))) throw error;
      if (attempt >= tries) return undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
