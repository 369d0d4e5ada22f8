// Node's own modules only: the bridge loads this file.
import fs from 'node:fs';

const thisUser = (): number | undefined => process.getuid?.();

/**
 * Whether a Unix socket is this user's: by the owner of its file, or for an abstract name (`\0name`, Linux) by who
 * holds it.
 */
export function isOwnSocket(address: string, uid: number | undefined = thisUser()): boolean {
  if (address.startsWith('\0')) return isHeldBy(uid, address.slice(1));
  try {
    const found = fs.statSync(address);
    return found.isSocket() && found.uid === uid;
  } catch {
    return false;
  }
}

/**
 * Whether a process of the user listens on an abstract name. Such a name has no owner, any user of the computer can
 * take it, and Node cannot ask a socket for the user at its other end. But the listening socket must be among the
 * descriptors of one of the user's processes, which the user can see. False for a process of another PID namespace,
 * which cannot be seen.
 */
function isHeldBy(uid: number | undefined, name: string): boolean {
  // One name is one socket. But libuv before 1.48 fills names up with NULs, which the kernel shows as @; and a name may
  // hold a line break and what looks like another line of the list. So all that look like this name must be the user's.
  const shown = (text: string): string => text.replaceAll('\0', '@').replace(/@+$/, '');
  const inodes = listeners()
    .filter(({ path }) => shown(path) === `@${shown(name)}`)
    .map(({ inode }) => inode);
  return inodes.length > 0 && holdersOf(inodes, uid).size === new Set(inodes).size;
}

export interface Listener {
  /** As it was bound: a deleted file's too. An abstract name begins with @. */
  readonly path: string;
  readonly inode: string;
}

/** Flag of a socket that listens (__SO_ACCEPTCON of the kernel). */
const acceptsConnections = 0x1_00_00;

/** The Unix sockets that somebody listens on, of every user of this computer (Linux; of this network namespace). */
export function listeners(): Listener[] {
  const found: Listener[] = [];
  for (const line of textOf('/proc/self/net/unix').split('\n')) {
    const [, flags, inode, path] = /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +(\d+) (.*)$/s.exec(line) ?? [];
    if (inode !== undefined && path !== undefined && (Number.parseInt(flags ?? '', 16) & acceptsConnections) !== 0)
      found.push({ path, inode });
  }
  return found;
}

/** Which processes of a user have these sockets open: the process's id by the socket's inode. */
export function holdersOf(inodes: readonly string[], uid: number | undefined = thisUser()): Map<string, number> {
  const wanted = new Map(inodes.map((inode) => [`socket:[${inode}]`, inode]));
  const found = new Map<string, number>();
  for (const name of wanted.size === 0 ? [] : listOf('/proc')) {
    if (!/^\d+$/.test(name) || !isProcessOf(name, uid)) continue;
    for (const fd of listOf(`/proc/${name}/fd`)) {
      const inode = wanted.get(linkOf(`/proc/${name}/fd/${fd}`));
      if (inode !== undefined) found.set(inode, Number(name));
    }
    if (found.size === wanted.size) break;
  }
  return found;
}

/** By its real user id. Root sees into every process. */
const isProcessOf = (pid: string, uid: number | undefined): boolean =>
  Number(/^Uid:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1]) === uid;

/** Empty for what has gone, and for what belongs to somebody else. */
const textOf = (file: string): string => orElse('', () => fs.readFileSync(file, 'utf8'));
const listOf = (folder: string): string[] => orElse([], () => fs.readdirSync(folder));
const linkOf = (file: string): string => orElse('', () => fs.readlinkSync(file));

function orElse<T>(fallback: T, read: () => T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}
