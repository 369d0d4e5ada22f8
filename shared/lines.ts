// No packages, no Node: the bridge loads this file.

export interface LineSplitterOptions<Bytes extends Uint8Array> {
  /** Longest line, in bytes. */
  readonly maxBytes: number;
  /** Puts pieces together; `bytes` is their length in all. Returns memory of its own. */
  readonly concat: (pieces: readonly Bytes[], bytes: number) => Bytes;
  /**
   * A whole line without its end (LF or CRLF) and without a byte order mark. Never a blank one. May share memory with
   * what was pushed.
   */
  readonly onLine: (line: Bytes) => void;
  /** A line was too long and is gone, but for its first and last pieces (64 KB and 1 KB at most). Called at its end. */
  readonly onTooLong: (head: Bytes, tail: Bytes) => void;
}

export interface LineSplitter<Bytes extends Uint8Array> {
  push(chunk: Bytes): void;
  /** Bytes of the line that is not complete yet. */
  readonly waiting: number;
}

/** Joined early when so many have come: a line that drips in byte by byte costs no more than its bytes. */
const mostPieces = 1024;
const headBytes = 64 * 1024;
const tailBytes = 1024;

/** Cuts a stream of bytes into lines. Pieces of a line are kept as they come and joined once, at its end. */
export function createLineSplitter<Bytes extends Uint8Array>(options: LineSplitterOptions<Bytes>): LineSplitter<Bytes> {
  const { maxBytes, concat, onLine, onTooLong } = options;
  let pieces: Bytes[] = [];
  let bytes = 0;
  let joined = 0;
  /** Set while a line is being thrown away. */
  let lost: { head: Bytes; tail: Bytes } | undefined;

  const keep = (piece: Bytes) => {
    if (lost) {
      const both = concat(
        [lost.tail, piece.subarray(-tailBytes) as Bytes],
        lost.tail.length + Math.min(piece.length, tailBytes),
      );
      lost.tail = both.subarray(-tailBytes) as Bytes;
    } else if (bytes + piece.length > maxBytes) {
      const all = concat([...pieces, piece], bytes + piece.length);
      const copy = (part: Bytes) => concat([part], part.length);
      lost = { head: copy(all.subarray(0, headBytes) as Bytes), tail: copy(all.subarray(-tailBytes) as Bytes) };
      pieces = [];
    } else if (piece.length > 0) pieces.push(piece);
    bytes += piece.length;
    if (pieces.length - joined >= mostPieces) {
      const last = pieces.splice(joined);
      pieces.push(
        concat(
          last,
          last.reduce((sum, one) => sum + one.length, 0),
        ),
      );
      joined = pieces.length;
    }
  };

  const end = () => {
    const dropped = lost;
    const whole = dropped ? undefined : pieces.length === 1 ? pieces[0] : concat(pieces, bytes);
    pieces = [];
    bytes = 0;
    joined = 0;
    lost = undefined;
    if (dropped) return onTooLong(dropped.head, dropped.tail);
    const line = whole && trimmed(whole);
    if (line && line.length > 0) onLine(line);
  };

  return {
    push(chunk) {
      let start = 0;
      for (;;) {
        const at = chunk.indexOf(0x0a, start);
        if (at < 0) break;
        keep(chunk.subarray(start, at) as Bytes);
        end();
        start = at + 1;
      }
      if (start < chunk.length) keep(chunk.subarray(start) as Bytes);
    },
    get waiting() {
      return bytes;
    },
  };
}

/** Without a byte order mark in front, and without white space around. */
function trimmed<Bytes extends Uint8Array>(line: Bytes): Bytes {
  let start = line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? 3 : 0;
  let end = line.length;
  while (end > start && isBlank(line[end - 1])) end -= 1;
  while (start < end && isBlank(line[start])) start += 1;
  return start === 0 && end === line.length ? line : (line.subarray(start, end) as Bytes);
}

const isBlank = (byte: number | undefined): boolean => byte === 0x0d || byte === 0x20 || byte === 0x09;
