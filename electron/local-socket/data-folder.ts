// Node's own modules only: the bridge loads this file.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A folder or file that is not the user's alone, in words for a person. Nothing in it may be trusted. */
export interface Unsafe {
  readonly kind: 'unsafe';
  readonly message: string;
}

/**
 * The data folder: `KEYBRIDGE_DATA_DIR`, else where the platform keeps an app's settings. Absolute. One data folder has
 * one broker, one key and one lock; everything that lets a bridge find its broker lies in it.
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
  // XDG base directories: a relative path is to be ignored.
  return path.join(base && path.isAbsolute(base) ? base : path.join(home, '.config'), 'keybridge');
}

/** A folder of the user alone: no link, ours, mode 0700. Windows has no modes: there the user's profile is the wall. */
export function checkFolder(folder: string): { kind: 'fine' } | { kind: 'absent' } | Unsafe {
  const found = look(folder);
  if (!found) return { kind: 'absent' };
  if (!found.isDirectory()) return unsafe(`${folder} is not a folder.`);
  return checkOwner(folder, found) ?? { kind: 'fine' };
}

/** Makes the folder (0700) when it is not there. */
export function ensureFolder(folder: string): { kind: 'fine' } | Unsafe {
  const before = checkFolder(folder);
  if (before.kind !== 'absent') return before;
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    return unsafe(`${folder} cannot be made (${codeOf(error)}).`);
  }
  const after = checkFolder(folder);
  return after.kind === 'absent' ? unsafe(`${folder} cannot be made.`) : after;
}

/** The text of a small file that only the user can read and write. */
export function readPrivateFile(file: string): { kind: 'text'; text: string } | { kind: 'absent' } | Unsafe {
  let fd: number;
  try {
    // No link is followed, and a pipe in the file's place does not hold us up.
    fd = fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? { kind: 'absent' } : unsafe(`${file} cannot be read (${codeOf(error)}).`);
  }
  try {
    const found = fs.fstatSync(fd);
    if (!found.isFile() || found.size > 65_536) return unsafe(`${file} is not what Keybridge has written.`);
    return checkOwner(file, found) ?? { kind: 'text', text: fs.readFileSync(fd, 'utf8') };
  } finally {
    fs.closeSync(fd);
  }
}

/** Writes a file of the user alone (0600) as a whole. `exclusive`: an existing one stays, and the answer is false. */
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
    // A link is made or refused as one act, and the file behind it is complete.
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

/** The secret that broker and bridges of one data folder share: 32 bytes, in hex, in `broker.key`. */
export function readKey(dataDir: string): KeyRead {
  const file = path.join(dataDir, 'broker.key');
  const read = readPrivateFile(file);
  if (read.kind !== 'text') return read;
  const text = read.text.trim();
  // Not created here: a running broker that has the old key would end (doors.ts).
  if (!/^[0-9a-f]{64}$/.test(text)) return unsafe(`${file} is damaged. Quit Keybridge and delete it.`);
  return { kind: 'key', key: Buffer.from(text, 'hex') };
}

/** The key, made on first use, as is the folder. */
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
  return after.kind === 'absent' ? unsafe(`${path.join(dataDir, 'broker.key')} cannot be made.`) : after;
}

/** Something that is not the user's, or open to others. */
export function checkOwner(file: string, found: fs.Stats): Unsafe | undefined {
  if (!process.getuid) return undefined;
  if (found.uid !== process.getuid()) return unsafe(`${file} belongs to another user.`);
  if ((found.mode & 0o077) !== 0)
    return unsafe(`${file} is open to other users (mode ${(found.mode & 0o777).toString(8)}).`);
  return undefined;
}

/** What stands there, without following a link. */
export function look(file: string): fs.Stats | undefined {
  return fs.lstatSync(file, { throwIfNoEntry: false });
}

/** Which file or folder stands there, whatever its name; undefined: none. */
export function identityOf(file: string): string | undefined {
  const found = look(file);
  return found && `${found.dev}:${found.ino}`;
}

const unsafe = (message: string): Unsafe => ({ kind: 'unsafe', message });

export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error';
