import { AppError } from '../core/base/errors.ts';
import { codeOf, ensureKey } from '../local-socket/data-folder.ts';
import { takeKernelLock } from '../local-socket/process-lock.ts';
import { type Lock } from '../local-socket/lock.ts';

/**
 * Makes this process the one owner of a data folder, for as long as it lives. Makes the folder and its key when they
 * are not there. Undefined when another process owns it. Throws E_SOCKET_UNSAFE when the folder is not the user's
 * alone, or cannot hold a lock. To be held before anything in the folder is read: one owner means one refresher of each
 * refresh token.
 */
export async function acquireLock(dataDir: string): Promise<Lock | undefined> {
  const key = ensureKey(dataDir);
  if (key.kind === 'unsafe') throw new AppError('E_SOCKET_UNSAFE', key.message);
  return takeKernelLock(dataDir, 'broker').catch((error: unknown) => {
    // A file system without sockets or links, a full disk.
    throw new AppError('E_SOCKET_UNSAFE', `${dataDir} cannot hold a lock (${codeOf(error)}).`, { cause: error });
  });
}
