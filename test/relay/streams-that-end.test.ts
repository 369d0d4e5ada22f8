import { describe, expect, it } from 'vitest';
import { sendRequest } from '../../electron/relay/request.ts';
import type { PendingRequest, ResponseHandler } from '../../electron/relay/model.ts';
import { listen } from '../../electron/relay/subscriptions.ts';
import { createStreamResumption } from '../../electron/relay/stream-resumption.ts';
import { AppError } from '../../electron/core/base/errors.ts';
import { silentLog } from '../../electron/core/base/log.ts';
import { readEnvelope } from '../../shared/json-rpc.ts';
import { createPauses } from '../../electron/core/base/async.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import type { HttpStream } from '../../electron/core/http/http.ts';

// Response streams that end or fall silent, on a fake clock.

const asked = Buffer.from('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x"}}');
const request: PendingRequest = { line: asked, envelope: readEnvelope(asked) as PendingRequest['envelope'] };
const answer = '{"jsonrpc":"2.0","id":7,"result":{"a":1}}';

/** A stream of these chunks, which then ends, breaks, or stays open and silent. */
function streamOf(chunks: readonly string[], then: 'end' | 'break' | 'quiet'): HttpStream {
  async function* body() {
    for (const chunk of chunks) yield Buffer.from(chunk);
    if (then === 'break') throw new AppError('E_CONNECTION_LOST', 'broken');
    if (then === 'quiet') await new Promise(() => {});
  }
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: Object.assign(body(), { destroy: () => {} }),
  };
}

function begin(open: (method: string) => HttpStream) {
  const clock = createFakeClock();
  const lines: string[] = [];
  let outcome: string | undefined;
  const handler: ResponseHandler = {
    onResponse: (line) => void lines.push(line.toString()),
    onServerMessage: (line) => void lines.push(line.toString()),
    drained: () => undefined,
  };
  const serverClient = { request: async ({ method }: { method: string }) => open(method), forgetCookies: () => {} };
  sendRequest({ serverClient, server: 'work', clock, log: silentLog }, request, handler, {
    session: undefined,
    signal: new AbortController().signal,
    onChallenge: 'ignore',
  }).then(
    (done) => (outcome = done),
    (error: unknown) => (outcome = (error as AppError).code),
  );
  return { clock, lines, outcome: () => outcome };
}

describe('a response without the blank line that should end its event', () => {
  it.each([
    ['without any line end', [`data: ${answer}`]],
    ['with one', [`data: ${answer}\n`]],
    ['in pieces, with the type before it', ['event: message\nda', 'ta:', answer.slice(0, 9), answer.slice(9)]],
    ['on several lines', ['data: {"jsonrpc":"2.0","id":7,\ndata: "result":{"a":1}}']],
  ])('%s is delivered when the stream ends, breaks, or is silent for 2 s', async (_, chunks) => {
    for (const then of ['end', 'break'] as const) {
      const { clock, lines, outcome } = begin(() => streamOf(chunks, then));
      await clock.advance(0);
      expect([lines.map((line) => JSON.parse(line) as unknown), outcome()]).toEqual([[JSON.parse(answer)], 'answered']);
    }
    const { clock, lines, outcome } = begin(() => streamOf(chunks, 'quiet'));
    await clock.advance(1_900);
    expect(lines).toEqual([]);
    await clock.advance(200);
    expect([lines.map((line) => JSON.parse(line) as unknown), outcome()]).toEqual([[JSON.parse(answer)], 'answered']);
  });

  it.each([
    ['half a response', `data: ${answer.slice(0, -1)}`],
    ['a response to another call', 'data: {"jsonrpc":"2.0","id":8,"result":{}}'],
    ['a notification', 'data: {"jsonrpc":"2.0","method":"notifications/x"}'],
    ['another type of event', `event: ping\ndata: ${answer}`],
  ])('is not delivered if it is %s', async (_, chunk) => {
    const ended = begin(() => streamOf([chunk], 'end'));
    await ended.clock.advance(0);
    expect([ended.lines, ended.outcome()]).toEqual([[], 'E_OUTCOME_UNKNOWN']);
    const quiet = begin(() => streamOf([chunk], 'quiet'));
    await quiet.clock.advance(60_000);
    expect([quiet.lines, quiet.outcome()]).toEqual([[], undefined]);
  });
});

describe('retry: 0', () => {
  it('opens a stream that closes at once a limited number of times, after growing delays', async () => {
    let openings = 0;
    const { clock, outcome } = begin(() => {
      openings += 1;
      return streamOf(['retry: 0\nid: 1\n\n'], 'end');
    });
    await clock.advance(1_000);
    expect(openings).toBeLessThan(6);
    await clock.advance(59_000);
    expect(openings).toBeLessThan(25);
    await clock.advance(3_600_000);
    expect(outcome()).toBe('E_OUTCOME_UNKNOWN');
    expect(openings).toBeLessThan(510);
  });

  it.each([
    ['the server asks for nothing', 0, 0, 250],
    ['the server asks for 3 s', 0, 3_000, 3_000],
    ['five connections were fruitless', 5, 0, 4_000],
    ['forty connections were fruitless', 40, 0, 5_000],
    ['the server asks for a year', 0, 31_536_000_000, 300_000],
    ['500 connections were fruitless', 500, 0, undefined],
  ])('gives this delay when %s', (_, fruitless, retryMs, wanted) => {
    const reopening = createStreamResumption(createFakeClock(), 5_000, () => 0);
    for (let n = 0; n < fruitless; n += 1) reopening.opened()();
    expect(reopening.delayMs(retryMs)).toBe(wanted);
    reopening.messageReceived();
    expect(reopening.delayMs(0)).toBe(250);
  });

  it('does not count a connection of ten seconds as fruitless', async () => {
    const clock = createFakeClock();
    const reopening = createStreamResumption(clock, 60_000, () => 0);
    for (let n = 0; n < 8; n += 1) reopening.opened()();
    const ended = reopening.opened();
    await clock.advance(10_000);
    ended();
    expect(reopening.delayMs(0)).toBe(250);
  });
});

describe('a subscription stream', () => {
  it('that is closed after each acknowledgement is opened after growing delays and acknowledged once', async () => {
    const clock = createFakeClock();
    const line = Buffer.from('{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{}}');
    const lines: string[] = [];
    let openings = 0;
    const serverClient = {
      forgetCookies: () => {},
      request: async () => {
        openings += 1;
        return streamOf(['data: {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged"}\n\n'], 'end');
      },
    };
    const handler: ResponseHandler = {
      onResponse: (one) => void lines.push(one.toString()),
      onServerMessage: (one) => void lines.push(one.toString()),
      drained: () => undefined,
    };
    const abort = new AbortController();
    const done = listen(
      { serverClient, server: 'work', clock, log: silentLog, pauses: createPauses(clock) },
      { line, envelope: readEnvelope(line) as PendingRequest['envelope'] },
      handler,
      { session: undefined, signal: abort.signal, onChallenge: 'ignore' },
    ).catch(() => {});
    await clock.advance(60_000);
    expect(openings).toBeGreaterThan(5);
    // Each attempt is repeated once: the request is repeatable, and a reused connection may have been closed.
    expect(openings).toBeLessThan(40);
    expect(lines).toHaveLength(1);
    abort.abort();
    await clock.advance(10_000);
    await done;
  });
});
