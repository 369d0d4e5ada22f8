/**
 * Bytes that come in pieces. However small the pieces are, it takes no more memory than twice the bytes, and time in
 * proportion to them.
 */
export interface ByteBuilder {
  readonly bytes: number;
  /** Keeps the piece itself only when it is the first one; a later piece is copied. */
  add(piece: Buffer): void;
  /** A copy of all bytes so far. */
  copy(): Buffer;
  /** Everything so far, in one. What is added later is kept apart from it. */
  take(): Buffer;
}

const smallest = 1024;
/** Upper limit of the spare capacity. */
const mostAhead = 4 * 1024 * 1024;
const none = Buffer.alloc(0);

export function createByteBuilder(): ByteBuilder {
  let block: Buffer = none;
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    add(piece) {
      if (piece.length === 0) return;
      if (bytes === 0) block = piece;
      else {
        const total = bytes + piece.length;
        if (total > block.length) {
          const larger = Buffer.allocUnsafeSlow(Math.max(smallest, total, Math.min(total * 2, total + mostAhead)));
          block.copy(larger, 0, 0, bytes);
          block = larger;
        }
        piece.copy(block, bytes);
      }
      bytes += piece.length;
    },
    copy: () => Buffer.from(block.subarray(0, bytes)),
    take() {
      const all = block.length === bytes ? block : block.subarray(0, bytes);
      block = none;
      bytes = 0;
      return all;
    },
  };
}
