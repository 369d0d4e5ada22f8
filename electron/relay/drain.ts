import type { Clock } from '../core/base/clock.ts';
import type { HttpStream } from '../core/http/http.ts';

const maxMs = 2_000;
const maxBytes = 64 * 1024;

/** Reads a short body to its end, so that the connection can be reused. Closes the connection of a long or slow one. */
export function discard(stream: HttpStream, clock: Clock): void {
  void drain(stream, clock);
}

/** Like `discard`, but resolves with the bytes that were read. Never rejects. */
export async function drain(stream: HttpStream, clock: Clock): Promise<Buffer> {
  const stop = clock.after(maxMs, () => stream.body.destroy());
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream.body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) break;
    }
  } catch {
    // The bytes so far are enough for an error text.
  } finally {
    stop();
  }
  return Buffer.concat(chunks);
}
