import type { Clock } from '../core/base/clock.ts';
import type { HttpStream } from '../core/http/http.ts';

/** Reads a short body to its end, so that the connection can be used again; gives up on a long or slow one. */
export function discard(stream: HttpStream, clock: Clock): void {
  void drain(stream, clock);
}

/** The same, and gives what came. Never rejects. */
export async function drain(stream: HttpStream, clock: Clock): Promise<Buffer> {
  const stop = clock.after(2_000, () => stream.body.destroy());
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream.body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > 65_536) break;
    }
  } catch {
    // What is there has to do.
  } finally {
    stop();
  }
  return Buffer.concat(chunks);
}
