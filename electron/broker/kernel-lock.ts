// Node's own modules only: the bridge loads this file.
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

/** Held until released, or until the process ends in whatever way: the kernel lets go of it. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * A lock on a data folder without any state on disk that could go stale; undefined when another process holds it.
 * `broker`: for the one owner of the folder. `starter`: for the one bridge that starts an owner.
 * Linux: an abstract socket, bound by one process at a time; its name follows from the folder's key, so that no other
 * user can take it first (abstract names have no owner). It holds within one network namespace.
 * Windows: a named pipe, of which libuv asks for the first instance. macOS and BSD: an open file with O_EXLOCK.
 */
export async function takeKernelLock(dataDir: string, key: Buffer, purpose: 'broker' | 'starter'): Promise<Lock | undefined> {
  const name = `keybridge-${createHmac('sha256', key).update(`lock ${purpose}`).digest('hex').slice(0, 32)}`;
  if (process.platform === 'linux') return bind(`\0${name}`);
  if (process.platform === 'win32') return bind(`\\\\.\\pipe\\${name}`);
  return openExclusive(path.join(dataDir, `${purpose}.lock`));
}

function bind(address: string): Promise<Lock | undefined> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => {
      server.unref();
      const release = () =>
        new Promise<void>((done) => {
          server.close(() => done());
        });
      resolve({ release });
    });
  });
}

/** From <fcntl.h> of macOS and the BSDs; Node has no constants for them. */
const exclusiveLock = 0x20;
const nonBlocking = 0x4;

function openExclusive(file: string): Lock | undefined {
  let fd: number;
  try {
    fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW | exclusiveLock | nonBlocking, 0o600);
  } catch (error) {
    if (['EAGAIN', 'EWOULDBLOCK'].includes(String((error as NodeJS.ErrnoException).code))) return undefined;
    throw error;
  }
  return {
    async release() {
      fs.closeSync(fd);
    },
  };
}
