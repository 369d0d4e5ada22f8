// Must not import packages or Node modules, because the bridge loads it.

export interface LineSplitterOptions<Bytes extends Uint8Array> {
  /** Longest line, in bytes. */
  readonly maxBytes: number;
  /** Joins pieces into new memory. `bytes`: their total length. */
  readonly concat: (pieces: readonly Bytes[], bytes: number) => Bytes;
  /**
   * Called with each line that is not blank, without its end (LF or CRLF) and byte order mark. It may share memory with
   * the chunk.
   */
  readonly onLine: (line: Bytes) => void;
  /** Called at the end of a line that was too long, with its first 64 KB and last 1 KB. The rest is lost. */
  readonly onTooLong: (head: Bytes, tail: Bytes) => void;
}

export interface LineSplitter<Bytes extends Uint8Array> {
  push(chunk: Bytes): void;
  /** Size of the incomplete line, in bytes. */
  readonly waiting: number;
}

/** This many pieces are joined early, so that a line that arrives byte by byte costs no more than its bytes. */
const maxPieces = 1024;
const headBytes = 64 * 1024;
const tailBytes = 1024;

/** Splits a stream of bytes into lines. The pieces of a line are joined once, at its end. */
export function createLineSplitter<Bytes extends Uint8Array>(options: LineSplitterOptions<Bytes>): LineSplitter<Bytes> {
  const { maxBytes, concat, onLine, onTooLong } = options;
  let pieces: Bytes[] = [];
  let bytes = 0;
  let joined = 0;
  /** Set while a line that is too long is being dropped. */
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
    if (pieces.length - joined >= maxPieces) {
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

/** Without a leading byte order mark and surrounding white space. */
function trimmed<Bytes extends Uint8Array>(line: Bytes): Bytes {
  let start = line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? 3 : 0;
  let end = line.length;
  while (end > start && isBlank(line[end - 1])) end -= 1;
  while (start < end && isBlank(line[start])) start += 1;
  return start === 0 && end === line.length ? line : (line.subarray(start, end) as Bytes);
}

const isBlank = (byte: number | undefined): boolean => byte === 0x0d || byte === 0x20 || byte === 0x09;
