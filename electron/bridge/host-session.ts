import type net from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { errorLine, type LineError } from '../../shared/json-rpc.ts';
import type { Answers } from './local-responses.ts';
import { createPendingRequests, requestsIn } from './pending-requests.ts';
import { createLineGate, writeLines } from './line-gate.ts';

export interface SessionOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly answers: Answers;
  /** The host asks for something while it is refused: looks for a broker now. False when that was done just before. */
  readonly lookAgain: () => boolean;
  /** Nothing is asked any more, and nothing kept. */
  readonly onIdle: () => void;
  /** Nobody reads stdout, or the host's process has gone. */
  readonly onHostGone: () => void;
}

/** The host's side of the bridge: outlives every connection to a broker. */
export interface Session {
  /** Passes everything both ways until the connection is gone. `rest`: what the broker has said already. */
  serve(socket: net.Socket, rest: Buffer): Promise<void>;
  /** From now on, until the next `serve`: answers what was kept, and what the host asks, with this error. */
  refuse(error: LineError): void;
  /** Answers what is still asked as lost, and what is kept with this error. Returns the number of the latter. */
  giveUp(error: LineError): number;
  readonly idle: boolean;
  /** Lets what was written get out, for so long at most. */
  close(withinMs: number): Promise<void>;
}

/** As the broker's; its answers may have a longer id than those of the server. */
const maxLineBytes = 16 * 1024 * 1024;
const maxAnswerBytes = maxLineBytes + 64 * 1024;
/** How long a new broker may take to answer the host's `initialize` again before the host's lines go on without. */
const replayMs = 10_000;
/** How ids of ours begin, as they stand in a message. */
const ours = '"keybridge-again-';
const parentCheckMs = 500;

type Link =
  /** Lines of the host are kept: there is no broker, or it does not know the host yet. */
  | { readonly kind: 'keeping' }
  | { readonly kind: 'open'; readonly socket: net.Socket }
  | { readonly kind: 'refusing'; readonly error: LineError };

export function createSession({ stdin, stdout, answers, lookAgain, onIdle, onHostGone }: SessionOptions): Session {
  const ledger = createPendingRequests();
  const parent = process.ppid;
  let link: Link = { kind: 'keeping' };
  let broker: net.Socket | undefined;
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let replays = 0;
  let awaited: { readonly id: string; readonly go: () => void } | undefined;
  let parentCheck: NodeJS.Timeout | undefined;

  const isIdle = () => kept.length === 0 && ledger.unanswered.size === 0;
  const checkIdle = () => {
    if (isIdle()) onIdle();
  };

  function say(lines: readonly (string | undefined)[]): void {
    const said = lines.filter((line) => line !== undefined);
    if (said.length > 0 && stdout.writable) writeLines(stdout, said);
    holdBack();
  }

  /** Whoever is faster than the other side has to wait. */
  function holdBack(): void {
    if (broker && stdout.writableNeedDrain) broker.pause();
    const full = keptBytes > maxLineBytes || broker?.writableNeedDrain === true;
    if (full === stdin.isPaused()) return;
    clearInterval(parentCheck);
    if (!full) return void stdin.resume();
    stdin.pause();
    // The end of stdin is not seen now.
    parentCheck = setInterval(() => process.ppid !== parent && onHostGone(), parentCheckMs);
  }

  function keep(line: Buffer): void {
    kept.push(line);
    keptBytes += line.length;
  }

  function takeKept(): Buffer[] {
    const lines = kept;
    kept = [];
    keptBytes = 0;
    return lines;
  }

  function refuseKept(error: LineError): number {
    const asked = takeKept().flatMap(requestsIn);
    say(asked.map(({ id }) => errorLine(id, error)));
    return asked.length;
  }

  /** A line of the host; true when it goes to the broker as it is. */
  function fromHost(line: Buffer): boolean {
    if (link.kind === 'open') return ledger.sent(line);
    const asked = requestsIn(line);
    const [first] = asked;
    // A host that gets no answer to this drops the server.
    if (first?.method === 'ping' && asked.length === 1 && ledger.isOpen) say([answers.pong(first.id)]);
    else if (link.kind === 'keeping') keep(line);
    else if (first) {
      keep(line);
      if (!lookAgain()) refuseKept(link.error);
    }
    return false;
  }

  function fromBroker(line: Buffer): boolean {
    const id = ledger.received(line);
    if (!id?.startsWith(ours)) return true;
    if (id === awaited?.id) awaited.go();
    return false;
  }

  /** Tells a new broker what the host told the one before. Undefined when there is nothing to be told. */
  function replay(socket: net.Socket): Promise<void> | undefined {
    replays += 1;
    const id = `${ours}${replays}"`;
    const lines = ledger.replay(id);
    if (!lines) return undefined;
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        awaited = undefined;
        if (lines.ready && socket.writable) writeLines(socket, [lines.ready]);
        resolve();
      };
      const timer = setTimeout(go, replayMs);
      awaited = { id, go };
      socket.once('close', go);
      writeLines(socket, [lines.hello]);
    });
  }

  function open(socket: net.Socket): void {
    if (broker !== socket) return;
    link = { kind: 'open', socket };
    const lines = takeKept().filter((line) => ledger.sent(line));
    if (lines.length > 0) writeLines(socket, lines);
    holdBack();
  }

  function lost(): void {
    link = { kind: 'keeping' };
    broker = undefined;
    const { unanswered, asked, again } = ledger.lost();
    if (again) {
      kept = [again, ...kept];
      keptBytes += again.length;
    }
    say([...unanswered.map((one) => answers.lost(one, 'broker')), ...asked.map((id) => answers.cancelled(id))]);
    checkIdle();
  }

  const hostGate = createLineGate({
    maxBytes: maxLineBytes,
    onLine: fromHost,
    onTooLong: (head, tail) => say([answers.tooLong(head, tail, (id) => ledger.unanswered.has(id))]),
    sink: () => broker,
  });
  stdin.on('data', (chunk: Buffer) => {
    hostGate(chunk);
    holdBack();
  });
  // The last line of a script may lack its end.
  stdin.once('end', () => hostGate(Buffer.from('\n')));
  stdin.on('error', () => {});
  stdout.on('drain', () => broker?.resume());
  stdout.on('error', onHostGone);

  return {
    serve(socket, rest) {
      broker = socket;
      link = { kind: 'keeping' };
      const gate = createLineGate({
        maxBytes: maxAnswerBytes,
        onLine: fromBroker,
        onTooLong: (head, tail) => say([answers.answerTooLong(head, tail)]),
        sink: () => stdout,
      });
      const take = (chunk: Buffer) => {
        gate(chunk);
        holdBack();
        checkIdle();
      };
      socket.on('data', take).on('drain', holdBack);
      socket.on('error', () => socket.destroy());
      const gone = new Promise<void>((resolve) => {
        socket.once('close', () => {
          lost();
          resolve();
        });
      });
      const replayed = replay(socket);
      if (replayed) void replayed.then(() => open(socket));
      else open(socket);
      if (rest.length > 0) take(rest);
      socket.resume();
      return gone;
    },
    refuse(error) {
      link = { kind: 'refusing', error };
      refuseKept(error);
      checkIdle();
    },
    giveUp(error) {
      say(ledger.lost().unanswered.map((one) => answers.lost(one, 'host')));
      return refuseKept(error);
    },
    get idle() {
      return isIdle();
    },
    async close(withinMs) {
      clearInterval(parentCheck);
      const late = new Promise<void>((resolve) => setTimeout(resolve, withinMs));
      const out = new Promise<void>((resolve) => (stdout.writable ? stdout.write('', () => resolve()) : resolve()));
      const sent = new Promise<void>((resolve) => (broker && !broker.destroyed ? broker.end(resolve) : resolve()));
      await Promise.race([Promise.all([out, sent]), late]);
      broker?.destroy();
    },
  };
}
