import type net from 'node:net';
import type { HandshakeReplay } from './host-handshake.ts';
import { writeLines } from './line-gate.ts';

/** How long a new broker may take to answer the repeated `initialize` before the host's messages are sent anyway. */
const replayMs = 10_000;

/**
 * Sends the host's `initialize` to a new broker. Returns a function to call when the broker has answered: it sends
 * `notifications/initialized` and calls `onDone`. A time-out does the same. After the connection has closed, `onDone`
 * is not called.
 */
export function replayHandshake(
  socket: net.Socket,
  { initialize, initialized }: HandshakeReplay,
  onDone: () => void,
): () => void {
  let isOver = false;
  const end = () => {
    isOver = true;
    clearTimeout(timer);
  };
  const finish = () => {
    if (isOver) return;
    end();
    if (initialized && socket.writable) writeLines(socket, [initialized]);
    onDone();
  };
  const timer = setTimeout(finish, replayMs);
  socket.once('close', end);
  writeLines(socket, [initialize]);
  return finish;
}
