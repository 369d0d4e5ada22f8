// Node's own modules only: the bridge loads this file.
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { codeOf } from './data-folder.ts';
import type { Purpose } from './lock.ts';
import { holdersOf, listeners } from './own-socket.ts';

/** Longest path of a Unix socket on Linux, in bytes (sun_path). */
const longestPath = 107;

/** The files of one lock (socket-lock.ts). */
export interface LockFiles {
  /** The highest number of a lock file; 0 if there is none. */
  highestNumber(): number;
  /** The lock file with this number. */
  numbered(number: number): string;
  /** A new name that no other process uses. */
  newName(kind: 'draft' | 'owner'): string;
  /** Whether another process of this user is marked as the owner of the folder. */
  hasOwner(): boolean;
  /** Removes the lower numbers, and the files of dead processes. */
  removeOlder(number: number): Promise<void>;
  close(): void;
}

export function lockFilesIn(folder: string, purpose: Purpose): LockFiles {
  const realFolder = fs.realpathSync(folder);
  const prefix = `${purpose}-${createHash('sha256').update(realFolder).digest('hex').slice(0, 16)}-`;
  const numberedName = new RegExp(`^${purpose}\\.lock\\.([1-9]\\d{0,14})$`);
  // A path through an open descriptor of the folder is short enough for a socket.
  const isTooLong = Buffer.byteLength(path.join(realFolder, `${prefix}${'x'.repeat(18)}`)) > longestPath;
  const fd = isTooLong ? fs.openSync(realFolder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY) : undefined;
  const base = fd === undefined ? realFolder : `/proc/self/fd/${fd}`;
  const names = () => fs.readdirSync(realFolder);
  const numbers = () =>
    names()
      .flatMap((name) => numberedName.exec(name)?.[1] ?? [])
      .map(Number);
  const numbered = (number: number) => path.join(base, `${purpose}.lock.${number}`);
  return {
    highestNumber: () => Math.max(0, ...numbers()),
    numbered,
    newName: (kind) => path.join(base, `${prefix}${randomBytes(6).toString('hex')}.${kind}`),
    hasOwner() {
      const marks = listeners().filter(
        (listener) => path.basename(listener.path).startsWith(prefix) && listener.path.endsWith('.owner'),
      );
      const pids = [...holdersOf(marks.map(({ inode }) => inode)).values()];
      return pids.some((pid) => pid !== process.pid && isSameFolder(realFolder, `/proc/${pid}/root${realFolder}`));
    },
    async removeOlder(number) {
      for (const older of numbers()) if (older < number) removeFile(numbered(older));
      for (const name of names()) {
        const file = path.join(base, name);
        if (name.startsWith(prefix) && (await socketState(file)) === 'dead') removeFile(file);
      }
    },
    close() {
      if (fd !== undefined) fs.closeSync(fd);
    },
  };
}

/** Whether a process listens on a socket's file. 'gone': the file does not exist. */
export function socketState(file: string): Promise<'alive' | 'dead' | 'gone'> {
  return new Promise((resolve) => {
    const socket = net.connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve('alive');
    });
    socket.once('error', (error) => {
      const code = codeOf(error);
      if (code === 'ENOENT') resolve(fs.lstatSync(file, { throwIfNoEntry: false }) ? 'dead' : 'gone');
      // No other error proves that the process has ended: EAGAIN means that its queue is full.
      else resolve(code === 'ECONNREFUSED' ? 'dead' : 'alive');
    });
  });
}

/** Something that cannot be removed (a folder that a user created) does no harm. */
function removeFile(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {}
}

/** A process with another root (a container) may have another folder with this path. */
function isSameFolder(one: string, other: string): boolean {
  try {
    const [a, b] = [fs.statSync(one), fs.statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}
