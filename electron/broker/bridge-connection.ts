import type net from 'node:net';
import { createLineSplitter } from '../../shared/lines.ts';
import { maxMessageBytes } from '../relay/model.ts';
import { createRelay, type RelayDeps } from '../relay/relay.ts';
import type { Service } from './service.ts';

/** Bytes on their way to a slow server, or back to a host that does not read, above which the host has to wait. */
const highLoad = 64 * 1024 * 1024;
/** How long calls may still run for the account that was the default one. */
const movedWithinMs = 10_000;
const newline = Buffer.from('\n');

/** A bridge on the socket: cuts what it says into messages, and holds back whichever side is faster. */
export function serveBridge(socket: net.Socket, accept: () => Buffer, deps: Omit<RelayDeps, 'host'>): Service {
  let corked = false;
  let waiting: { promise: Promise<void>; go: () => void } | undefined;
  let moved = false;
  let load = 0;

  const holdBack = () => {
    if (load > highLoad || socket.writableLength > highLoad) socket.pause();
    else if (socket.isPaused()) socket.resume();
  };
  // Answers that come in one turn of the event loop leave in one write.
  const cork = () => {
    if (corked) return;
    corked = true;
    socket.cork();
    process.nextTick(() => {
      corked = false;
      socket.uncork();
    });
  };
  const release = () => {
    waiting?.go();
    waiting = undefined;
  };

  const relay = createRelay({
    ...deps,
    host: {
      send(line) {
        if (!socket.writable) return;
        cork();
        socket.write(line);
        socket.write(newline);
      },
      drained() {
        if (!socket.writableNeedDrain || socket.destroyed) return undefined;
        if (!waiting) {
          let go = () => {};
          const promise = new Promise<void>((resolve) => {
            go = resolve;
          });
          waiting = { promise, go };
        }
        return waiting.promise;
      },
      onLoad(bytes) {
        load = bytes;
        holdBack();
      },
      onIdle() {
        if (moved) socket.destroySoon();
      },
    },
  });

  const lines = createLineSplitter<Buffer>({
    maxBytes: maxMessageBytes,
    concat: (pieces, bytes) => Buffer.concat(pieces, bytes),
    onLine: (line) => relay.receive(line),
    onTooLong: (head, tail) => relay.tooLong(head, tail),
  });

  // The bridge comes again, and then speaks for the other account: in a session of its own.
  deps.connection.onMoved(() => {
    moved = true;
    if (relay.busy) deps.clock.after(movedWithinMs, () => socket.destroySoon());
    else socket.destroySoon();
  });
  socket.on('drain', () => {
    release();
    holdBack();
  });
  socket.once('close', release);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    lines.push(chunk);
    holdBack();
  });
  const rest = accept();
  if (rest.length > 0) lines.push(rest);
  socket.resume();
  return { close: () => relay.close() };
}
