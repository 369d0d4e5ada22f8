import type net from 'node:net';
import type { Readable, Writable } from 'node:stream';

export interface FlowControlOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** The current connection. */
  readonly broker: () => net.Socket | undefined;
  /** Whether too many messages of the host wait for a broker. */
  readonly isFull: () => boolean;
  readonly onHostGone: () => void;
}

export interface FlowControl {
  /** Pauses or resumes the host and the broker. To be called after each read and write. */
  readonly check: () => void;
  readonly stop: () => void;
}

const parentCheckMs = 500;

/** Pauses whichever side sends faster than the other one reads, so that the bridge needs little memory. */
export function createFlowControl({ stdin, stdout, broker, isFull, onHostGone }: FlowControlOptions): FlowControl {
  const parent = process.ppid;
  let parentCheck: NodeJS.Timeout | undefined;
  return {
    check() {
      if (stdout.writableNeedDrain) broker()?.pause();
      const mustWait = isFull() || broker()?.writableNeedDrain === true;
      if (mustWait === stdin.isPaused()) return;
      clearInterval(parentCheck);
      if (!mustWait) return void stdin.resume();
      stdin.pause();
      // A paused stdin does not report its end.
      parentCheck = setInterval(() => process.ppid !== parent && onHostGone(), parentCheckMs);
    },
    stop: () => clearInterval(parentCheck),
  };
}
