import type net from 'node:net';
import { z } from 'zod';
import { AppError } from '../core/base/errors.ts';
import { localProtocol, type Challenge, type Welcome } from '../../shared/local-protocol.ts';
import { readJson } from '../../shared/json.ts';
import { isValidProof, newNonce, prove } from '../local-socket/handshake.ts';
import { readOpening } from '../local-socket/opening.ts';

const Hello = z.object({ keybridge: z.number(), nonce: z.string().regex(/^[0-9a-f]{32}$/) });
const Introduction = z.discriminatedUnion('role', [
  z.object({
    role: z.literal('bridge'),
    server: z.string().min(1).max(200),
    account: z.string().min(1).max(200).optional(),
    pid: z.number(),
  }),
  z.object({ role: z.literal('control'), pid: z.number() }),
]);
const Proof = z.object({ proof: z.string() });

export interface Caller {
  readonly who: z.infer<typeof Introduction>;
  /** Welcomes the caller. Returns what it has already sent. */
  readonly accept: () => Buffer;
  /** Sends the error and closes the connection. */
  readonly refuse: (error: AppError) => void;
}

/**
 * The broker's side of the handshake (shared/local-protocol.ts). Ends within 2 s. Returns undefined if the caller does
 * not prove that it knows the key: it gets nothing but the broker's proof, and the connection is closed.
 */
export async function acceptHandshake(socket: net.Socket, key: Buffer): Promise<Caller | undefined> {
  const opening = readOpening(socket);
  try {
    const hello = Hello.parse(readJson(await opening.line()));
    const nonce = newNonce();
    const challenge: Challenge = { keybridge: localProtocol, nonce, proof: prove(key, 'broker', hello.nonce, nonce) };
    socket.write(`${JSON.stringify(challenge)}\n`);
    const introduction = readJson(await opening.line());
    if (!isValidProof(Proof.parse(introduction).proof, prove(key, 'caller', hello.nonce, nonce)))
      throw new Error('wrong proof');
    const rest = opening.finish();
    const refuse = (error: AppError) => {
      const { code, message, remedy } = error.toInfo();
      const welcome: Welcome = { ok: false, error: { code, message, remedy } };
      socket.on('error', () => {});
      socket.end(`${JSON.stringify(welcome)}\n`);
      socket.resume();
    };
    if (hello.keybridge !== localProtocol) {
      refuse(new AppError('E_VERSION', 'The bridge and the running Keybridge have different versions.'));
      return undefined;
    }
    const who = Introduction.safeParse(introduction);
    if (!who.success) {
      refuse(new AppError('E_HANDSHAKE', 'The caller’s introduction is invalid.'));
      return undefined;
    }
    const accept = () => {
      socket.write('{"ok":true}\n');
      return rest;
    };
    return { who: who.data, accept, refuse };
  } catch {
    opening.finish();
    socket.on('error', () => {});
    socket.destroy();
    return undefined;
  }
}
