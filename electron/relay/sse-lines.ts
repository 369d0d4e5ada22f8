import { createByteBuilder } from '../core/http/byte-builder.ts';
import { withoutByteOrderMark } from './message-bytes.ts';

const lf = 0x0a;
const cr = 0x0d;

export interface SseLinesOptions {
  /** Called with each complete line, without its end. It may share memory with the chunk. */
  readonly onLine: (line: Buffer) => void;
  /** Called before a line is complete, with its size so far in bytes. */
  readonly onGrowth: (bytes: number) => void;
}

/** Splits a stream into lines, which end with LF, CR or CRLF (WHATWG HTML, section 9.2.6). */
export interface SseLines {
  push(chunk: Buffer): void;
  /** Size of the incomplete line, in bytes. */
  readonly pendingBytes: number;
  /** A copy of the incomplete line. */
  pending(): Buffer;
}

export function createSseLines({ onLine, onGrowth }: SseLinesOptions): SseLines {
  const pending = createByteBuilder();
  let isFirst = true;
  let afterCr = false;
  return {
    push(chunk) {
      let at = 0;
      if (afterCr && chunk[0] === lf) at = 1;
      if (chunk.length > 0) afterCr = false;
      let nextCr = chunk.indexOf(cr, at);
      while (at < chunk.length) {
        const nextLf = chunk.indexOf(lf, at);
        if (nextCr >= 0 && nextCr < at) nextCr = chunk.indexOf(cr, at);
        const end = nextCr >= 0 && (nextLf < 0 || nextCr < nextLf) ? nextCr : nextLf;
        pending.add(chunk.subarray(at, end < 0 ? chunk.length : end));
        onGrowth(pending.bytes);
        if (end < 0) break;
        const line = pending.take();
        onLine(isFirst ? withoutByteOrderMark(line) : line);
        isFirst = false;
        at = end + 1;
        if (chunk[end] !== cr) continue;
        if (at >= chunk.length) afterCr = true;
        else if (chunk[at] === lf) at += 1;
      }
    },
    get pendingBytes() {
      return pending.bytes;
    },
    pending: () => pending.copy(),
  };
}
