// Node's own modules only: the bridge loads this file.
import { createHash, randomBytes } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { checkFolder, checkOwner, lstatIfPresent, readKey, readPrivateFile } from './data-folder.ts';
import { refusal, type Refusal } from './refusal.ts';

/** Longest path of a Unix socket on every platform, in bytes (macOS: 104 with the terminating NUL). */
const longestPath = 100;

/** The file in the data folder that says where the socket or pipe is, unless it is `broker.sock` in that folder. */
export const addressFile = 'broker.address';

/** Where the broker of a data folder listens. */
export interface SocketLocation {
  /** Path of the socket, or name of the pipe. */
  readonly address: string;
  /** A runtime folder that must be created first. */
  readonly folder: string | undefined;
  /** Whether the address must be written to `addressFile`. */
  readonly announced: boolean;
}

/** Returns undefined if no path is short enough. */
export function socketLocation(dataDir: string, env: NodeJS.ProcessEnv = process.env): SocketLocation | undefined {
  if (process.platform === 'win32') {
    // Nobody can guess the name, so nobody can create the pipe first.
    return { address: `\\\\.\\pipe\\keybridge-${randomBytes(16).toString('hex')}`, folder: undefined, announced: true };
  }
  const inDataDir = path.join(dataDir, 'broker.sock');
  if (Buffer.byteLength(inDataDir) <= longestPath) return { address: inDataDir, folder: undefined, announced: false };
  const runtimeDir = env['XDG_RUNTIME_DIR'];
  const folder = runtimeDir
    ? path.join(runtimeDir, 'keybridge')
    : path.join(os.tmpdir(), `keybridge-${process.getuid?.() ?? 0}`);
  const address = path.join(folder, `${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}.sock`);
  return Buffer.byteLength(address) <= longestPath ? { address, folder, announced: true } : undefined;
}

export type BrokerLookup =
  | { readonly kind: 'found'; readonly address: string; readonly key: Buffer }
  /** Nobody has listened on this data folder, or the socket is gone. */
  | { readonly kind: 'down' }
  /** E_SOCKET_UNSAFE */
  | { readonly kind: 'refused'; readonly error: Refusal };

/** Reads the broker's address and key, after checking who owns the files. */
export function findBroker(dataDir: string): BrokerLookup {
  const unsafe = (message: string) => ({ kind: 'refused', error: refusal('E_SOCKET_UNSAFE', message) }) as const;
  const folder = checkFolder(dataDir);
  if (folder.kind === 'unsafe') return unsafe(folder.message);
  const key = readKey(dataDir);
  if (key.kind === 'unsafe') return unsafe(key.message);
  if (folder.kind === 'absent' || key.kind === 'absent') return { kind: 'down' };
  const announced = readPrivateFile(path.join(dataDir, addressFile));
  if (announced.kind === 'unsafe') return unsafe(announced.message);
  const address = announced.kind === 'text' ? announced.text.trim() : path.join(dataDir, 'broker.sock');
  if (process.platform === 'win32')
    return announced.kind === 'text' ? { kind: 'found', address, key: key.key } : { kind: 'down' };
  const socketFolder = checkFolder(path.dirname(address));
  if (socketFolder.kind === 'unsafe') return unsafe(socketFolder.message);
  const socket = lstatIfPresent(address);
  if (!socket || Buffer.byteLength(address) > longestPath) return { kind: 'down' };
  const problem = socket.isSocket() ? checkOwner(address, socket) : { message: `${address} is not a socket.` };
  return problem ? unsafe(problem.message) : { kind: 'found', address, key: key.key };
}
