// Node's own modules only: the bridge loads this file.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A folder or file that others can access, or of an unexpected type. Not trusted. `message` is for people. */
export interface Unsafe {
  readonly kind: 'unsafe';
  readonly message: string;
}

/**
 * The data folder, as an absolute path: `KEYBRIDGE_DATA_DIR`, else the platform's folder for settings. A data folder
 * has one broker, one key and one lock, and everything by which a bridge finds its broker.
 */
export function dataFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = os.homedir(),
): string {
  const chosen = env['KEYBRIDGE_DATA_DIR'];
  if (chosen) return path.resolve(chosen);
  if (platform === 'win32') return path.join(env['APPDATA'] || path.join(home, 'AppData', 'Roaming'), 'Keybridge');
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'Keybridge');
  const base = env['XDG_CONFIG_HOME'];
  // The XDG Base Directory Specification says to ignore a relative path.
  return path.join(base && path.isAbsolute(base) ? base : path.join(home, '.config'), 'keybridge');
}

/**
 * A folder is safe if it is no link, belongs to the user, and has mode 0700. Windows has no modes: there the user's
 * profile protects it.
 */
export function checkFolder(folder: string): { kind: 'safe' } | { kind: 'absent' } | Unsafe {
  const stats = lstatIfPresent(folder);
  if (!stats) return { kind: 'absent' };
  if (!stats.isDirectory()) return unsafe(`${folder} is not a folder.`);
  return checkOwner(folder, stats) ?? { kind: 'safe' };
}

/** Creates the folder (0700) if there is none. */
export function ensureFolder(folder: string): { kind: 'safe' } | Unsafe {
  const before = checkFolder(folder);
  if (before.kind !== 'absent') return before;
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    return unsafe(`${folder} cannot be created (${codeOf(error)}).`);
  }
  const after = checkFolder(folder);
  return after.kind === 'absent' ? unsafe(`${folder} cannot be created.`) : after;
}

/** Reads a file of at most 64 KB that only the user can read and write. */
export function readPrivateFile(file: string): { kind: 'text'; text: string } | { kind: 'absent' } | Unsafe {
  let fd: number;
  try {
    // O_NOFOLLOW: a link is refused. O_NONBLOCK: a named pipe in place of the file does not block.
    fd = fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? { kind: 'absent' } : unsafe(`${file} cannot be read (${codeOf(error)}).`);
  }
  try {
    const stats = fs.fstatSync(fd);
    if (!stats.isFile() || stats.size > 65_536) return unsafe(`${file} was not written by Keybridge.`);
    return checkOwner(file, stats) ?? { kind: 'text', text: fs.readFileSync(fd, 'utf8') };
  } finally {
    fs.closeSync(fd);
  }
}

/** Writes a file (0600) atomically. With `exclusive`, keeps an existing file and returns false. */
export function writePrivateFile(file: string, text: string, { exclusive }: { readonly exclusive: boolean }): boolean {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const fd = fs.openSync(temporary, 'wx', 0o600);
  try {
    fs.writeSync(fd, text);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  if (!exclusive) {
    fs.renameSync(temporary, file);
    return true;
  }
  try {
    // link(2) is atomic, and the file is complete by now.
    fs.linkSync(temporary, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    fs.unlinkSync(temporary);
  }
}

export type KeyRead = { kind: 'key'; key: Buffer } | { kind: 'absent' } | Unsafe;

/** The secret that the broker and the bridges of a data folder share: 32 bytes, in hex, in `broker.key`. */
export function readKey(dataDir: string): KeyRead {
  const file = path.join(dataDir, 'broker.key');
  const content = readPrivateFile(file);
  if (content.kind !== 'text') return content;
  const text = content.text.trim();
  // A damaged key is not regenerated here: a running broker with the old key would exit (broker/socket-watch.ts).
  if (!/^[0-9a-f]{64}$/.test(text)) return unsafe(`${file} is damaged. Quit Keybridge and delete it.`);
  return { kind: 'key', key: Buffer.from(text, 'hex') };
}

/** Reads the key. Creates the folder and the key if there are none. */
export function ensureKey(dataDir: string): { kind: 'key'; key: Buffer } | Unsafe {
  const folder = ensureFolder(dataDir);
  if (folder.kind === 'unsafe') return folder;
  const before = readKey(dataDir);
  if (before.kind !== 'absent') return before;
  try {
    writePrivateFile(path.join(dataDir, 'broker.key'), `${randomBytes(32).toString('hex')}\n`, { exclusive: true });
  } catch (error) {
    return unsafe(`${dataDir} cannot be written to (${codeOf(error)}).`);
  }
  const after = readKey(dataDir);
  return after.kind === 'absent' ? unsafe(`${path.join(dataDir, 'broker.key')} cannot be created.`) : after;
}

/** Returns undefined if the file belongs to the user and nobody else can access it. */
export function checkOwner(file: string, stats: fs.Stats): Unsafe | undefined {
  if (!process.getuid) return undefined;
  if (stats.uid !== process.getuid()) return unsafe(`${file} belongs to another user.`);
  if ((stats.mode & 0o077) !== 0)
    return unsafe(`${file} is open to other users (mode ${(stats.mode & 0o777).toString(8)}).`);
  return undefined;
}

/** Does not follow a link. */
export function lstatIfPresent(file: string): fs.Stats | undefined {
  return fs.lstatSync(file, { throwIfNoEntry: false });
}

/** Device and inode: a replaced file or folder has another identity. Undefined if there is none. */
export function identityOf(file: string): string | undefined {
  const stats = lstatIfPresent(file);
  return stats && `${stats.dev}:${stats.ino}`;
}

const unsafe = (message: string): Unsafe => ({ kind: 'unsafe', message });

/** The system's code for an error (`ENOENT`). */
export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error';
