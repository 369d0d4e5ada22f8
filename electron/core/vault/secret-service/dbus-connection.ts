import { createConnection, type Socket } from 'node:net';
import {
  type DbusCall,
  type DbusMessage,
  decodeMessage,
  encodeCall,
  errorReply,
  messageLength,
  methodReturn,
} from './dbus-message.ts';

type DbusReply =
  | { readonly kind: 'reply'; readonly sender: string; readonly body: readonly unknown[] }
  /** The service, or the bus, replied with an error. */
  | { readonly kind: 'error'; readonly name: string }
  /** There is no connection to the bus. */
  | { readonly kind: 'closed'; readonly detail: string };

/** One connection to a message bus. Calls have no time limit of their own: the caller sets one. */
export interface DbusConnection {
  readonly open: boolean;
  call(call: DbusCall): Promise<DbusReply>;
  close(): void;
}

/** Connects, authenticates (SASL EXTERNAL: the kernel tells the bus our user id), and sends Hello. */
export function connectToBus(socketPath: string): DbusConnection {
  const socket = createConnection(socketPath);
  const pending = new Map<number, (reply: DbusReply) => void>();
  let serial = 0;
  let state: 'authenticating' | 'open' | 'closed' = 'authenticating';
  let received: Buffer = Buffer.alloc(0);
  const queued: Buffer[] = [];

  const end = (detail: string): void => {
    if (state === 'closed') return;
    state = 'closed';
    socket.destroy();
    for (const resolve of pending.values()) resolve({ kind: 'closed', detail });
    pending.clear();
  };
  const send = (call: DbusCall): Promise<DbusReply> =>
    new Promise((resolve) => {
      if (state === 'closed') return resolve({ kind: 'closed', detail: 'the connection to the bus is gone' });
      serial += 1;
      pending.set(serial, resolve);
      const bytes = encodeCall(call, serial);
      if (state === 'open') socket.write(bytes);
      else queued.push(bytes);
    });

  socket.on('connect', () =>
    socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')}\r\n`),
  );
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    try {
      if (state === 'authenticating' && !finishAuthentication(socket, queued)) return;
      for (
        let length = messageLength(received);
        length !== undefined && received.length >= length;
        length = messageLength(received)
      ) {
        dispatch(decodeMessage(received.subarray(0, length)));
        received = received.subarray(length);
      }
    } catch {
      end('the bus sent something that is not D-Bus');
    }
  });
  socket.on('error', (error: NodeJS.ErrnoException) => end(`the bus cannot be reached (${error.code ?? 'unknown'})`));
  socket.on('close', () => end('the bus closed the connection'));

  /** Consumes the bus's authentication line. Returns false if it has not arrived completely. */
  function finishAuthentication(to: Socket, queuedCalls: readonly Buffer[]): boolean {
    const lineEnd = received.indexOf('\r\n');
    if (lineEnd < 0) return false;
    if (!received.toString('latin1', 0, lineEnd).startsWith('OK ')) throw new RangeError('refused');
    received = received.subarray(lineEnd + 2);
    state = 'open';
    to.write(Buffer.concat([Buffer.from('BEGIN\r\n'), ...queuedCalls]));
    return true;
  }

  function dispatch({ type, replyTo, sender, errorName, body }: DbusMessage): void {
    if (replyTo === undefined || (type !== methodReturn && type !== errorReply)) return;
    const resolve = pending.get(replyTo);
    pending.delete(replyTo);
    resolve?.(
      type === errorReply
        ? { kind: 'error', name: errorName ?? 'unknown' }
        : { kind: 'reply', sender: sender ?? '', body },
    );
  }

  void send({ ...bus, member: 'Hello', args: [] });
  return {
    get open() {
      return state !== 'closed';
    },
    call: send,
    close: () => end('closed'),
  };
}

/** The destination of calls to the bus itself. */
export const bus = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const;
