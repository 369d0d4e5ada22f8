import { readText } from '../../shared/json.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HttpStream } from '../core/http/http.ts';

/** How much of a body is read, and how long that may take. */
const maxPeekBytes = 64 * 1024;
const maxPeekMs = 2_000;

/**
 * Reads the first 64 KB of a body, or what arrives within 2 s. Returns that text, and the same response with its whole
 * body still unread.
 */
export async function peekBody(stream: HttpStream, clock: Clock): Promise<{ text: string; whole: HttpStream }> {
  const chunks = stream.body[Symbol.asyncIterator]();
  const read: Buffer[] = [];
  let bytes = 0;
  let cancel = () => {};
  const timeout = new Promise<'late'>((resolve) => {
    cancel = clock.after(maxPeekMs, () => resolve('late'));
  });
  let pending: Promise<IteratorResult<Buffer>> | undefined;
  try {
    while (bytes < maxPeekBytes) {
      pending = chunks.next();
      const next = await Promise.race([pending, timeout]);
      if (next === 'late') break;
      pending = undefined;
      if (next.done === true) break;
      read.push(next.value);
      bytes += next.value.length;
    }
  } finally {
    cancel();
  }
  // If nobody reads on, an error of the pending read must not become an unhandled rejection.
  pending?.catch(() => {});
  async function* replay(): AsyncGenerator<Buffer> {
    try {
      yield* read;
      for (let next = await (pending ?? chunks.next()); next.done !== true; next = await chunks.next())
        yield next.value;
    } finally {
      stream.body.destroy();
    }
  }
  const body = Object.assign(replay(), { destroy: () => stream.body.destroy() });
  return { text: readText(Buffer.concat(read)), whole: { ...stream, body } };
}
