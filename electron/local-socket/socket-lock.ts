// Node's own modules only: the bridge loads this file.
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { holdersOf, listeners } from './own-socket.ts';
import { codeOf } from './data-folder.ts';
import type { Lock, Purpose } from './lock.ts';

/** Longest path of a socket, in bytes (sun_path). */
const longestPath = 107;

/**
 * The lock of Linux. `broker.lock.N` is a socket that its holder listens on. Whoever can connect to the one with the
 * highest number knows that it is held. Whoever is refused knows that its holder has ended, for good: nobody can listen
 * on that file again. Then `broker.lock.N+1` is made, by a link, which one process of many succeeds in. It is listened
 * on before it has its name, so that it never looks dead; and the file with the highest number is never deleted, so
 * that nobody who looked earlier can take a lower one. Network namespaces make no difference to such sockets.
 */
export async function takeSocketLock(folder: string, purpose: Purpose): Promise<Lock | undefined> {
  const names = namesIn(folder, purpose);
  let held = await take(names);
  if (held && purpose === 'broker' && !(await markOwner(names, held))) {
    await held.close();
    held = undefined;
  }
  if (!held) {
    names.close();
    return undefined;
  }
  return {
    async stillHeld() {
      if (!held) return false;
      if (fs.lstatSync(names.numbered(held.number), { throwIfNoEntry: false })?.ino === held.inode) return true;
      const again = await take(names).catch(() => undefined);
      if (!again) return false;
      again.mark = held.mark;
      await closeServer(held.server);
      held = again;
      return true;
    },
    async release() {
      await held?.close();
      held = undefined;
      names.close();
    },
  };
}

interface Held {
  readonly number: number;
  readonly inode: number;
  readonly server: net.Server;
  mark?: net.Server | undefined;
  close(): Promise<void>;
}

/** Each round that ends without a decision means that another process was faster meanwhile. */
const mostRounds = 200;

async function take(names: Names): Promise<Held | undefined> {
  for (let round = 0; round < mostRounds; round += 1) {
    const newest = names.highest();
    const state = newest === 0 ? 'dead' : await stateOf(names.numbered(newest));
    if (state === 'alive') return undefined;
    if (state === 'gone') continue;
    const held = await makeNext(names, newest + 1);
    if (held) return held;
  }
  throw new Error('The lock of the data folder cannot be taken.');
}

/** Undefined when another process made it first. */
async function makeNext(names: Names, number: number): Promise<Held | undefined> {
  const draft = names.own('draft');
  const server = await listenOn(draft);
  const file = names.numbered(number);
  const close = async () => {
    if (held.mark) await closeServer(held.mark);
    await closeServer(server);
  };
  const held: Held = { number, inode: fs.lstatSync(draft, { throwIfNoEntry: false })?.ino ?? 0, server, close };
  try {
    fs.linkSync(draft, file);
  } catch (error) {
    await closeServer(server);
    if (['EEXIST', 'ENOENT'].includes(codeOf(error))) return undefined;
    throw error;
  }
  fs.rmSync(draft, { force: true });
  if (names.highest() !== number) {
    // Made from an old look at the folder: the lower numbers had been tidied away.
    fs.rmSync(file, { force: true });
    await closeServer(server);
    return undefined;
  }
  await names.tidy(number);
  return held;
}

/** How often, and with which pause, a holder that is just ending is looked for again. */
const looks = 10;
const lookPauseMs = 30;

/**
 * The files of a living owner may have been deleted. So the owner has one more socket, whose file is removed at once:
 * the kernel goes on listing it under that name while it is open. False: another process of this user has one for the
 * same folder.
 */
async function markOwner(names: Names, held: Held): Promise<boolean> {
  for (let look = 0; names.isOwned(); look += 1) {
    if (look === looks) return false;
    await new Promise((resolve) => setTimeout(resolve, lookPauseMs));
  }
  const file = names.own('owner');
  held.mark = await listenOn(file);
  fs.rmSync(file, { force: true });
  return true;
}

interface Names {
  /** 0: there is none. */
  highest(): number;
  numbered(number: number): string;
  /** A name that no other process uses. */
  own(kind: 'draft' | 'owner'): string;
  /** Whether another process of this user is marked as the folder's owner. */
  isOwned(): boolean;
  /** Removes what dead processes left. */
  tidy(number: number): Promise<void>;
  close(): void;
}

function namesIn(folder: string, purpose: Purpose): Names {
  const real = fs.realpathSync(folder);
  const mine = `${purpose}-${createHash('sha256').update(real).digest('hex').slice(0, 16)}-`;
  const numbers = new RegExp(`^${purpose}\\.lock\\.([1-9]\\d{0,14})$`);
  // Through the open folder every name is short enough for a socket.
  const tooLong = Buffer.byteLength(path.join(real, `${mine}${'x'.repeat(18)}`)) > longestPath;
  const fd = tooLong ? fs.openSync(real, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY) : undefined;
  const base = fd === undefined ? real : `/proc/self/fd/${fd}`;
  const list = () => fs.readdirSync(real);
  const numbersIn = () =>
    list()
      .flatMap((name) => numbers.exec(name)?.[1] ?? [])
      .map(Number);
  const numbered = (number: number) => path.join(base, `${purpose}.lock.${number}`);
  return {
    highest: () => Math.max(0, ...numbersIn()),
    numbered,
    own: (kind) => path.join(base, `${mine}${randomBytes(6).toString('hex')}.${kind}`),
    isOwned() {
      const marks = listeners().filter(
        ({ path: bound }) => path.basename(bound).startsWith(mine) && bound.endsWith('.owner'),
      );
      const pids = [...holdersOf(marks.map(({ inode }) => inode)).values()];
      return pids.some((pid) => pid !== process.pid && isSameFolder(real, `/proc/${pid}/root${real}`));
    },
    async tidy(number) {
      for (const older of numbersIn()) if (older < number) removeFile(numbered(older));
      for (const name of list()) {
        const file = path.join(base, name);
        if (name.startsWith(mine) && (await stateOf(file)) === 'dead') removeFile(file);
      }
    },
    close() {
      if (fd !== undefined) fs.closeSync(fd);
    },
  };
}

/** What cannot be removed (a folder that somebody made) does no harm. */
function removeFile(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {}
}

/** A process with another root (a container) may have another folder of this name. */
function isSameFolder(one: string, other: string): boolean {
  try {
    const [a, b] = [fs.statSync(one), fs.statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

/** Of the process that made a socket's file. 'gone': there is no file any more. */
function stateOf(file: string): Promise<'alive' | 'dead' | 'gone'> {
  return new Promise((resolve) => {
    const socket = net.connect(file);
    socket.once('connect', () => resolve('alive'));
    socket.once('error', (error) => {
      const code = codeOf(error);
      if (code === 'ENOENT') resolve(fs.lstatSync(file, { throwIfNoEntry: false }) ? 'dead' : 'gone');
      // Everything else is no proof of an end: EAGAIN is that of a holder with a full queue.
      else resolve(code === 'ECONNREFUSED' ? 'dead' : 'alive');
    });
    socket.once('connect', () => socket.destroy());
  });
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
