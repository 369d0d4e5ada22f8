import type net from 'node:net';

/** Writes the messages of the relay to a bridge. */
export interface HostWriter {
  /** Writes a line. Lines of one turn of the event loop leave in one write. */
  send(line: Uint8Array | string): void;
  /** Resolves when the bridge can take more; undefined if it can now. */
  drained(): Promise<void> | undefined;
  /** Ends all waits for `drained`. To be called when the socket has drained or closed. */
  release(): void;
}

const newline = Buffer.from('\n');

export function createHostWriter(socket: net.Socket): HostWriter {
  let corked = false;
  let wait: { readonly promise: Promise<void>; readonly end: () => void } | undefined;

  const cork = () => {
    if (corked) return;
    corked = true;
    socket.cork();
    process.nextTick(() => {
      corked = false;
      socket.uncork();
    });
  };

  return {
    send(line) {
      if (!socket.writable) return;
      cork();
      socket.write(line);
      socket.write(newline);
    },
    drained() {
      if (!socket.writableNeedDrain || socket.destroyed) return undefined;
      if (!wait) {
        let end = () => {};
        const promise = new Promise<void>((resolve) => {
          end = resolve;
        });
        wait = { promise, end };
      }
      return wait.promise;
    },
    release() {
      wait?.end();
      wait = undefined;
    },
  };
}
