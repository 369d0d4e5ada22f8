import type net from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { errorLine, type LineError } from '../../shared/json-rpc.ts';
import { createBrokerLink } from './broker-link.ts';
import { createFlowControl } from './flow-control.ts';
import { createLineGate, writeLines, type LineGateOptions } from './line-gate.ts';
import type { LocalResponses } from './local-responses.ts';
import { createMessageQueue } from './message-queue.ts';
import { createPendingRequests, requestsIn } from './pending-requests.ts';

export interface SessionOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly responses: LocalResponses;
  /**
   * Called for a request that would be refused. True if a connection attempt follows: its result answers the request.
   */
  readonly retryNow: () => boolean;
  /** The session has become idle. */
  readonly onIdle: () => void;
  /** Nobody reads stdout, or the host's process has ended. */
  readonly onHostGone: () => void;
}

/** The host's side of the bridge. It outlives the connections to brokers. */
export interface Session {
  /** Passes messages both ways until the connection closes. `rest`: what the broker has already sent. */
  serve(socket: net.Socket, rest: Buffer): Promise<void>;
  /** Answers requests with this error until the next `serve`, including those that were kept. */
  refuse(error: LineError): void;
  /** Answers pending requests as lost, and kept ones with this error. Returns the number of the latter. */
  giveUp(error: LineError): number;
  /** No request is pending, and no message is kept. */
  readonly idle: boolean;
  /** Waits at most `withinMs` until everything is written, then closes the connection. */
  close(withinMs: number): Promise<void>;
}

/** Same limit as the broker's. */
const maxMessageBytes = 16 * 1024 * 1024;
/** A response of the broker may have a longer id than the server's response. */
const maxResponseBytes = maxMessageBytes + 64 * 1024;
export function createSession({ stdin, stdout, responses, retryNow, onIdle, onHostGone }: SessionOptions): Session {
  const pending = createPendingRequests();
  const kept = createMessageQueue();
  const isFull = () => kept.bytes > maxMessageBytes;
  const flow = createFlowControl({ stdin, stdout, broker: () => link.socket, isFull, onHostGone });
  const link = createBrokerLink(pending, kept, flow.check);

  const isIdle = () => kept.isEmpty && pending.unanswered.size === 0;
  const checkIdle = () => {
    if (isIdle()) onIdle();
  };

  function sendToHost(responseLines: readonly (string | undefined)[]): void {
    const lines = responseLines.filter((line) => line !== undefined);
    if (lines.length > 0 && stdout.writable) writeLines(stdout, lines);
    flow.check();
  }

  function refuseKept(error: LineError): number {
    const requests = kept.takeAll().flatMap(requestsIn);
    sendToHost(requests.map(({ id }) => errorLine(id, error)));
    return requests.length;
  }

  /** Returns whether the line goes to the broker as it is. */
  function fromHost(line: Buffer): boolean {
    const { state } = link;
    if (state.kind === 'open') return pending.sent(line);
    const requests = requestsIn(line);
    const [first] = requests;
    // A host drops the server when a ping gets no response.
    if (first?.method === 'ping' && requests.length === 1 && pending.isInitialized)
      sendToHost([responses.pong(first.id)]);
    else if (state.kind !== 'refusing') kept.add(line);
    else if (first) {
      kept.add(line);
      if (!retryNow()) refuseKept(state.error);
    }
    return false;
  }

  /** Returns whether the line goes to the host as it is. */
  function fromBroker(line: Buffer): boolean {
    const id = pending.received(line);
    return id === undefined || !link.takeResponse(id);
  }

  function onClosed(): void {
    link.disconnect();
    const { hostRequests, serverRequests, initialize } = pending.lost();
    if (initialize) kept.addFirst(initialize);
    sendToHost([
      ...hostRequests.map((request) => responses.lost(request, 'broker')),
      ...serverRequests.map((id) => responses.cancelled(id)),
    ]);
    checkIdle();
  }

  readStdin(
    stdin,
    {
      maxBytes: maxMessageBytes,
      onLine: fromHost,
      onTooLong: (head, tail) =>
        sendToHost([responses.requestTooLarge(head, tail, (id) => pending.unanswered.has(id))]),
      sink: () => link.socket,
    },
    flow.check,
  );
  stdout.on('drain', () => link.socket?.resume());
  stdout.on('error', onHostGone);

  return {
    serve(socket, rest) {
      const toHost = createLineGate({
        maxBytes: maxResponseBytes,
        onLine: fromBroker,
        onTooLong: (head, tail) => sendToHost([responses.responseTooLarge(head, tail)]),
        sink: () => stdout,
      });
      const receive = (chunk: Buffer) => {
        toHost(chunk);
        flow.check();
        checkIdle();
      };
      socket.on('data', receive).on('drain', flow.check);
      socket.on('error', () => socket.destroy());
      const closed = new Promise<void>((resolve) => void socket.once('close', resolve)).then(onClosed);
      link.connect(socket);
      if (rest.length > 0) receive(rest);
      socket.resume();
      return closed;
    },
    refuse(error) {
      link.refuse(error);
      refuseKept(error);
      checkIdle();
    },
    giveUp(error) {
      sendToHost(pending.lost().hostRequests.map((request) => responses.lost(request, 'host')));
      return refuseKept(error);
    },
    get idle() {
      return isIdle();
    },
    async close(withinMs) {
      flow.stop();
      await flush(stdout, link.socket, withinMs);
      link.socket?.destroy();
    },
  };
}

/** Passes the lines of stdin to a gate. `onRead` is called after each chunk. */
function readStdin(stdin: Readable, options: LineGateOptions, onRead: () => void): void {
  const gate = createLineGate(options);
  stdin.on('data', (chunk: Buffer) => {
    gate(chunk);
    onRead();
  });
  // A script may not end its last line with a line feed.
  stdin.once('end', () => gate(Buffer.from('\n')));
  stdin.on('error', () => {});
}

/** Resolves when everything is written to the host and the broker, or after `withinMs`. */
async function flush(stdout: Writable, socket: net.Socket | undefined, withinMs: number): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, withinMs));
  const toHost = new Promise<void>((resolve) => (stdout.writable ? stdout.write('', () => resolve()) : resolve()));
  const toBroker = new Promise<void>((resolve) => (socket && !socket.destroyed ? socket.end(resolve) : resolve()));
  await Promise.race([Promise.all([toHost, toBroker]), late]);
}
