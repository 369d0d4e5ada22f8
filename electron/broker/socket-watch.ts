import path from 'node:path';
import type { Clock } from '../core/base/clock.ts';
import { AppError, asAppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { identityOf, readKey, writePrivateFile } from '../local-socket/data-folder.ts';
import type { Lock } from '../local-socket/lock.ts';

/** Time between two checks. Each makes four file system calls, on a timer that does not keep the process alive. */
const intervalMs = 4_000;

export interface SocketWatchOptions {
  readonly dataDir: string;
  /** The key with which callers prove themselves. */
  readonly key: Buffer;
  readonly lock: Lock;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether callers still find the socket on which the broker listens. */
  readonly isOpen: () => boolean;
  /** Listens again. Rejects if something else is in place of the socket. */
  readonly reopen: () => Promise<void>;
  /** Called once, when the folder no longer belongs to this process: it must end. */
  readonly onLost: (error: AppError) => void;
}

/**
 * Checks every few seconds whether callers can still connect, and creates a deleted socket or key again. If the folder
 * or the key was replaced, no caller can prove itself to this broker any more, and another one may own the folder: then
 * it is lost. Returns an unsubscribe function.
 */
export function watchSocket(options: SocketWatchOptions): () => void {
  const { dataDir, clock, log, lock } = options;
  const folderIdentity = identityOf(dataDir);
  let loggedCode = '';
  let ended = false;
  let cancel = () => {};

  const check = async (): Promise<void> => {
    const reason =
      reasonForLoss(options, folderIdentity) ??
      ((await lock.stillHeld()) ? undefined : 'Another Keybridge has taken over the data folder.');
    if (ended) return;
    if (reason !== undefined) {
      ended = true;
      log('data_folder_lost');
      return options.onLost(new AppError('E_DATA_FOLDER_LOST', `${reason} (${dataDir})`));
    }
    if (options.isOpen()) return;
    await options.reopen();
    log('socket_made_again');
  };

  const scheduleNext = () => {
    cancel = clock.after(intervalMs, () => {
      void check()
        .then(() => (loggedCode = ''))
        .catch((error: unknown) => {
          const { code } = asAppError(error);
          if (code !== loggedCode) log('socket_missing', { code });
          loggedCode = code;
        })
        .finally(() => ended || scheduleNext());
    });
  };
  scheduleNext();
  return () => {
    ended = true;
    cancel();
  };
}

/**
 * Writes the key again if it was deleted. A key that cannot be read does not count as replaced: callers get the reason.
 */
function reasonForLoss({ dataDir, key, log }: SocketWatchOptions, folderIdentity: string | undefined) {
  if (identityOf(dataDir) !== folderIdentity) return 'The data folder was deleted or replaced.';
  const current = readKey(dataDir);
  if (current.kind === 'key')
    return current.key.equals(key) ? undefined : 'The key in the data folder was replaced by another one.';
  if (
    current.kind === 'absent' &&
    writePrivateFile(path.join(dataDir, 'broker.key'), `${key.toString('hex')}\n`, { exclusive: true })
  )
    log('key_written_again');
  return undefined;
}
