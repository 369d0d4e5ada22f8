import { asAppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { maxMessageBytes, readServerMessages } from './response.ts';
import { discard } from './drain.ts';
import { isEventStream } from './request.ts';
import { streamHeaders, type SessionHeaders } from './request-headers.ts';
import { delayAfterMs, needsAttention, retryDelayMs } from './retry-policy.ts';
import { createStreamResumption } from './stream-resumption.ts';
import { createSseParser } from './sse-parser.ts';
import { createYielding, inParts } from './yielding.ts';
import type { ServerClient } from './server-client.ts';
import { waitFor } from '../core/base/async.ts';
import type { Clock } from '../core/base/clock.ts';

/**
 * The stream on which a server of the legacy generation speaks first: GET, kept open and reopened for as long as the
 * session lives.
 */
export interface NotificationStream {
  /** Opens it for this session, instead of the one before. */
  start(session: SessionHeaders): void;
  /** Tries now, if it waits for its next try. */
  poke(): void;
  stop(): void;
}

export interface NotificationStreamDeps {
  readonly serverClient: ServerClient;
  readonly server: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes what the server says: one message on one line. */
  readonly take: (line: Buffer) => void;
  readonly drained: () => Promise<void> | undefined;
}

/** Longest pause after a status that refuses the stream: what a server has refused once is not refused for ever. */
const slowestRefusedMs = 15 * 60_000;
/** Between tries at a server whose streams have brought nothing hundreds of times. */
const givenUpMs = 24 * 60 * 60_000;
/** Slowest try at a server that closes each stream at once. */
const slowestMs = 60_000;

export function createNotificationStream(deps: NotificationStreamDeps): NotificationStream {
  const { clock, log, server } = deps;
  let running: AbortController | undefined;
  let hurry: AbortController | undefined;

  async function run(session: SessionHeaders, { signal }: AbortController): Promise<void> {
    let lastEventId: string | undefined;
    let retryMs: number | undefined;
    let failures = 0;
    const reopening = createStreamResumption(clock, slowestMs);
    while (!signal.aborted) {
      let refusedMs: number | undefined;
      try {
        const request = {
          method: 'GET',
          headers: streamHeaders(session, lastEventId),
          timeoutMs: 30_000,
          signal,
          repeatable: true,
          onChallenge: 'quiet',
        } as const;
        const stream = await deps.serverClient.request(request);
        if (stream.status !== 200 || !isEventStream(stream)) {
          discard(stream, clock);
          // 405 says that there is none. A lost session (404) shows at the next call too.
          failures += 1;
          if (stream.status < 500) refusedMs = Math.min(slowestRefusedMs, 15_000 * 2 ** failures);
          log('server_stream_not_offered', { server, status: stream.status });
          if (stream.status === 405) return;
        } else {
          const parser = createSseParser(maxMessageBytes);
          const yielding = createYielding();
          const ended = reopening.opened();
          try {
            for await (const chunk of stream.body) {
              failures = 0;
              for (const part of inParts(chunk)) {
                const events = parser.push(part);
                for (const { data, type } of events)
                  if (data && data.length > 0 && (type === '' || type === 'message') && (await pass(data)))
                    reopening.heard();
                await yielding.pauseIfDue();
              }
              lastEventId = parser.lastEventId ?? lastEventId;
              retryMs = parser.retryMs ?? retryMs;
              await deps.drained();
            }
          } finally {
            ended();
          }
          failures += 1;
        }
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const { code } = asAppError(error);
        if (needsAttention(code) || code === 'E_SERVER_REFUSED') refusedMs = delayAfterMs(code, failures);
        log('server_stream_lost', { server, code });
      }
      const waitMs = reopening.next(retryMs ?? 0) ?? givenUpMs;
      await pause(refusedMs ?? Math.max(waitMs, retryDelayMs(failures)), signal);
    }
  }

  /** True when a host could read any of it. */
  async function pass(data: Buffer): Promise<boolean> {
    const { lines, invalid } = await readServerMessages(data);
    for (const line of lines) deps.take(line);
    if (invalid > 0) log('server_messages_dropped', { server, count: invalid });
    return lines.length > 0;
  }

  /** Waits; ends early on `poke` and on the signal. */
  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    hurry = new AbortController();
    await waitFor(clock, ms, AbortSignal.any([signal, hurry.signal])).catch(() => {});
    hurry = undefined;
  }

  return {
    start(session) {
      running?.abort();
      running = new AbortController();
      void run(session, running);
    },
    poke: () => hurry?.abort(),
    stop() {
      running?.abort();
      running = undefined;
    },
  };
}
