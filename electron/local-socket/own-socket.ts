// Node's own modules only: the bridge loads this file.
import fs from 'node:fs';

const thisUser = (): number | undefined => process.getuid?.();

/**
 * Whether a Unix socket belongs to this user: by the owner of its file, or for an abstract name (`\0name`, Linux) by
 * the process that holds it.
 */
export function isOwnSocket(address: string, uid: number | undefined = thisUser()): boolean {
  if (address.startsWith('\0')) return isHeldBy(uid, address.slice(1));
  try {
    const stats = fs.statSync(address);
    return stats.isSocket() && stats.uid === uid;
  } catch {
    return false;
  }
}

/**
 * Whether a process of the user listens on an abstract name. Such a name has no owner, any user of the computer can
 * take it, and Node cannot read the peer's user of a socket (SO_PEERCRED). But the user can see the descriptors of
 * their own processes, and the listening socket must be one of them. False for a process in another PID namespace,
 * which cannot be seen.
 */
function isHeldBy(uid: number | undefined, name: string): boolean {
  // libuv before 1.48 pads names with NULs, which the kernel shows as @, and a name may contain a line break and text
  // like another line of the list. So every socket that is shown under this name must belong to the user.
  const shown = (text: string): string => text.replaceAll('\0', '@').replace(/@+$/, '');
  const inodes = listeners()
    .filter(({ path }) => shown(path) === `@${shown(name)}`)
    .map(({ inode }) => inode);
  return inodes.length > 0 && holdersOf(inodes, uid).size === new Set(inodes).size;
}

export interface Listener {
  /** As it was bound, even if the file has been deleted. An abstract name begins with @. */
  readonly path: string;
  readonly inode: string;
}

/** The kernel's flag for a listening socket (__SO_ACCEPTCON). */
const acceptsConnections = 0x1_00_00;

/** The listening Unix sockets of all users in this network namespace (Linux). */
export function listeners(): Listener[] {
  const sockets: Listener[] = [];
  for (const line of textOf('/proc/self/net/unix').split('\n')) {
    const [, flags, inode, path] = /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +(\d+) (.*)$/s.exec(line) ?? [];
    if (inode !== undefined && path !== undefined && (Number.parseInt(flags ?? '', 16) & acceptsConnections) !== 0)
      sockets.push({ path, inode });
  }
  return sockets;
}

/** The user's processes that have these sockets open, as process ids by the socket's inode. */
export function holdersOf(inodes: readonly string[], uid: number | undefined = thisUser()): Map<string, number> {
  const inodeByLink = new Map(inodes.map((inode) => [`socket:[${inode}]`, inode]));
  const holders = new Map<string, number>();
  for (const pid of inodeByLink.size === 0 ? [] : listOf('/proc')) {
    if (!/^\d+$/.test(pid) || !isProcessOf(pid, uid)) continue;
    for (const fd of listOf(`/proc/${pid}/fd`)) {
      const inode = inodeByLink.get(linkOf(`/proc/${pid}/fd/${fd}`));
      if (inode !== undefined) holders.set(inode, Number(pid));
    }
    if (holders.size === inodeByLink.size) break;
  }
  return holders;
}

/** By the real user id: root can look into every process. */
const isProcessOf = (pid: string, uid: number | undefined): boolean =>
  Number(/^Uid:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1]) === uid;

// Empty if the process has ended, or belongs to another user.
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
