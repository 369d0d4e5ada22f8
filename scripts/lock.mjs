import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Runs `task` while it holds the lock `folder`. The lock of a process that no longer exists is removed.
 * @template T
 * @param {string} folder exists while the lock is held
 * @param {() => Promise<T>} task
 * @returns {Promise<T>}
 */
export async function withLock(folder, task, waitMs = 600_000) {
  const deadline = Date.now() + waitMs;
  const owner = path.join(folder, 'pid');
  for (;;) {
    try {
      await mkdir(folder);
      await writeFile(owner, String(process.pid));
      break;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      const dead = await deadOwner(folder);
      if (dead !== undefined) await removeLockOf(folder, dead);
      else if (Date.now() > deadline) throw new Error(`${folder} is held by another process`, { cause: error });
      else await pause(50);
    }
  }
  try {
    return await task();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Returns the code of a Node error (ENOENT, ESRCH), or undefined for other values.
 * @param {unknown} error
 * @returns {unknown}
 */
export function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/**
 * Returns the text of the owner file if that process has ended ('' if it never wrote the file), or undefined if it
 * runs.
 * @param {string} folder
 */
async function deadOwner(folder) {
  const text = await readFile(path.join(folder, 'pid'), 'utf8').catch(() => '');
  if (text === '') {
    const age = await stat(folder).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    return age > 5_000 ? '' : undefined;
  }
  try {
    process.kill(Number(text), 0);
    return undefined;
  } catch (error) {
    return codeOf(error) === 'ESRCH' ? text : undefined;
  }
}

/**
 * Removes the lock of an owner that has ended, unless another process has acquired it in the meantime.
 * @param {string} folder
 * @param {string} dead text of the owner file
 */
async function removeLockOf(folder, dead) {
  const aside = `${folder}.${process.pid}`;
  await rename(folder, aside).catch(() => {});
  if ((await readFile(path.join(aside, 'pid'), 'utf8').catch(() => '')) !== dead)
    await rename(aside, folder).catch(() => {});
  await rm(aside, { recursive: true, force: true });
}
