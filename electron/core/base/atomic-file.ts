import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { isUtf16, readText } from '../../../shared/json.ts';
import { AppError, sanitizeExternalText } from './errors.ts';

/**
 * Replaces the file at `file` as a whole: after a crash or a power cut there is the old text or the new one, never a
 * part. Mode 0600. The temporary file lies in the same folder, and is removed when anything fails.
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

/** Makes a rename survive a power cut. Where a folder cannot be opened (Windows) the system does this by itself. */
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

/** The text of a file, or undefined when there is none. Rejects on every other fault: unreadable is not absent. */
export async function readFileIfThere(file: string): Promise<string | undefined> {
  try {
    return await readTextFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The UTF-8 text of a file, without a byte order mark. Rejects with the file system's own error, and E_BAD_INPUT for
 * UTF-16.
 */
export async function readTextFile(file: string): Promise<string> {
  const bytes = await readFile(file);
  if (isUtf16(bytes))
    throw new AppError('E_BAD_INPUT', `The file ${sanitizeExternalText(file, 200)} is UTF-16 text. Save it as UTF-8.`, {
      sent: false,
    });
  return readText(bytes);
}
