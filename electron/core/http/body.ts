import type { AppError } from '../base/errors.ts';
import { createChunkQueue } from './chunk-queue.ts';

/** Unread bytes above which the sender is paused. */
const highWaterMark = 256 * 1024;

/** How the reader of a body controls the sender. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** The reader has given up: the rest of the body is not needed. */
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
 * A queue of chunks for a single reader. Used instead of a Node stream, which costs more than the rest of a small call.
 * Chunks received before an error are still delivered; then the error is thrown once.
 */
export function createBody(flow: Flow): BodySource {
  const queue = createChunkQueue();
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
    queue.clear();
    failure = undefined;
    if (!over) {
      over = true;
      flow.stop();
    }
    signal();
  };
  const resumeIfDrained = () => {
    if (!paused || queue.bytes >= highWaterMark / 2) return;
    paused = false;
    flow.resume();
  };
  const next = async (): Promise<IteratorResult<Buffer>> => {
    for (;;) {
      const chunk = queue.shift();
      if (chunk) {
        resumeIfDrained();
        return { done: false, value: chunk };
      }
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
      queue.push(chunk);
      if (!paused && queue.bytes > highWaterMark) {
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
