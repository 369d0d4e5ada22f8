import { AppError } from '../core/base/errors.ts';
import { codeOf, ensureKey } from '../local-socket/data-folder.ts';
import { takeKernelLock } from '../local-socket/process-lock.ts';
import type { Lock } from '../local-socket/lock.ts';

/**
 * Makes this process the owner of a data folder until it releases the lock or ends. Creates the folder and its key if
 * they do not exist. Returns undefined if another process owns the folder. Throws E_SOCKET_UNSAFE if others can access
 * the folder, or if it cannot hold a lock. To be taken before anything in the folder is read: with one owner, only one
 * process refreshes each refresh token.
 */
export async function acquireLock(dataDir: string): Promise<Lock | undefined> {
  const key = ensureKey(dataDir);
  if (key.kind === 'unsafe') throw new AppError('E_SOCKET_UNSAFE', key.message);
  return takeKernelLock(dataDir, 'broker').catch((error: unknown) => {
    // For example a file system without sockets or links, or a full disk.
    throw new AppError('E_SOCKET_UNSAFE', `${dataDir} cannot hold a lock (${codeOf(error)}).`, { cause: error });
  });
}
