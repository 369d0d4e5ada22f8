import { AppError } from '../core/base/errors.ts';
import { sameId } from '../../shared/json-rpc.ts';
import { waitFor } from '../core/base/async.ts';
import type { Clock } from '../core/base/clock.ts';
import type { Log } from '../core/base/log.ts';
import type { HttpStream } from '../core/http/http.ts';
import { discard } from './drain.ts';
import { maxMessageBytes, type PendingRequest, type ResponseHandler } from './model.ts';
import { isEventId, streamHeaders, type SessionHeaders } from './request-headers.ts';
import { route, type RouteResult } from './response.ts';
import type { ServerClient } from './server-client.ts';
import { createSseParser, type SseEvent } from './sse-parser.ts';
import { createStreamResumption } from './stream-resumption.ts';
import { createYielding, readEnvelopeYielding, slices } from './yielding.ts';

export const isEventStream = (stream: HttpStream): boolean =>
  /^text\/event-stream\b/i.test(stream.headers['content-type'] ?? '');

interface StreamDeps {
  readonly serverClient: ServerClient;
  /** The server's name, for errors. */
  readonly server: string;
  readonly clock: Clock;
  readonly log: Log;
}

interface StreamOptions {
  readonly session: SessionHeaders | undefined;
  readonly signal: AbortSignal;
}

/** Longest delay for a server that closes the stream of a call again and again without a message. */
const longestReopenMs = 5_000;
const maxReopenFailures = 5;

/** What is known about the response stream of one request, over several connections. */
interface StreamPosition {
  lastEventId: string | undefined;
  retryMs: number | undefined;
  /** There was a message that must not go to a host. It may have been the response. */
  sawInvalid: boolean;
  /** The current connection brought a message. */
  sawMessage: boolean;
}

/**
 * Reads the event stream of a POST, and the streams that resume it, until the response has arrived. Throws
 * E_CONNECTION_LOST or E_SERVER_ANSWER if it never does.
 */
export async function readResponseStream(
  deps: StreamDeps,
  first: HttpStream,
  request: PendingRequest,
  handler: ResponseHandler,
  options: StreamOptions,
): Promise<void> {
  const position: StreamPosition = { lastEventId: undefined, retryMs: undefined, sawInvalid: false, sawMessage: false };
  const resumption = createStreamResumption(deps.clock, longestReopenMs);
  let stream: HttpStream | undefined = first;
  let failures = 0;
  for (;;) {
    if (stream) {
      const ended = resumption.opened();
      if (await readConnection(deps, stream, request, handler, position).finally(ended)) return;
      if (position.sawMessage) resumption.messageReceived();
      position.sawMessage = false;
    }
    const { lastEventId } = position;
    // Without an event id the server cannot know where to resume (MCP 2025-11-25 transports, Resumability).
    if (request.envelope.stateless || lastEventId === undefined || !isEventId(lastEventId))
      throw position.sawInvalid ? unreadable(deps.server) : lost(deps.server);
    const delayMs = resumption.delayMs(position.retryMs ?? 1_000);
    if (delayMs === undefined) throw lost(deps.server);
    await waitFor(deps.clock, Math.max(delayMs, failures * 1_000), options.signal);
    stream = await resume(deps, lastEventId, options).catch((error: unknown) => {
      failures += 1;
      if (failures > maxReopenFailures || options.signal.aborted) throw error;
      return undefined;
    });
    if (stream) failures = 0;
  }
}

async function resume(
  { serverClient, clock, server }: StreamDeps,
  lastEventId: string,
  { session, signal }: StreamOptions,
): Promise<HttpStream> {
  const stream = await serverClient.request({
    method: 'GET',
    headers: streamHeaders(session, lastEventId),
    timeoutMs: 30_000,
    signal,
    repeatable: true,
    onChallenge: 'ignore',
  });
  if (stream.status === 200 && isEventStream(stream)) return stream;
  discard(stream, clock);
  throw lost(server);
}

/** More events than this that are not messages for the call fail it. */
const maxSkippedEvents = 10_000;
/** After this long without a byte, a complete response counts even without the blank line that should follow it. */
const quietMs = 2_000;

/** Reads one connection to its end, whether it is closed or lost. True if the response was on it. */
async function readConnection(
  deps: StreamDeps,
  stream: HttpStream,
  request: PendingRequest,
  handler: ResponseHandler,
  position: StreamPosition,
): Promise<boolean> {
  const parser = createSseParser(maxMessageBytes);
  const chunks = stream.body[Symbol.asyncIterator]();
  const yielding = createYielding();
  const routePending = () => routeUnfinished(parser.pending(), request, handler, stream);
  let skipped = 0;
  try {
    for (;;) {
      const next = chunks.next();
      if (parser.hasBegun && (await isQuiet(deps.clock, next)) && (await routePending())) {
        discard(stream, deps.clock);
        return true;
      }
      const { done, value } = await next;
      if (done) return await routePending();
      let answered = false;
      for (const slice of slices(value)) {
        for (const event of parser.push(slice)) {
          const routing = routeEvent(event, request, handler, stream);
          const result = routing instanceof Promise ? await routing : routing;
          if (result === undefined) continue;
          if (result === 'response') answered = true;
          if (result === 'invalid') position.sawInvalid = true;
          if (result === 'response' || result === 'server_message') position.sawMessage = true;
          else skipped += 1;
        }
        if (skipped > maxSkippedEvents) throw unreadable(deps.server);
        await yielding.pauseIfDue();
      }
      position.lastEventId = parser.lastEventId ?? position.lastEventId;
      position.retryMs = parser.retryMs ?? position.retryMs;
      if (answered) {
        // The server closes the stream now. Reading to the end lets the connection be reused.
        discard(stream, deps.clock);
        return true;
      }
      await handler.drained();
    }
  } catch (error) {
    stream.body.destroy();
    if (!(error instanceof AppError) || error.code !== 'E_CONNECTION_LOST') throw error;
    return await routePending();
  } finally {
    if (skipped > 0) deps.log('stream_events_skipped', { server: deps.server, count: skipped });
  }
}

const isMessageEvent = ({ type }: SseEvent): boolean => type === '' || type === 'message';

/** Undefined for an event without a message. */
function routeEvent(
  event: SseEvent,
  request: PendingRequest,
  handler: ResponseHandler,
  stream: HttpStream,
): RouteResult | Promise<RouteResult> | undefined {
  const { data } = event;
  return data && data.length > 0 && isMessageEvent(event) ? route(data, request, handler, stream) : undefined;
}

/** Passes on an event that was cut off if its data is the complete response to the call. True if it was. */
async function routeUnfinished(
  event: SseEvent | undefined,
  request: PendingRequest,
  handler: ResponseHandler,
  stream: HttpStream,
): Promise<boolean> {
  if (!event?.data || !isMessageEvent(event)) return false;
  const envelope = await readEnvelopeYielding(event.data);
  if (envelope.kind !== 'response' || !sameId(envelope.id, request.envelope.id)) return false;
  return (await route(event.data, request, handler, stream)) === 'response';
}

/** True after a while without a chunk; false as soon as the next one arrives. */
function isQuiet(clock: Clock, nextChunk: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = clock.after(quietMs, () => resolve(true));
    const arrived = () => {
      stop();
      resolve(false);
    };
    nextChunk.then(arrived, arrived);
  });
}

const unreadable = (server: string) =>
  new AppError('E_SERVER_ANSWER', 'The server sent no valid JSON-RPC message in response to the call.', { server });

const lost = (server: string) =>
  new AppError('E_CONNECTION_LOST', 'The server closed the connection without a response.', { server });
