// Node's own modules only: the bridge loads this file.
// Written by hand, because packages for locks either need a native module or leave a lock behind when its process dies.
import fs from 'node:fs';
import path from 'node:path';
import { codeOf } from './data-folder.ts';
import { takeSocketLock } from './socket-lock.ts';
import type { Lock, Purpose } from './lock.ts';

/**
 * Takes a lock on a data folder, which must exist. Returns undefined if another process holds it. The lock is inside
 * the folder, where only this user can create anything: another user could take a name that all users share (an
 * abstract socket, a named pipe) and so keep Keybridge from starting. Linux: a listening socket (socket-lock.ts). macOS
 * and the BSDs: a file opened with O_EXLOCK. Windows: a file opened without sharing, which cannot be deleted either.
 */
export async function takeKernelLock(dataDir: string, purpose: Purpose): Promise<Lock | undefined> {
  if (process.platform === 'linux') return takeSocketLock(dataDir, purpose);
  const file = path.join(dataDir, `${purpose}.lock`);
  let fd = await openExclusive(file);
  if (fd === undefined) return undefined;
  return {
    async stillHeld() {
      if (fd !== undefined && fs.lstatSync(file, { throwIfNoEntry: false })?.ino === fs.fstatSync(fd).ino) return true;
      const newFd = await openExclusive(file);
      if (newFd === undefined) return false;
      if (fd !== undefined) fs.closeSync(fd);
      fd = newFd;
      return true;
    },
    async release() {
      if (fd !== undefined) fs.closeSync(fd);
      fd = undefined;
    },
  };
}

/** From <fcntl.h> of macOS and the BSDs, and from libuv's <uv/win.h>. Node has no constants for them. */
const exclusiveLock = process.platform === 'win32' ? 0x1000_0000 : 0x20;
const nonBlocking = process.platform === 'win32' ? 0 : 0x4;
/** On Windows, a virus scanner may have the file open for a moment. */
const maxAttempts = process.platform === 'win32' ? 6 : 1;

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
      if (attempt >= maxAttempts) return undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
