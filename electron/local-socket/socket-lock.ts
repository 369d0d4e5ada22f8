// Node's own modules only: the bridge loads this file.
import fs from 'node:fs';
import net from 'node:net';
import { codeOf } from './data-folder.ts';
import { lockFilesIn, socketState, type LockFiles } from './lock-files.ts';
import type { Lock, Purpose } from './lock.ts';

/**
 * The lock on Linux. `broker.lock.N` is a Unix socket on which its holder listens. If a process can connect to the
 * socket with the highest number, the lock is held. If the connection is refused, the holder has ended for good: nobody
 * can listen on that file again. The next holder creates `broker.lock.N+1` with link(2), in which only one process
 * succeeds. The socket listens before it is linked, so it never appears dead. The file with the highest number is never
 * deleted, so a process that read the folder earlier cannot take a lower number. Network namespaces do not separate
 * such sockets.
 */
export async function takeSocketLock(folder: string, purpose: Purpose): Promise<Lock | undefined> {
  const files = lockFilesIn(folder, purpose);
  let held = await take(files);
  if (held && purpose === 'broker' && !(await markOwner(files, held))) {
    await close(held);
    held = undefined;
  }
  if (!held) {
    files.close();
    return undefined;
  }
  return {
    async stillHeld() {
      if (!held) return false;
      if (fs.lstatSync(files.numbered(held.number), { throwIfNoEntry: false })?.ino === held.inode) return true;
      const retaken = await take(files).catch(() => undefined);
      if (!retaken) return false;
      retaken.mark = held.mark;
      await closeServer(held.server);
      held = retaken;
      return true;
    },
    async release() {
      if (held) await close(held);
      held = undefined;
      files.close();
    },
  };
}

interface HeldLock {
  readonly number: number;
  readonly inode: number;
  readonly server: net.Server;
  /** Marks this process as the owner of the folder. */
  mark?: net.Server | undefined;
}

/** A round ends without a decision only if another process was faster. */
const maxRounds = 200;

async function take(files: LockFiles): Promise<HeldLock | undefined> {
  for (let round = 0; round < maxRounds; round += 1) {
    const newest = files.highestNumber();
    const state = newest === 0 ? 'dead' : await socketState(files.numbered(newest));
    if (state === 'alive') return undefined;
    if (state === 'gone') continue;
    const held = await createNext(files, newest + 1);
    if (held) return held;
  }
  throw new Error('The lock of the data folder cannot be taken.');
}

/** Returns undefined if another process was faster. */
async function createNext(files: LockFiles, number: number): Promise<HeldLock | undefined> {
  const draft = files.newName('draft');
  const server = await listenOn(draft);
  const file = files.numbered(number);
  const inode = fs.lstatSync(draft, { throwIfNoEntry: false })?.ino ?? 0;
  try {
    fs.linkSync(draft, file);
  } catch (error) {
    await closeServer(server);
    if (['EEXIST', 'ENOENT'].includes(codeOf(error))) return undefined;
    throw error;
  }
  fs.rmSync(draft, { force: true });
  if (files.highestNumber() !== number) {
    // This process read the folder before another one created higher numbers and removed the lower ones.
    fs.rmSync(file, { force: true });
    await closeServer(server);
    return undefined;
  }
  await files.removeOlder(number);
  return { number, inode, server };
}

/** Attempts, and the pause between them, until an owner that is about to end has ended. */
const ownerChecks = 10;
const ownerCheckPauseMs = 30;

/**
 * Somebody may have deleted the files of a living owner. So an owner listens on one more socket, and removes its file
 * at once: the kernel lists the socket under that name as long as it is open. Returns false if another process of this
 * user has one for the same folder.
 */
async function markOwner(files: LockFiles, held: HeldLock): Promise<boolean> {
  for (let check = 0; files.hasOwner(); check += 1) {
    if (check === ownerChecks) return false;
    await new Promise((resolve) => setTimeout(resolve, ownerCheckPauseMs));
  }
  const file = files.newName('owner');
  held.mark = await listenOn(file);
  fs.rmSync(file, { force: true });
  return true;
}

async function close({ mark, server }: HeldLock): Promise<void> {
  if (mark) await closeServer(mark);
  await closeServer(server);
}

function listenOn(file: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.on('error', () => {}).destroy());
    server.once('error', reject);
    server.listen(file, () => {
      server.unref();
      resolve(server);
    });
  });
}

const closeServer = (server: net.Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });
