import { asAppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { maxMessageBytes } from './model.ts';
import { readServerMessages } from './response.ts';
import { discard } from './drain.ts';
import { isEventStream } from './response-stream.ts';
import { streamHeaders, type SessionHeaders } from './request-headers.ts';
import { connecting, nextStreamState, type StreamEvent, type StreamState } from './notification-stream-state.ts';
import { watchDuration } from './stream-resumption.ts';
import { createSseParser } from './sse-parser.ts';
import { createYielding, slices } from './yielding.ts';
import type { ServerClient } from './server-client.ts';
import { waitFor } from '../core/base/async.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HttpStream } from '../core/http/http.ts';

/**
 * The GET stream on which a server with sessions sends its own notifications and requests (MCP 2025-11-25 transports).
 * It is opened again as long as the session lives. notification-stream-state.ts decides, this file acts.
 */
export interface NotificationStream {
  /** Opens the stream of this session, and closes that of the one before. */
  start(session: SessionHeaders): void;
  /** Cuts the delay before the next connection short. */
  tryNow(): void;
  stop(): void;
}

export interface NotificationStreamDeps {
  readonly serverClient: ServerClient;
  readonly server: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Receives each message of the server, as one line. */
  readonly onMessage: (line: Buffer) => void;
  /** Resolves when the host accepts more data; undefined if it does now. */
  readonly drained: () => Promise<void> | undefined;
}

export function createNotificationStream(deps: NotificationStreamDeps): NotificationStream {
  let current: StreamRun | undefined;
  return {
    start(session) {
      current?.stop();
      current = startRun(deps, session);
    },
    tryNow: () => current?.tryNow(),
    stop() {
      current?.stop();
      current = undefined;
    },
  };
}

interface StreamRun {
  tryNow(): void;
  stop(): void;
}

/** Runs the stream of one session: acts on each state, and reports events to the state machine. */
function startRun(deps: NotificationStreamDeps, session: SessionHeaders): StreamRun {
  const { clock, log, server } = deps;
  const stopped = new AbortController();
  let hurry: AbortController | undefined;
  let state: StreamState = connecting;
  const apply = (event: StreamEvent) => {
    state = nextStreamState(state, event);
  };

  async function connect(lastEventId: string | undefined): Promise<void> {
    let duration: { readonly stop: () => boolean } | undefined;
    let error: unknown;
    try {
      const stream = await openStream(deps, session, lastEventId, stopped.signal);
      if (stream.status !== 200 || !isEventStream(stream)) {
        discard(stream, clock);
        log('server_stream_not_offered', { server, status: stream.status });
        // A lost session (404) also shows at the next call.
        return apply({ type: 'refused', status: stream.status, random: Math.random() });
      }
      apply({ type: 'opened' });
      duration = watchDuration(clock);
      await readEvents(deps, stream, apply);
    } catch (caught) {
      error = caught;
    }
    const lasted = duration?.stop() ?? false;
    if (stopped.signal.aborted) return;
    if (error === undefined) return apply({ type: 'ended', lasted, random: Math.random() });
    const { code } = asAppError(error);
    log('server_stream_lost', { server, code });
    apply({ type: 'ended', code, lasted, random: Math.random() });
  }

  async function wait(ms: number): Promise<void> {
    hurry = new AbortController();
    await waitFor(clock, ms, AbortSignal.any([stopped.signal, hurry.signal])).catch(() => {});
    hurry = undefined;
    apply({ type: 'retry' });
  }

  async function run(): Promise<void> {
    for (;;) {
      if (state.kind === 'connecting') await connect(state.lastEventId);
      else if (state.kind === 'waiting') await wait(state.delayMs);
      else return;
    }
  }

  void run();
  return {
    tryNow: () => hurry?.abort(),
    stop() {
      apply({ type: 'stopped' });
      stopped.abort();
    },
  };
}

const openStream = (
  { serverClient }: NotificationStreamDeps,
  session: SessionHeaders,
  lastEventId: string | undefined,
  signal: AbortSignal,
): Promise<HttpStream> =>
  serverClient.request({
    method: 'GET',
    headers: streamHeaders(session, lastEventId),
    timeoutMs: 30_000,
    signal,
    repeatable: true,
    onChallenge: 'ignore',
  });

const bytes: StreamEvent = { type: 'bytes' };
const message: StreamEvent = { type: 'message' };

/** Reads one connection to its end. */
async function readEvents(
  deps: NotificationStreamDeps,
  stream: HttpStream,
  apply: (event: StreamEvent) => void,
): Promise<void> {
  const parser = createSseParser(maxMessageBytes);
  const yielding = createYielding();
  for await (const chunk of stream.body) {
    apply(bytes);
    for (const part of slices(chunk)) {
      for (const { data, type } of parser.push(part))
        if (data && data.length > 0 && (type === '' || type === 'message') && (await deliver(deps, data)))
          apply(message);
      await yielding.pauseIfDue();
    }
    apply({ type: 'position', lastEventId: parser.lastEventId, retryMs: parser.retryMs });
    await deps.drained();
  }
}

/** Passes on the messages of one event. True if there was a valid one. */
async function deliver({ onMessage, log, server }: NotificationStreamDeps, data: Buffer): Promise<boolean> {
  const { lines, invalid } = await readServerMessages(data);
  for (const line of lines) onMessage(line);
  if (invalid > 0) log('server_messages_dropped', { server, count: invalid });
  return lines.length > 0;
}
