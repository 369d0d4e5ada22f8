import { readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { sanitizeExternalText } from '../../base/errors.ts';

/**
 * Returns the names of the programs that use TCP ports of this computer, by port. Leaves out a port whose program the
 * system does not reveal. Never rejects.
 */
export type PortHolders = (ports: readonly number[]) => Promise<ReadonlyMap<number, string>>;

/** Reads /proc on Linux, for programs of this user. Empty elsewhere, where it would take an external program. */
export const systemPortHolders: PortHolders = (ports) =>
  process.platform === 'linux' ? linuxPortHolders(ports).catch(() => new Map()) : Promise.resolve(new Map());

async function linuxPortHolders(ports: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const sockets = await socketsAt(new Set(ports));
  const names = new Map<number, string>();
  if (sockets.size === 0) return names;
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const held = (await socketsOf(pid)).flatMap((inode) => sockets.get(inode) ?? []).filter((port) => !names.has(port));
    if (held.length === 0) continue;
    const name = await programName(pid);
    for (const port of held) names.set(port, name);
  }
  return names;
}

/**
 * Returns socket inode -> local port for sockets at these ports (proc_pid_net(5): "sl local_address rem_address st ...
 * uid timeout inode").
 */
async function socketsAt(ports: ReadonlySet<number>): Promise<Map<string, number>> {
  const sockets = new Map<string, number>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'latin1').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const port = Number.parseInt(fields[1]?.split(':')[1] ?? '', 16);
      const inode = fields[9] ?? '0';
      // Inode 0: a closed connection that no process owns anymore.
      if (ports.has(port) && inode !== '0') sockets.set(inode, port);
    }
  }
  return sockets;
}

/** The inodes of the sockets that a process has open. Empty if its files are not readable. */
async function socketsOf(pid: string): Promise<string[]> {
  const folder = path.join('/proc', pid, 'fd');
  const entries = await readdir(folder).catch(() => []);
  const targets = await Promise.all(entries.map((entry) => readlink(path.join(folder, entry)).catch(() => '')));
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}

async function programName(pid: string): Promise<string> {
  if (Number(pid) === process.pid) return 'another sign-in in Keybridge';
  const program = await readlink(path.join('/proc', pid, 'exe')).then(
    (file) => path.basename(file.replace(/ \(deleted\)$/, '')),
    () => 'an unknown program',
  );
  return `${sanitizeExternalText(program, 30)}, process ${pid}`;
}
