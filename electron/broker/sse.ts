import { AppError } from '../core/errors.ts';

/** One event of a stream (WHATWG HTML 9.2.6). */
export interface SseEvent {
  /** Lines of `data` joined with LF; undefined for an event that only carries an id. May share memory with the chunk. */
  readonly data: Buffer | undefined;
  /** '' when the stream does not say. */
  readonly type: string;
}

export interface SseParser {
  /** Gives the events that are complete with this chunk. Throws E_TOO_LARGE for an event above the cap. */
  push(chunk: Buffer): SseEvent[];
  /** The last id seen, for Last-Event-ID; undefined when there was none. */
  readonly lastEventId: string | undefined;
  /** Wait before a reconnection, in ms, as the server asked. */
  readonly retryMs: number | undefined;
}

const lf = 0x0a;
const cr = 0x0d;
/** Longest line that is not `data`. */
const maxFieldBytes = 8 * 1024;

/** Reads a stream of events from bytes, in linear time. What follows the last whole event is dropped with the parser. */
export function createSseParser(maxBytes: number): SseParser {
  let pieces: Buffer[] = [];
  let waiting = 0;
  let data: Buffer[] = [];
  let dataBytes = 0;
  let type = '';
  let sawId = false;
  let lastEventId: string | undefined;
  let retryMs: number | undefined;
  let first = true;
  let afterCr = false;

  const takeLine = (line: Buffer, out: SseEvent[]) => {
    if (line.length === 0) {
      if (data.length > 0 || sawId) out.push({ data: data.length > 0 ? joined(data) : undefined, type });
      data = [];
      dataBytes = 0;
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
      dataBytes += line.length - start + 1;
      refuseAbove(dataBytes);
      data.push(line.subarray(start));
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
    if (bytes > maxBytes) throw new AppError('E_TOO_LARGE', `The server sent an event of more than ${Math.floor(maxBytes / 1_048_576)} MB.`);
  };

  const keep = (piece: Buffer) => {
    if (piece.length === 0) return;
    waiting += piece.length;
    refuseAbove(waiting + dataBytes);
    pieces.push(piece);
    // A line that drips in byte by byte must not cost an object for each.
    if (pieces.length >= 4096) pieces = [Buffer.concat(pieces, waiting)];
  };

  const endLine = (out: SseEvent[]) => {
    const line = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, waiting);
    pieces = [];
    waiting = 0;
    if (line) takeLine(line, out);
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
        if (first) {
          first = false;
          dropByteOrderMark(pieces);
          waiting = pieces.reduce((sum, piece) => sum + piece.length, 0);
        }
        endLine(out);
        at = end + 1;
        if (chunk[end] !== cr) continue;
        if (at >= chunk.length) afterCr = true;
        else if (chunk[at] === lf) at += 1;
      }
      return out;
    },
    get lastEventId() {
      return lastEventId;
    },
    get retryMs() {
      return retryMs;
    },
  };
}

const joined = (lines: Buffer[]): Buffer => {
  if (lines.length === 1 && lines[0]) return lines[0];
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [newline, line])));
};
const newline = Buffer.from('\n');

function dropByteOrderMark(pieces: Buffer[]): void {
  const start = Buffer.concat(pieces.slice(0, 3), undefined);
  if (start[0] !== 0xef || start[1] !== 0xbb || start[2] !== 0xbf) return;
  pieces.splice(0, 3, start.subarray(3));
}
