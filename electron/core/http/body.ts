import type { AppError } from '../base/errors.ts';
import { createByteBuilder, type ByteBuilder } from './byte-builder.ts';

/** Bytes that may wait for a slow reader before the sender is asked to pause. */
const highWater = 256 * 1024;
/** Small chunks that wait are joined up to this size: each by itself would cost many times its bytes. */
const joinedBytes = 64 * 1024;

/** What the receiving side of an exchange can do to the sending one. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** The reader wants no more. */
  stop(): void;
}

export interface Body extends AsyncIterable<Buffer> {
  destroy(): void;
}

export interface BodySource {
  readonly body: Body;
  push(chunk: Buffer): void;
  end(): void;
  fail(error: AppError): void;
}

/**
 * A queue of chunks with one reader. Leaner than a Node stream, which costs more than the rest of a small call.
 * Chunks that came before an error are still read; then the error is thrown once.
 */
export function createBody(flow: Flow): BodySource {
  const chunks: ByteBuilder[] = [];
  let waiting = 0;
  let paused = false;
  let over = false;
  let failure: AppError | undefined;
  let wake: (() => void) | undefined;

  const done = { done: true, value: undefined } as const;
  const signal = () => {
    wake?.();
    wake = undefined;
  };
  const destroy = () => {
    chunks.length = 0;
    waiting = 0;
    failure = undefined;
    if (!over) {
      over = true;
      flow.stop();
    }
    signal();
  };
  const take = (gathered: ByteBuilder): IteratorResult<Buffer> => {
    const chunk = gathered.take();
    waiting -= chunk.length;
    if (paused && waiting < highWater / 2) {
      paused = false;
      flow.resume();
    }
    return { done: false, value: chunk };
  };
  const next = async (): Promise<IteratorResult<Buffer>> => {
    for (;;) {
      const first = chunks.shift();
      if (first) return take(first);
      if (failure) {
        const error = failure;
        failure = undefined;
        throw error;
      }
      if (over) return done;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const iterator: AsyncIterator<Buffer> = {
    next,
    async return() {
      destroy();
      return done;
    },
  };

  return {
    body: { destroy, [Symbol.asyncIterator]: () => iterator },
    push(chunk) {
      if (over) return;
      const last = chunks.at(-1);
      if (last && last.bytes + chunk.length <= joinedBytes) last.add(chunk);
      else {
        const next = createByteBuilder();
        next.add(chunk);
        chunks.push(next);
      }
      waiting += chunk.length;
      if (!paused && waiting > highWater) {
        paused = true;
        flow.pause();
      }
      signal();
    },
    end() {
      over = true;
      signal();
    },
    fail(error) {
      if (over) return;
      over = true;
      failure = error;
      signal();
    },
  };
}
