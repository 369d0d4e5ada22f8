// Node's own modules only: the bridge loads this file.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import net from 'node:net';
import { isErrorCode } from '../../shared/errors.ts';
import { readJson } from '../../shared/json.ts';
import { localProtocol, type Answer, type Challenge, type Hello, type Welcome } from '../../shared/local-protocol.ts';
import { codeOf } from './data-folder.ts';
import { readOpening } from './opening.ts';
import { refusal, type Refusal } from './refusal.ts';
import { findBroker } from './socket-location.ts';

export type BrokerConnection =
  /** Open in both directions, and paused. `rest`: the bytes that followed the welcome. */
  | { readonly kind: 'connected'; readonly socket: net.Socket; readonly rest: Buffer }
  /** Nobody listens. */
  | { readonly kind: 'down' }
  /** E_SOCKET_UNSAFE, E_HANDSHAKE, E_VERSION, or an error of the broker (E_SERVER_UNKNOWN). */
  | { readonly kind: 'refused'; readonly error: Refusal };

/** The caller's last line without its proof. */
export type Introduction = Answer extends infer One ? (One extends unknown ? Omit<One, 'proof'> : never) : never;

/** Proves knowledge of the key, for one side and this pair of nonces only. */
export function prove(key: Buffer, role: 'broker' | 'caller', helloNonce: string, challengeNonce: string): string {
  return createHmac('sha256', key).update(`keybridge ${role} ${helloNonce} ${challengeNonce}`).digest('hex');
}

export function isValidProof(proof: unknown, expected: string): boolean {
  return (
    typeof proof === 'string' &&
    proof.length === expected.length &&
    timingSafeEqual(Buffer.from(proof), Buffer.from(expected))
  );
}

export const newNonce = (): string => randomBytes(16).toString('hex');

/**
 * The caller's side of the handshake (shared/local-protocol.ts). Ends within 2 s. Sends the introduction only to a
 * broker that has proved that it knows the key.
 */
export async function connectToBroker(
  dataDir: string,
  introduction: Introduction,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<BrokerConnection> {
  const broker = findBroker(dataDir);
  if (broker.kind !== 'found') return broker;
  const socket = net.connect(broker.address);
  const abort = () => socket.destroy();
  signal?.addEventListener('abort', abort, { once: true });
  const connection = await shakeHands(socket, broker.key, introduction).catch(toConnection);
  signal?.removeEventListener('abort', abort);
  if (connection.kind !== 'connected') socket.destroy();
  return connection;
}

async function shakeHands(socket: net.Socket, key: Buffer, introduction: Introduction): Promise<BrokerConnection> {
  const opening = readOpening(socket);
  const hello: Hello = { keybridge: localProtocol, nonce: newNonce() };
  socket.write(`${JSON.stringify(hello)}\n`);
  const challenge = readJson(await opening.line()) as Partial<Challenge> | undefined;
  const nonce = String(challenge?.nonce);
  if (!isValidProof(challenge?.proof, prove(key, 'broker', hello.nonce, nonce)))
    return refused('E_HANDSHAKE', 'The process on Keybridge’s socket is not Keybridge.');
  if (challenge?.keybridge !== localProtocol)
    return refused('E_VERSION', 'This bridge and the running Keybridge have different versions.');
  socket.write(`${JSON.stringify({ proof: prove(key, 'caller', hello.nonce, nonce), ...introduction })}\n`);
  const welcome = readJson(await opening.line()) as Welcome | undefined;
  if (welcome?.ok === true) return { kind: 'connected', socket, rest: opening.finish() };
  if (welcome?.ok !== false) return refused('E_HANDSHAKE', 'Keybridge sent an invalid welcome.');
  const { code, message, remedy } = welcome.error;
  return { kind: 'refused', error: { code: isErrorCode(code) ? code : 'E_HANDSHAKE', message, remedy } };
}

const refused = (...args: Parameters<typeof refusal>): BrokerConnection => ({
  kind: 'refused',
  error: refusal(...args),
});

/** What an error of the socket means. */
function toConnection(error: unknown): BrokerConnection {
  const code = codeOf(error);
  if (['ENOENT', 'ECONNREFUSED', 'EAGAIN', 'ECONNRESET', 'EPIPE'].includes(code)) return { kind: 'down' };
  const cause = code === 'unknown error' ? (error as Error).message : code;
  return refused('E_HANDSHAKE', `Keybridge did not accept the connection (${cause}).`);
}
