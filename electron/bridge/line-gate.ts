import type { Writable } from 'node:stream';
import { createLineSplitter } from '../../shared/lines.ts';

const lineFeed = 0x0a;
const newline = Buffer.from('\n');

export interface LineGateOptions {
  /** Longest line that is passed on, in bytes. */
  readonly maxBytes: number;
  /** Looks at a line; false keeps it from being passed on. */
  readonly onLine: (line: Buffer) => boolean;
  /** A longer one, of which only the ends are left. */
  readonly onTooLong: (head: Buffer, tail: Buffer) => void;
  /** Where to. Asked when there is something to write. */
  readonly sink: () => Writable | undefined;
}

/**
 * Passes whole lines on, so that a connection never ends in the middle of one. Chunks of whole lines go as they came.
 */
export function createLineGate({ maxBytes, onLine, onTooLong, sink }: LineGateOptions): (chunk: Buffer) => void {
  let passed: Buffer[] = [];
  let asItCame = false;
  const lines = createLineSplitter<Buffer>({
    maxBytes,
    concat: (pieces, bytes) => Buffer.concat(pieces, bytes),
    onLine(line) {
      if (onLine(line)) passed.push(line);
      else asItCame = false;
    },
    onTooLong(head, tail) {
      asItCame = false;
      onTooLong(head, tail);
    },
  });
  return (chunk) => {
    asItCame = lines.waiting === 0 && chunk[chunk.length - 1] === lineFeed;
    lines.push(chunk);
    if (passed.length === 0) return;
    const out = passed;
    passed = [];
    const to = sink();
    if (!to) return;
    if (asItCame) to.write(chunk);
    else writeLines(to, out);
  };
}

/** Writes lines as one piece, each with its end. */
export function writeLines(to: Writable, lines: readonly (Buffer | string)[]): void {
  to.cork();
  for (const line of lines) {
    to.write(line);
    to.write(newline);
  }
  to.uncork();
}
