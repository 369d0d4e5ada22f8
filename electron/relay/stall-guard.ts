import { AppError } from '../core/base/errors.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HttpStream } from '../core/http/http.ts';

/**
 * The same answer, whose reader meets E_TIMEOUT when nothing has come for `ms` (half as long again at most) while it
 * was waited for: a server that begins an answer and never ends it must not keep a call for ever. `ms` undefined: no
 * limit.
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
  let late = false;
  let cancel = () => {};
  const look = (seen: number, again: boolean) => {
    cancel = clock.after(ms / 2, () => {
      const quiet = waiting > 0 && reads === seen;
      late = quiet && again;
      if (late) stream.body.destroy();
      else look(reads, quiet);
    });
  };
  look(0, false);

  const next = async (): Promise<IteratorResult<Buffer>> => {
    waiting += 1;
    try {
      const result = await chunks.next();
      if (late) throw stalled(server, ms);
      if (result.done) cancel();
      return result;
    } catch (error) {
      cancel();
      throw late ? stalled(server, ms) : error;
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
