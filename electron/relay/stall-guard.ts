import { AppError } from '../core/base/errors.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HttpStream } from '../core/http/http.ts';

/**
 * The same response, whose reader gets E_TIMEOUT when it has waited `ms` for a chunk (up to half as long again). It
 * keeps a server that never ends a response from blocking a call forever. `ms` undefined: no limit.
 */
export function withStallGuard<Stream extends HttpStream>(
  stream: Stream,
  clock: Clock,
  ms: number | undefined,
  server: string,
): Stream {
  if (ms === undefined) return stream;
  const chunks = stream.body[Symbol.asyncIterator]();
  let reads = 0;
  let waiting = 0;
  let isLate = false;
  let cancel = () => {};
  // One timer for the whole stream is cheaper than one for each chunk: two silent halves in a row are the limit.
  const check = (readsBefore: number, wasSilent: boolean) => {
    cancel = clock.after(ms / 2, () => {
      const isSilent = waiting > 0 && reads === readsBefore;
      isLate = isSilent && wasSilent;
      if (isLate) stream.body.destroy();
      else check(reads, isSilent);
    });
  };
  check(0, false);

  const next = async (): Promise<IteratorResult<Buffer>> => {
    waiting += 1;
    try {
      const result = await chunks.next();
      if (isLate) throw stalled(server, ms);
      if (result.done) cancel();
      return result;
    } catch (error) {
      cancel();
      throw isLate ? stalled(server, ms) : error;
    } finally {
      waiting -= 1;
      reads += 1;
    }
  };
  const destroy = () => {
    cancel();
    stream.body.destroy();
  };
  const iterator: AsyncIterator<Buffer> = {
    next,
    async return() {
      destroy();
      return { done: true, value: undefined };
    },
  };
  return { ...stream, body: { destroy, [Symbol.asyncIterator]: () => iterator } };
}

const stalled = (server: string, ms: number) =>
  new AppError('E_TIMEOUT', `The server began to answer, and then sent nothing for ${Math.round(ms / 1_000)} s.`, {
    server,
    sent: true,
  });
