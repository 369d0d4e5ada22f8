/**
 * Joins pieces of bytes. Takes at most twice the memory of the bytes, and linear time, however small the pieces are.
 */
export interface ByteBuilder {
  readonly bytes: number;
  /** Keeps a reference to the first piece; copies later ones. */
  add(piece: Buffer): void;
  /** Returns a copy of all bytes so far. */
  copy(): Buffer;
  /** Returns all bytes so far and starts again empty. */
  take(): Buffer;
}

const minCapacity = 1024;
const maxSpareCapacity = 4 * 1024 * 1024;
const empty = Buffer.alloc(0);

export function createByteBuilder(): ByteBuilder {
  let block: Buffer = empty;
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
          const capacity = Math.max(minCapacity, total, Math.min(total * 2, total + maxSpareCapacity));
          const larger = Buffer.allocUnsafeSlow(capacity);
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
      block = empty;
      bytes = 0;
      return all;
    },
  };
}
