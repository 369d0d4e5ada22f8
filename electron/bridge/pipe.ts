import type net from 'node:net';
import type { Writable } from 'node:stream';
import { errors } from '../../shared/errors.ts';
import { batchItems, envelope, errorLine, idAtEnd, invalidRequestCode, type Envelope } from '../../shared/json-rpc.ts';
import { createLineSplitter } from '../../shared/lines.ts';
import type { Refusal } from '../broker/endpoint.ts';
import { isRepeatable } from '../broker/eras.ts';

export interface PipeOptions {
  /** The host's end of stdout. */
  readonly host: Writable;
  /** Holds the host's messages back, or lets them come again. */
  readonly hold: (on: boolean) => void;
  /** A request came while there is no broker. */
  readonly onNeed: () => void;
}

/** Between a host and a broker that may come and go: what goes through, and what is owed to the host. */
export interface Pipe {
  /** Bytes of the host. */
  fromHost(chunk: Buffer): void;
  /** The host takes more again. */
  hostDrained(): void;
  /** A broker is there: it hears what the host has said so far, and what it must know of the session. */
  attach(socket: net.Socket, rest: Buffer, onLost: () => void): void;
  /** There is no broker, and there may be none for long: everything that waits gets this error, and so does all that comes. */
  trouble(error: Refusal): void;
  /** Requests of the host that have no answer yet. */
  readonly unanswered: number;
  /** Resolves when there are none. */
  idle(): Promise<void>;
}

const newline = Buffer.from('\n');
const maxHostBytes = 16 * 1024 * 1024;
/** The broker bounds its messages itself; some of them grow by an id. */
const maxBrokerBytes = 32 * 1024 * 1024;
/** What may wait for a broker before the host is held back. */
const maxWaitingBytes = 1024 * 1024;

/** What is written in one turn of the event loop leaves in one call of the system. */
function together(stream: Writable): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

export function createPipe({ host, hold, onNeed }: PipeOptions): Pipe {
  /** Method by id. */
  const open = new Map<string, string>();
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let socket: net.Socket | undefined;
  let error: Refusal | undefined;
  /** The host's `initialize` and `notifications/initialized`, to be said again to a broker that comes later. */
  let hello: { line: Buffer; id: string; answered: boolean } | undefined;
  let initialized: Buffer | undefined;
  /** The id of a repeated `initialize`, whose answer is not for the host. */
  let replayed: string | undefined;
  let onIdle: (() => void) | undefined;

  const toHost = (line: Uint8Array | string) => {
    together(host);
    host.write(line);
    if (!host.write(newline)) socket?.pause();
  };
  const toBroker = (line: Buffer) => {
    if (!socket) return;
    together(socket);
    socket.write(line);
    if (!socket.write(newline)) hold(true);
  };
  const settle = (id: string) => {
    open.delete(id);
    if (open.size === 0) onIdle?.();
  };
  const refuse = (id: string, why: Refusal) => {
    toHost(errorLine(id, why));
    if (hello?.id === id && !hello.answered) hello = undefined;
    settle(id);
  };

  const hostLines = createLineSplitter<Buffer>({
    maxBytes: maxHostBytes,
    concat: (pieces, bytes) => Buffer.concat(pieces, bytes),
    onLine: hostLine,
    onTooLong(head, tail) {
      const found = envelope(head);
      const id = found.id ?? idAtEnd(tail.toString('latin1')) ?? 'null';
      const why = { code: 'E_MESSAGE_TOO_LARGE', message: 'The app sent a message of more than 16 MB.', remedy: errors.E_MESSAGE_TOO_LARGE } as const;
      if (found.method !== undefined || !found.hasResult) toHost(errorLine(open.has(id) ? 'null' : id, why, invalidRequestCode));
    },
  });

  function hostLine(line: Buffer): void {
    const found = envelope(line);
    if (found.kind === 'batch') for (const item of batchItems(line)) note(item, envelope(item));
    else note(line, found);
    if (socket && replayed === undefined) return toBroker(line);
    if (error) return answerAll(error);
    waiting.push(Buffer.from(line));
    waitingBytes += line.length;
    if (waitingBytes > maxWaitingBytes) hold(true);
  }

  /** Remembers what must outlive the broker. */
  function note(line: Buffer, { kind, id, method, modern }: Envelope): void {
    if (kind === 'request' && id !== undefined && method !== undefined) {
      open.set(id, method);
      if (method === 'initialize' && !modern) {
        hello = { line: Buffer.from(line), id, answered: false };
        initialized = undefined;
      }
      if (!socket) onNeed();
    } else if (method === 'notifications/initialized') initialized = Buffer.from(line);
  }

  function answerAll(why: Refusal): void {
    waiting = [];
    waitingBytes = 0;
    hold(false);
    for (const id of open.keys()) refuse(id, why);
  }

  function brokerLine(line: Buffer): void {
    const found = envelope(line);
    if (found.id === undefined || found.method !== undefined) return toHost(line);
    if (found.id === replayed) {
      replayed = undefined;
      if (initialized) toBroker(initialized);
      return flush();
    }
    if (hello?.id === found.id) {
      hello.answered = true;
      // A host whose initialize failed has no session that could be opened again.
      if (found.hasError) hello = undefined;
    }
    toHost(line);
    settle(found.id);
  }

  function flush(): void {
    const lines = waiting;
    waiting = [];
    waitingBytes = 0;
    for (const line of lines) toBroker(line);
    if (!socket?.writableNeedDrain) hold(false);
  }

  /** What was on its way when the broker went gets its answer now; a lost `initialize` is asked again. */
  function lost(): void {
    socket = undefined;
    replayed = undefined;
    hold(false);
    const queued = new Set(waiting.map((line) => envelope(line).id));
    for (const [id, method] of open) {
      if (queued.has(id)) continue;
      if (hello?.id === id && !hello.answered) {
        waiting.unshift(hello.line);
        continue;
      }
      const code = isRepeatable(method) ? 'E_CONNECTION_LOST' : 'E_OUTCOME_UNKNOWN';
      refuse(id, { code, message: 'Keybridge ended while the call was running.', remedy: errors[code] });
    }
  }

  return {
    fromHost: (chunk) => hostLines.push(chunk),
    hostDrained: () => socket?.resume(),
    attach(connected, rest, onLost) {
      socket = connected;
      error = undefined;
      const lines = createLineSplitter<Buffer>({
        maxBytes: maxBrokerBytes,
        concat: (pieces, bytes) => Buffer.concat(pieces, bytes),
        onLine: brokerLine,
        onTooLong: () => connected.destroy(),
      });
      connected.on('data', (chunk) => lines.push(chunk));
      connected.on('drain', () => hold(false));
      connected.on('error', () => connected.destroy());
      connected.once('close', () => {
        lost();
        onLost();
      });
      if (hello?.answered) {
        replayed = hello.id;
        toBroker(hello.line);
      } else flush();
      if (rest.length > 0) lines.push(rest);
      connected.resume();
    },
    trouble(why) {
      error = why;
      answerAll(why);
    },
    get unanswered() {
      return open.size;
    },
    idle: () =>
      new Promise((resolve) => {
        if (open.size === 0) resolve();
        else onIdle = resolve;
      }),
  };
}
