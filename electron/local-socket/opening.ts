// Node's own modules only: the bridge loads this file.
import type net from 'node:net';
import { helloMaxBytes, helloTimeoutMs } from '../../shared/local-protocol.ts';

/** The lines of the other side up to the welcome. */
export interface Opening {
  /** The next line. Rejects if the other side ends, if a line is longer than 4 KB, and 2 s after the start. */
  line(): Promise<string>;
  /** Ends the opening and pauses the socket. Returns the bytes that followed the last line. */
  finish(): Buffer;
}

export function readOpening(socket: net.Socket): Opening {
  let buffered = Buffer.alloc(0);
  let failure: Error | undefined;
  let onChange: (() => void) | undefined;
  const notify = () => {
    onChange?.();
    onChange = undefined;
  };
  const fail = (error: Error) => {
    failure ??= error;
    notify();
  };
  const timer = setTimeout(() => fail(new Error('no response in time')), helloTimeoutMs);
  const onData = (chunk: Buffer) => {
    if (failure) return;
    buffered = Buffer.concat([buffered, chunk]);
    if (buffered.length > helloMaxBytes && !buffered.subarray(0, helloMaxBytes).includes(0x0a))
      fail(new Error('a line is too long'));
    notify();
  };
  const onEnd = () => fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
  socket.on('data', onData).on('error', fail).once('end', onEnd).once('close', onEnd);
  return {
    async line() {
      for (;;) {
        const end = failure ? -1 : buffered.indexOf(0x0a);
        if (end >= 0) {
          const text = buffered.toString('utf8', 0, end);
          buffered = buffered.subarray(end + 1);
          return text;
        }
        if (failure) {
          clearTimeout(timer);
          throw failure;
        }
        await new Promise<void>((resolve) => {
          onChange = resolve;
        });
      }
    },
    finish() {
      clearTimeout(timer);
      socket.pause();
      socket.off('data', onData).off('error', fail).off('end', onEnd).off('close', onEnd);
      return buffered;
    },
  };
}
