import type net from 'node:net';
import { createLineSplitter } from '../../shared/lines.ts';
import { maxMessageBytes } from '../relay/model.ts';
import { createRelay, type RelayDeps } from '../relay/relay.ts';
import { createHostWriter } from './host-writer.ts';
import type { Service } from './service.ts';

/** The host must wait while more bytes than this are on their way to the server, or back to the host. */
const highLoad = 64 * 1024 * 1024;
/** How long calls of the former default account may still run. */
const movedWithinMs = 10_000;

/** Serves a bridge: splits its bytes into messages, and pauses it while the server or the host is slower. */
export function serveBridge(socket: net.Socket, accept: () => Buffer, deps: Omit<RelayDeps, 'host'>): Service {
  const writer = createHostWriter(socket);
  let moved = false;
  let load = 0;

  const checkLoad = () => {
    if (load > highLoad || socket.writableLength > highLoad) socket.pause();
    else if (socket.isPaused()) socket.resume();
  };

  const relay = createRelay({
    ...deps,
    host: {
      send: (line) => writer.send(line),
      drained: () => writer.drained(),
      onLoad(bytes) {
        load = bytes;
        checkLoad();
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

  // The bridge connects again, and gets the new default account in a session of its own.
  deps.connection.onMoved(() => {
    moved = true;
    if (relay.busy) deps.clock.after(movedWithinMs, () => socket.destroySoon());
    else socket.destroySoon();
  });
  socket.on('drain', () => {
    writer.release();
    checkLoad();
  });
  socket.once('close', () => writer.release());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    lines.push(chunk);
    checkLoad();
  });
  const rest = accept();
  if (rest.length > 0) lines.push(rest);
  socket.resume();
  return { close: () => relay.close() };
}
