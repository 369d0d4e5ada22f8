import type { Writable } from 'node:stream';
import { createLineSplitter } from '../../shared/lines.ts';

const lineFeed = 0x0a;
const newline = Buffer.from('\n');

export interface LineGateOptions {
  /** Longest line that is passed on, in bytes. */
  readonly maxBytes: number;
  /** Returns whether the line is passed on. */
  readonly onLine: (line: Buffer) => boolean;
  /** Called for a longer line, of which only the ends are left. */
  readonly onTooLong: (head: Buffer, tail: Buffer) => void;
  /** Where lines are written. Called before each write. */
  readonly sink: () => Writable | undefined;
}

/**
 * Passes on whole lines only, so that a connection never ends in the middle of one. A chunk of which every line is
 * passed on is written as it is.
 */
export function createLineGate({ maxBytes, onLine, onTooLong, sink }: LineGateOptions): (chunk: Buffer) => void {
  let passed: Buffer[] = [];
  let isWhole = false;
  const lines = createLineSplitter<Buffer>({
    maxBytes,
    concat: (pieces, bytes) => Buffer.concat(pieces, bytes),
    onLine(line) {
      if (onLine(line)) passed.push(line);
      else isWhole = false;
    },
    onTooLong(head, tail) {
      isWhole = false;
      onTooLong(head, tail);
    },
  });
  return (chunk) => {
    isWhole = lines.waiting === 0 && chunk[chunk.length - 1] === lineFeed;
    lines.push(chunk);
    if (passed.length === 0) return;
    const toWrite = passed;
    passed = [];
    const stream = sink();
    if (!stream) return;
    if (isWhole) stream.write(chunk);
    else writeLines(stream, toWrite);
  };
}

/** Writes lines and their line feeds in one piece. */
export function writeLines(stream: Writable, lines: readonly (Buffer | string)[]): void {
  stream.cork();
  for (const line of lines) {
    stream.write(line);
    stream.write(newline);
  }
  stream.uncork();
}
