import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { isUtf16, readText } from '../../../shared/json.ts';
import { AppError, sanitizeExternalText } from './errors.ts';

/**
 * Replaces the file at `file`. After a crash or a power failure it holds the old text or the new one, never a part. The
 * mode is 0600. The temporary file is in the same folder, and is removed if anything fails.
 * Rejects with the file system's own error (`code` ENOSPC, EACCES, ...).
 */
export async function writeFileAtomic(file: string, text: string): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text, 'utf8');
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
}

/** Makes a rename survive a power failure. Windows cannot open a folder, and does this by itself. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // The file is complete either way.
  }
}

/** Returns the text of a file, or undefined if there is none. Rejects if the file exists but cannot be read. */
export async function readFileIfThere(file: string): Promise<string | undefined> {
  try {
    return await readTextFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Returns the UTF-8 text of a file, without a byte order mark. Rejects with the file system's own error, or E_BAD_INPUT
 * for UTF-16.
 */
export async function readTextFile(file: string): Promise<string> {
  const bytes = await readFile(file);
  if (isUtf16(bytes))
    throw new AppError('E_BAD_INPUT', `The file ${sanitizeExternalText(file, 200)} is UTF-16 text. Save it as UTF-8.`, {
      sent: false,
    });
  return readText(bytes);
}
