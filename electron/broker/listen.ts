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
  /** Whether callers find it: its file, and the one that says where it is, are still there and its own. */
  readonly isOpen: () => boolean;
}

/**
 * Listens on the socket of a data folder. Only for who holds the folder's lock: a dead broker's socket file is removed
 * here, and without the lock two processes would remove each other's.
 * Throws E_PATH_TOO_LONG, E_SOCKET_UNSAFE, and E_BROKER_RUNNING when somebody answers there all the same.
 */
export async function listenForBridges(dataDir: string): Promise<Listening> {
  const place = socketLocation(dataDir);
  if (!place)
    throw new AppError(
      'E_PATH_TOO_LONG',
      'The paths of the data folder and of the runtime folder (XDG_RUNTIME_DIR or TMPDIR) are too long for a socket: ' +
        dataDir,
    );
  const folder = place.folder === undefined ? undefined : ensureFolder(place.folder);
  if (folder?.kind === 'unsafe') throw new AppError('E_SOCKET_UNSAFE', folder.message);
  const { address } = place;
  if (process.platform !== 'win32') await removeDead(address);

  const server = net.createServer({ noDelay: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new AppError('E_SOCKET_UNSAFE', `${address} cannot be listened on (${codeOf(error)}).`, { cause: error })),
    );
    server.listen(address, resolve);
  });
  // The folder is ours alone, so that nobody was able to connect before this.
  if (process.platform !== 'win32') fs.chmodSync(address, 0o600);
  announce(dataDir, place.announced ? address : undefined);
  const announced = announcement(dataDir);
  const socket = process.platform === 'win32' ? undefined : identityOf(address);
  // A pipe has no file that could be deleted.
  const isOpen = () => announcement(dataDir) === announced && (socket === undefined || identityOf(address) === socket);
  return { server, address, isOpen };
}

function announcement(dataDir: string): string | undefined {
  const found = readPrivateFile(path.join(dataDir, addressFile));
  return found.kind === 'text' ? found.text : undefined;
}

/** Where bridges look when the socket is not in the data folder. */
export function announce(dataDir: string, address: string | undefined): void {
  const file = path.join(dataDir, addressFile);
  if (address === undefined) fs.rmSync(file, { force: true });
  else writePrivateFile(file, `${address}\n`, { exclusive: false });
}

async function removeDead(address: string): Promise<void> {
  const found = lstatIfPresent(address);
  if (!found) return;
  const foreign = found.isSocket() ? checkOwner(address, found)?.message : `${address} is not a socket.`;
  // The file of a broker that died between bind and chmod is ours and open to others: it may go.
  if (foreign !== undefined && found.uid !== process.getuid?.()) throw new AppError('E_SOCKET_UNSAFE', foreign);
  if (!found.isSocket()) throw new AppError('E_SOCKET_UNSAFE', `${address} is not a socket.`);
  if (await answers(address)) throw new AppError('E_BROKER_RUNNING', 'Another Keybridge listens in the data folder.');
  fs.rmSync(address, { force: true });
}

/** Whether somebody listens all the same: one that holds no lock, or the lock of an older version. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true)).once('error', (error) => end(codeOf(error) === 'EAGAIN'));
  });
}
