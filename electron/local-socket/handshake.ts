// Node's own modules only: the bridge loads this file.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { isErrorCode, type ErrorCode } from '../../shared/errors.ts';
import { bridgeRemedies } from '../../shared/messages/en/bridge-remedies.ts';
import {
  helloMaxBytes,
  helloTimeoutMs,
  localProtocol,
  type Answer,
  type Challenge,
  type Hello,
  type Welcome,
} from '../../shared/local-protocol.ts';
import { readJson } from '../../shared/json.ts';
import { checkFolder, checkOwner, codeOf, look, readKey, readPrivateFile } from './data-folder.ts';

/** Longest path of a Unix socket that every platform takes, in bytes (macOS: 104 with the end). */
const longestPath = 100;

/** In the data folder, when the socket itself is not: the path of the socket, or the name of the pipe. */
export const addressFile = 'broker.address';

/**
 * Where a broker of this data folder listens. `folder`: a runtime folder that must be made first. `announced`: to be
 * written to `addressFile`.
 */
export interface Place {
  readonly address: string;
  readonly folder: string | undefined;
  readonly announced: boolean;
}

/** Undefined: no place with a path short enough. */
export function brokerPlace(dataDir: string, env: NodeJS.ProcessEnv = process.env): Place | undefined {
  if (process.platform === 'win32') {
    // A name that nobody can guess, so that nobody can make the pipe first.
    return { address: `\\\\.\\pipe\\keybridge-${randomBytes(16).toString('hex')}`, folder: undefined, announced: true };
  }
  const near = path.join(dataDir, 'broker.sock');
  if (Buffer.byteLength(near) <= longestPath) return { address: near, folder: undefined, announced: false };
  const runtime = env['XDG_RUNTIME_DIR'];
  const folder = runtime
    ? path.join(runtime, 'keybridge')
    : path.join(os.tmpdir(), `keybridge-${process.getuid?.() ?? 0}`);
  const address = path.join(folder, `${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}.sock`);
  return Buffer.byteLength(address) <= longestPath ? { address, folder, announced: true } : undefined;
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

export type BrokerConnection =
  /** Open in both directions and paused. `rest`: what the broker has already said after its welcome. */
  | { readonly kind: 'connected'; readonly socket: net.Socket; readonly rest: Buffer }
  /** Nobody listens. */
  | { readonly kind: 'down' }
  /** E_SOCKET_UNSAFE, E_HANDSHAKE, E_VERSION, or what the broker itself said (E_SERVER_UNKNOWN). */
  | { readonly kind: 'refused'; readonly error: Refusal };

/** What the caller says of itself; the proof is added here. */
export type Introduction = Answer extends infer One ? (One extends unknown ? Omit<One, 'proof'> : never) : never;

/** What each side shows of its knowledge of the key, for these two nonces and nothing else. */
export function prove(key: Buffer, role: 'broker' | 'caller', helloNonce: string, challengeNonce: string): string {
  return createHmac('sha256', key).update(`keybridge ${role} ${helloNonce} ${challengeNonce}`).digest('hex');
}

export function provesWell(given: unknown, expected: string): boolean {
  return (
    typeof given === 'string' &&
    given.length === expected.length &&
    timingSafeEqual(Buffer.from(given), Buffer.from(expected))
  );
}

export const newNonce = (): string => randomBytes(16).toString('hex');

/**
 * The caller's side of the opening (shared/local-protocol.ts). Ends within 2 s. Says nothing of itself to a broker that
 * has not proved itself.
 */
export async function connectToBroker(
  dataDir: string,
  introduction: Introduction,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<BrokerConnection> {
  const found = findBroker(dataDir);
  if (found.kind !== 'found') return found;
  const socket = net.connect(found.address);
  const abort = () => socket.destroy();
  signal?.addEventListener('abort', abort, { once: true });
  const opening = readOpening(socket);
  try {
    const hello: Hello = { keybridge: localProtocol, nonce: newNonce() };
    socket.write(`${JSON.stringify(hello)}\n`);
    const challenge = readJson(await opening.line()) as Partial<Challenge> | undefined;
    const nonce = String(challenge?.nonce);
    if (!provesWell(challenge?.proof, prove(found.key, 'broker', hello.nonce, nonce)))
      return refuse(socket, refusal('E_HANDSHAKE', 'What answers on Keybridge’s socket is not Keybridge.'));
    if (challenge?.keybridge !== localProtocol)
      return refuse(
        socket,
        refusal('E_VERSION', 'This bridge and the Keybridge that is running are of different versions.'),
      );
    socket.write(`${JSON.stringify({ proof: prove(found.key, 'caller', hello.nonce, nonce), ...introduction })}\n`);
    const welcome = readJson(await opening.line()) as Welcome | undefined;
    if (welcome?.ok === true) return { kind: 'connected', socket, rest: opening.finish() };
    if (welcome?.ok !== false) return refuse(socket, refusal('E_HANDSHAKE', 'Keybridge’s welcome was not understood.'));
    const { code, message, remedy } = welcome.error;
    return refuse(socket, { code: isErrorCode(code) ? code : 'E_HANDSHAKE', message, remedy });
  } catch (error) {
    const code = codeOf(error);
    if (['ENOENT', 'ECONNREFUSED', 'EAGAIN', 'ECONNRESET', 'EPIPE'].includes(code)) return refuse(socket);
    const cause = code === 'unknown error' ? (error as Error).message : code;
    return refuse(socket, refusal('E_HANDSHAKE', `Keybridge did not open the connection (${cause}).`));
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

const refusal = (code: keyof typeof bridgeRemedies, message: string): Refusal => ({
  code,
  message,
  remedy: bridgeRemedies[code],
});

/** Without an error: nobody listens. */
function refuse(socket: net.Socket, error?: Refusal): BrokerConnection {
  socket.destroy();
  return error ? { kind: 'refused', error } : { kind: 'down' };
}

/** The address and the key, after a look at who owns what stands there. */
function findBroker(
  dataDir: string,
): { kind: 'found'; address: string; key: Buffer } | Extract<BrokerConnection, { kind: 'down' | 'refused' }> {
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
  const place = checkFolder(path.dirname(address));
  if (place.kind === 'unsafe') return unsafe(place.message);
  const socket = look(address);
  if (!socket || Buffer.byteLength(address) > longestPath) return { kind: 'down' };
  const foreign = socket.isSocket() ? checkOwner(address, socket) : { message: `${address} is not a socket.` };
  return foreign ? unsafe(foreign.message) : { kind: 'found', address, key: key.key };
}

/** The lines before the welcome, for both sides. */
export interface Opening {
  /** The next line. Rejects when the other side ends, when a line is longer than 4 KB, and 2 s after the start. */
  line(): Promise<string>;
  /** Ends the opening: the socket is paused, and what came after the last line is given back. */
  finish(): Buffer;
}

export function readOpening(socket: net.Socket): Opening {
  let buffered = Buffer.alloc(0);
  let failure: Error | undefined;
  let waiting: (() => void) | undefined;
  const wake = () => {
    waiting?.();
    waiting = undefined;
  };
  const fail = (error: Error) => {
    failure ??= error;
    wake();
  };
  const timer = setTimeout(() => fail(new Error('no answer in time')), helloTimeoutMs);
  const onData = (chunk: Buffer) => {
    if (failure) return;
    buffered = Buffer.concat([buffered, chunk]);
    if (buffered.length > helloMaxBytes && !buffered.subarray(0, helloMaxBytes).includes(0x0a))
      fail(new Error('a line is too long'));
    wake();
  };
  const onEnd = () => fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
  socket.on('data', onData).on('error', fail).once('end', onEnd).once('close', onEnd);
  const finish = () => {
    clearTimeout(timer);
    socket.pause();
    socket.off('data', onData).off('error', fail).off('end', onEnd).off('close', onEnd);
    return buffered;
  };
  return {
    async line() {
      for (;;) {
        const at = failure ? -1 : buffered.indexOf(0x0a);
        if (at >= 0) {
          const text = buffered.toString('utf8', 0, at);
          buffered = buffered.subarray(at + 1);
          return text;
        }
        if (failure) {
          clearTimeout(timer);
          throw failure;
        }
        await new Promise<void>((resolve) => {
          waiting = resolve;
        });
      }
    },
    finish,
  };
}
