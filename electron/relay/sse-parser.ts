import { AppError } from '../core/base/errors.ts';
import { createByteBuilder } from '../core/http/byte-builder.ts';

/** One event of a stream (WHATWG HTML 9.2.6). */
export interface SseEvent {
  /**
   * Lines of `data` joined with LF; undefined for an event that only carries an id. May share memory with the chunk.
   */
  readonly data: Buffer | undefined;
  /** '' when the stream does not say. */
  readonly type: string;
}

export interface SseParser {
  /** Returns the events that are complete with this chunk. Throws E_TOO_LARGE for an event above the cap. */
  push(chunk: Buffer): SseEvent[];
  /** There are bytes of an event that is not over. */
  readonly hasBegun: boolean;
  /**
   * An event that has begun and is not over: its data as if it ended here, in memory of its own. Undefined when there
   * is none.
   */
  pending(): SseEvent | undefined;
  /** The last id seen, for Last-Event-ID; undefined when there was none. */
  readonly lastEventId: string | undefined;
  /** Wait before a reconnection, in ms, as the server asked. */
  readonly retryMs: number | undefined;
}

const lf = 0x0a;
const cr = 0x0d;
/** What a line counts besides its bytes: no message is written in millions of empty ones. */
const lineCost = 64;
/** Longest line that is not `data`. */
const maxFieldBytes = 8 * 1024;

/**
 * Reads a stream of events from bytes, in linear time. What follows the last whole event is dropped with the parser.
 */
export function createSseParser(maxBytes: number): SseParser {
  const waiting = createByteBuilder();
  const data = createByteBuilder();
  let lines = 0;
  let type = '';
  let sawId = false;
  let lastEventId: string | undefined;
  let retryMs: number | undefined;
  let first = true;
  let afterCr = false;

  const takeLine = (line: Buffer, out: SseEvent[]) => {
    if (line.length === 0) {
      if (lines > 0 || sawId) out.push({ data: lines > 0 ? data.take() : undefined, type });
      lines = 0;
      type = '';
      sawId = false;
      return;
    }
    const colon = line.indexOf(0x3a);
    if (colon === 0) return;
    const nameEnd = colon < 0 ? line.length : colon;
    if (nameEnd > 5) return;
    const start = colon < 0 ? line.length : line[colon + 1] === 0x20 ? colon + 2 : colon + 1;
    const name = line.toString('latin1', 0, nameEnd);
    if (name === 'data') {
      // Whoever gets the data may write into it: the first piece must be nobody else's.
      if (lines > 0) data.add(data.bytes === 0 ? Buffer.from(newline) : newline);
      data.add(line.subarray(start));
      lines += 1;
      refuseAbove(data.bytes + lines * lineCost);
    } else if (line.length <= maxFieldBytes) takeField(name, line.toString('utf8', start));
  };

  const takeField = (name: string, value: string) => {
    if (name === 'event') type = value;
    else if (name === 'id' && !value.includes('\0')) {
      lastEventId = value === '' ? undefined : value;
      sawId = true;
    } else if (name === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value);
  };

  const refuseAbove = (bytes: number) => {
    if (bytes > maxBytes)
      throw new AppError(
        'E_TOO_LARGE',
        `The server sent an event of more than ${Math.floor(maxBytes / 1_048_576)} MB.`,
      );
  };

  const keep = (piece: Buffer) => {
    waiting.add(piece);
    refuseAbove(waiting.bytes + data.bytes);
  };

  return {
    push(chunk) {
      const out: SseEvent[] = [];
      let at = 0;
      if (afterCr && chunk[0] === lf) at = 1;
      if (chunk.length > 0) afterCr = false;
      let nextCr = chunk.indexOf(cr, at);
      while (at < chunk.length) {
        const nextLf = chunk.indexOf(lf, at);
        if (nextCr >= 0 && nextCr < at) nextCr = chunk.indexOf(cr, at);
        const end = nextCr >= 0 && (nextLf < 0 || nextCr < nextLf) ? nextCr : nextLf;
        keep(chunk.subarray(at, end < 0 ? chunk.length : end));
        if (end < 0) break;
        const line = waiting.take();
        takeLine(first ? withoutByteOrderMark(line) : line, out);
        first = false;
        at = end + 1;
        if (chunk[end] !== cr) continue;
        if (at >= chunk.length) afterCr = true;
        else if (chunk[at] === lf) at += 1;
      }
      return out;
    },
    get hasBegun() {
      return lines > 0 || waiting.bytes > 0;
    },
    pending() {
      const all = [data.copy()];
      const line = waiting.copy();
      const rest = /^data: ?/.exec(line.toString('latin1', 0, 6));
      if (rest) all.push(...(lines > 0 ? [newline] : []), line.subarray(rest[0].length));
      return lines === 0 && !rest ? undefined : { data: Buffer.concat(all), type };
    },
    get lastEventId() {
      return lastEventId;
    },
    get retryMs() {
      return retryMs;
    },
  };
}

const newline = Buffer.from('\n');

const withoutByteOrderMark = (line: Buffer): Buffer =>
  line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? line.subarray(3) : line;
