import { AppError } from '../core/errors.ts';
import type { Question, Sink } from './answer.ts';
import { exchange, type ExchangeDeps, type ExchangeOptions } from './exchange.ts';
import { passesByItself, retryDelayMs } from './passing.ts';
import { waitFor } from './waiting.ts';

/**
 * `subscriptions/listen` of 2026-07-28: a request whose answer is a stream without end. A host on stdio cannot see that
 * the stream broke, so it is opened again, by the same message with the same id, and its second acknowledgement is kept back.
 */
export async function listen(deps: ExchangeDeps, question: Question, sink: Sink, options: ExchangeOptions): Promise<void> {
  let acknowledged = false;
  let failures = 0;
  const once: Sink = {
    answer: (line, found, head) => sink.answer(line, found, head),
    drained: () => sink.drained(),
    other(line, found) {
      failures = 0;
      const isFirst = found.method === 'notifications/subscriptions/acknowledged' && !acknowledged;
      if (isFirst) acknowledged = true;
      if (isFirst || found.method !== 'notifications/subscriptions/acknowledged') sink.other(line, found);
    },
  };
  for (;;) {
    try {
      await exchange(deps, question, once, options);
      return;
    } catch (error) {
      if (!acknowledged || !(error instanceof AppError) || !passesByItself(error.code)) throw error;
      failures += 1;
      await waitFor(deps.clock, retryDelayMs(failures), options.signal);
    }
  }
}
