import path from 'node:path';
import { AppError, asAppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { identityOf, readKey, writePrivateFile } from '../local-socket/data-folder.ts';
import type { Clock } from '../core/base/clock.ts';
import type { Lock } from '../local-socket/lock.ts';

/** Time between two checks. Each makes four file system calls, on a timer that does not keep the process alive. */
const everyMs = 4_000;

export interface SocketWatch {
  readonly dataDir: string;
  /** With which callers prove themselves. */
  readonly key: Buffer;
  readonly lock: Lock;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the socket's file is still the one that is listened on. */
  readonly isOpen: () => boolean;
  /** Listens again. Rejects when something else stands in its place. */
  readonly reopen: () => Promise<void>;
  /** The folder is no longer this process's: it must end. Called once. */
  readonly onLost: (error: AppError) => void;
}

/**
 * Looks every few seconds whether callers can still get in. What was deleted is made again, the key too. Where the
 * folder or the key is another one, a caller can never prove itself to us again, and perhaps somebody else owns the
 * folder by now. Returns an unsubscribe function.
 */
export function watchSocket(doors: SocketWatch): () => void {
  const { dataDir, clock, log } = doors;
  const folder = identityOf(dataDir);
  let told = '';
  let over = false;
  let cancel = () => {};

  const lookAround = async (): Promise<void> => {
    const lost =
      lostBecause(doors, folder) ??
      ((await doors.lock.stillHeld()) ? undefined : 'Another Keybridge has taken the data folder over.');
    if (over) return;
    if (lost !== undefined) {
      over = true;
      log('data_folder_lost');
      return doors.onLost(new AppError('E_DATA_FOLDER_LOST', `${lost} (${dataDir})`));
    }
    if (doors.isOpen()) return;
    await doors.reopen();
    log('socket_made_again');
  };

  const next = () => {
    cancel = clock.after(everyMs, () => {
      void lookAround()
        .then(() => (told = ''))
        .catch((error: unknown) => {
          const { code } = asAppError(error);
          if (code !== told) log('socket_missing', { code });
          told = code;
        })
        .finally(() => over || next());
    });
  };
  next();
  return () => {
    over = true;
    cancel();
  };
}

/**
 * A deleted key is written again, because it was ours. A key that cannot be read is not a replaced one: callers get the
 * reason.
 */
function lostBecause({ dataDir, key, log }: SocketWatch, folder: string | undefined): string | undefined {
  if (identityOf(dataDir) !== folder) return 'The data folder was deleted or replaced.';
  const found = readKey(dataDir);
  if (found.kind === 'key') return found.key.equals(key) ? undefined : 'The key in the data folder is another one.';
  if (
    found.kind === 'absent' &&
    writePrivateFile(path.join(dataDir, 'broker.key'), `${key.toString('hex')}\n`, { exclusive: true })
  )
    log('key_written_again');
  return undefined;
}
