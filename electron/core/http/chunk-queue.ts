import { createByteBuilder, type ByteBuilder } from './byte-builder.ts';

/** Small chunks are joined up to this size: each of them alone would take many times its bytes in memory. */
const joinedBytes = 64 * 1024;

/** Chunks of a body that are not read yet, in order. */
export interface ChunkQueue {
  /** Bytes in the queue. */
  readonly bytes: number;
  push(chunk: Buffer): void;
  /** Removes and returns the oldest chunk, or undefined if the queue is empty. */
  shift(): Buffer | undefined;
  clear(): void;
}

export function createChunkQueue(): ChunkQueue {
  const chunks: ByteBuilder[] = [];
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    push(chunk) {
      bytes += chunk.length;
      const last = chunks.at(-1);
      if (last && last.bytes + chunk.length <= joinedBytes) return last.add(chunk);
      const builder = createByteBuilder();
      builder.add(chunk);
      chunks.push(builder);
    },
    shift() {
      const chunk = chunks.shift()?.take();
      bytes -= chunk?.length ?? 0;
      return chunk;
    },
    clear() {
      chunks.length = 0;
      bytes = 0;
    },
  };
}
