import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { AppError } from '../core/base/errors.ts';
import {
  checkOwner,
  codeOf,
  ensureFolder,
  identityOf,
  lstatIfPresent,
  readPrivateFile,
  writePrivateFile,
} from '../local-socket/data-folder.ts';
import { addressFile, socketLocation } from '../local-socket/socket-location.ts';

export interface Listening {
  readonly server: net.Server;
  readonly address: string;
  /** Whether callers find it: neither the socket's file nor the address file was deleted or replaced. */
  readonly isOpen: () => boolean;
}

/**
 * Listens on the socket of a data folder. The caller must hold the folder's lock: this removes the socket file of a
 * dead broker, and without the lock two processes would remove each other's.
 * Throws E_PATH_TOO_LONG, E_SOCKET_UNSAFE, and E_BROKER_RUNNING if a process listens there in spite of the lock.
 */
export async function listenForBridges(dataDir: string): Promise<Listening> {
  const location = socketLocation(dataDir);
  if (!location)
    throw new AppError(
      'E_PATH_TOO_LONG',
      'The paths of the data folder and of the runtime folder (XDG_RUNTIME_DIR or TMPDIR) are too long for a socket: ' +
        dataDir,
    );
  const folder = location.folder === undefined ? undefined : ensureFolder(location.folder);
  if (folder?.kind === 'unsafe') throw new AppError('E_SOCKET_UNSAFE', folder.message);
  const { address } = location;
  if (process.platform !== 'win32') await removeStaleSocket(address);

  const server = net.createServer({ noDelay: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new AppError('E_SOCKET_UNSAFE', `Cannot listen on ${address} (${codeOf(error)}).`, { cause: error })),
    );
    server.listen(address, resolve);
  });
  // Nobody else could connect before this: only this user can enter the folder.
  if (process.platform !== 'win32') fs.chmodSync(address, 0o600);
  announce(dataDir, location.announced ? address : undefined);
  const announced = readAnnouncement(dataDir);
  // A named pipe of Windows has no file that could be deleted.
  const identity = process.platform === 'win32' ? undefined : identityOf(address);
  const isOpen = () =>
    readAnnouncement(dataDir) === announced && (identity === undefined || identityOf(address) === identity);
  return { server, address, isOpen };
}

function readAnnouncement(dataDir: string): string | undefined {
  const content = readPrivateFile(path.join(dataDir, addressFile));
  return content.kind === 'text' ? content.text : undefined;
}

/** Writes the address file, or removes it. Bridges read it when the socket is not in the data folder. */
export function announce(dataDir: string, address: string | undefined): void {
  const file = path.join(dataDir, addressFile);
  if (address === undefined) fs.rmSync(file, { force: true });
  else writePrivateFile(file, `${address}\n`, { exclusive: false });
}

async function removeStaleSocket(address: string): Promise<void> {
  const stats = lstatIfPresent(address);
  if (!stats) return;
  const problem = stats.isSocket() ? checkOwner(address, stats)?.message : `${address} is not a socket.`;
  // A broker that died between bind and chmod leaves a file of this user that is open to others: it can be removed.
  if (problem !== undefined && stats.uid !== process.getuid?.()) throw new AppError('E_SOCKET_UNSAFE', problem);
  if (!stats.isSocket()) throw new AppError('E_SOCKET_UNSAFE', `${address} is not a socket.`);
  if (await isListening(address))
    throw new AppError('E_BROKER_RUNNING', 'Another Keybridge listens in the data folder.');
  fs.rmSync(address, { force: true });
}

/** Whether a process listens in spite of the lock: without one, or with the lock of an older version. */
function isListening(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end(true)).once('error', (error) => end(codeOf(error) === 'EAGAIN'));
  });
}
