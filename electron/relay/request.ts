import { AppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import { sameId } from '../../shared/json-rpc.ts';
import { maxMessageBytes, readBody, route, routeBody, type PendingRequest, type ResponseHandler } from './response.ts';
import { discard } from './drain.ts';
import { answerTimeoutMs, isRepeatable, silenceMs } from '../../shared/mcp-methods.ts';
import { heldCall } from './held-call.ts';
import {
  isEventId,
  sessionRequestHeaders,
  statelessHeaders,
  streamHeaders,
  type SessionHeaders,
} from './request-headers.ts';
import { sessionFate } from './session-loss.ts';
import { createStreamResumption } from './stream-resumption.ts';
import { createSseParser, type SseEvent } from './sse-parser.ts';
import { withStallGuard } from './stall-guard.ts';
import type { ToolHeaders } from './tool-header-params.ts';
import { createYielding, readEnvelopeYielding, inParts } from './yielding.ts';
import type { ServerClient } from './server-client.ts';
import { waitFor } from '../core/base/async.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HttpStream } from '../core/http/http.ts';
import type { ServerRequest } from './model.ts';

export interface RequestDeps {
  readonly serverClient: ServerClient;
  /** The server's name, for errors. */
  readonly server: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: no argument becomes a header. */
  readonly toolHeaders?: ToolHeaders;
}

export interface RequestOptions {
  /** Of the legacy generation; undefined for `initialize` and for messages of 2026-07-28. */
  readonly session: SessionHeaders | undefined;
  readonly signal: AbortSignal;
  readonly onChallenge: ServerRequest['onChallenge'];
  /** How long it may wait for a token, in ms; absent: 20 s. */
  readonly tokenWaitMs?: number;
  /** The server has begun to answer, so that the request is no longer on its way. */
  readonly onHead?: () => void;
  /** It waits for more access from now on, or no longer. */
  readonly onHold?: (held: boolean) => void;
  /** The server does not know the session any more, but may have processed the request, which gets its answer. */
  readonly onSessionLost?: () => void;
}

/** `session_seems_lost`: a ping says so, and the request may have run. */
export type RequestOutcome = 'answered' | 'session_lost' | 'session_seems_lost';

/**
 * One request of a host: POST, and what comes back as JSON or as a stream, taken up again where the server can do that.
 * Returns 'session_lost' when the server does not know the session: then the request was not processed, or may be
 * processed twice. Throws AppError when there is no answer to be had.
 */
export async function sendRequest(
  deps: RequestDeps,
  request: PendingRequest,
  handler: ResponseHandler,
  options: RequestOptions,
): Promise<RequestOutcome> {
  const { method } = request.envelope;
  let answered = false;
  let list: Parameters<ResponseHandler['onResponse']> | undefined;
  const onceOnly: ResponseHandler = {
    onResponse(...answer) {
      if (answered) return;
      answered = true;
      if (method === 'tools/list' && deps.toolHeaders) list = answer;
      else handler.onResponse(...answer);
    },
    onServerMessage: (line, found) => handler.onServerMessage(line, found),
    drained: () => handler.drained(),
  };
  try {
    for (let again = false; ; again = true) {
      try {
        const outcome = await once(deps, request, onceOnly, options);
        if (list) handler.onResponse((await deps.toolHeaders?.learn(request, list[0])) ?? list[0], list[1], list[2]);
        return outcome;
      } catch (error) {
        // A reader that lost its answer may ask once more; a tool may have run.
        if (
          again ||
          !isRepeatable(method) ||
          !(error instanceof AppError) ||
          error.code !== 'E_CONNECTION_LOST' ||
          !error.sent
        )
          throw error;
      }
    }
  } catch (error) {
    throw explain(error, method, deps.server);
  }
}

async function once(
  deps: RequestDeps,
  request: PendingRequest,
  handler: ResponseHandler,
  options: RequestOptions,
): Promise<RequestOutcome> {
  const { envelope: asked, line } = request;
  const { session, signal, onChallenge } = options;
  const answered = await deps.serverClient.request({
    method: 'POST',
    headers: {
      ...(asked.stateless ? statelessHeaders(asked) : sessionRequestHeaders(session)),
      ...deps.toolHeaders?.of(request),
    },
    body: line,
    timeoutMs: answerTimeoutMs(asked.method),
    signal,
    repeatable: isRepeatable(asked.method),
    // A session is opened again by itself, and meanwhile the host is answered.
    persistent: asked.method !== 'initialize' && isRepeatable(asked.method),
    onChallenge,
    tokenWaitMs: options.tokenWaitMs,
    hold: () => heldCall(request, deps.clock, handler, options.onHold),
  });
  options.onHead?.();
  const stream = withStallGuard(answered, deps.clock, silenceMs(asked.method, isEventStream(answered)), deps.server);
  const ok = stream.status >= 200 && stream.status < 300;
  if (session && ok) {
    session.suspect = false;
    if (!isRepeatable(asked.method)) session.unsure = false;
  }
  if (ok && isEventStream(stream)) {
    await readStreams(deps, stream, request, handler, options);
    return 'answered';
  }
  const body = await readBody(stream, deps.server);
  if (session?.sessionId !== undefined) {
    const fate = await sessionFate(deps, request, session, stream.status, body, signal);
    if (fate === 'lost' || fate === 'seems_lost') return `session_${fate}`;
    if (fate === 'lost_behind') options.onSessionLost?.();
  }
  await routeBody(body, request, handler, stream, deps.server);
  return 'answered';
}

export const isEventStream = (stream: HttpStream): boolean =>
  /^text\/event-stream\b/i.test(stream.headers['content-type'] ?? '');

/** The stream of a POST, and those that continue it, until the answer has come. */
async function readStreams(
  deps: RequestDeps,
  first: HttpStream,
  request: PendingRequest,
  handler: ResponseHandler,
  options: RequestOptions,
): Promise<void> {
  const place: Place = { lastEventId: undefined, retryMs: undefined, invalid: false, heard: false };
  const reopening = createStreamResumption(deps.clock, slowestReopeningMs);
  let stream: HttpStream | undefined = first;
  let failures = 0;
  for (;;) {
    if (stream) {
      const ended = reopening.opened();
      if (await follow(deps, stream, request, handler, place).finally(ended)) return;
      if (place.heard) reopening.messageReceived();
      place.heard = false;
    }
    // Without an event id nobody can say where it broke (2025-11-25 transports).
    if (request.envelope.stateless || place.lastEventId === undefined || !isEventId(place.lastEventId))
      throw place.invalid ? unreadable(deps.server) : lost(deps.server);
    const waitMs = reopening.delayMs(place.retryMs ?? 1_000);
    if (waitMs === undefined) throw lost(deps.server);
    await waitFor(deps.clock, Math.max(waitMs, failures * 1_000), options.signal);
    stream = await reopen(deps, place.lastEventId, options).catch((error: unknown) => {
      failures += 1;
      if (failures > 5 || options.signal.aborted) throw error;
      return undefined;
    });
    if (stream) failures = 0;
  }
}

async function reopen(
  deps: RequestDeps,
  lastEventId: string,
  { session, signal }: RequestOptions,
): Promise<HttpStream> {
  const headers = streamHeaders(session, lastEventId);
  const stream = await deps.serverClient.request({
    method: 'GET',
    headers,
    timeoutMs: 30_000,
    signal,
    repeatable: true,
    onChallenge: 'quiet',
  });
  if (stream.status === 200 && isEventStream(stream)) return stream;
  discard(stream, deps.clock);
  throw lost(deps.server);
}

/** More events than this that are no message for the call end it. */
const mostSkipped = 10_000;

/** How far a stream was read, over several connections. */
interface Place {
  lastEventId: string | undefined;
  retryMs: number | undefined;
  /** There was a message that may not go to a host: perhaps it was the answer. */
  invalid: boolean;
  /** A message came on the connection. */
  heard: boolean;
}

/** For a server that ends the stream of a call again and again without a word. */
const slowestReopeningMs = 5_000;
/** After so long without a byte an answer that is whole is taken without the blank line that should end it. */
const quietMs = 2_000;

/**
 * Reads one connection's events; true when the answer was among them. A connection that breaks ends like one that is
 * closed.
 */
async function follow(
  deps: RequestDeps,
  stream: HttpStream,
  request: PendingRequest,
  handler: ResponseHandler,
  place: Place,
): Promise<boolean> {
  const parser = createSseParser(maxMessageBytes);
  const chunks = stream.body[Symbol.asyncIterator]();
  const yielding = createYielding();
  let skipped = 0;
  try {
    for (;;) {
      const next = chunks.next();
      if (
        parser.hasBegun &&
        (await isQuiet(deps.clock, next)) &&
        (await answers(parser.pending(), request, handler, stream))
      ) {
        discard(stream, deps.clock);
        return true;
      }
      const { done, value } = await next;
      if (done) return await answers(parser.pending(), request, handler, stream);
      let answered = false;
      for (const part of inParts(value)) {
        for (const { data, type } of parser.push(part)) {
          if (!data || data.length === 0 || (type !== '' && type !== 'message')) continue;
          const routed = route(data, request, handler, stream);
          const what = typeof routed === 'string' ? routed : await routed;
          if (what === 'answer') answered = true;
          else if (what === 'invalid') place.invalid = true;
          if (what === 'answer' || what === 'other') place.heard = true;
          if (what === 'invalid' || what === 'dropped') skipped += 1;
        }
        if (skipped > mostSkipped) throw unreadable(deps.server);
        await yielding.pauseIfDue();
      }
      place.lastEventId = parser.lastEventId ?? place.lastEventId;
      place.retryMs = parser.retryMs ?? place.retryMs;
      if (answered) {
        // The server closes the stream now; read on, so that the connection can be used again.
        discard(stream, deps.clock);
        return true;
      }
      await handler.drained();
    }
  } catch (error) {
    stream.body.destroy();
    if (!(error instanceof AppError) || error.code !== 'E_CONNECTION_LOST') throw error;
    return await answers(parser.pending(), request, handler, stream);
  } finally {
    if (skipped > 0) deps.log('stream_events_skipped', { server: deps.server, count: skipped });
  }
}

/** Passes on the data of an event without its end, where that is a whole response to the call; nothing else of it. */
async function answers(
  event: SseEvent | undefined,
  request: PendingRequest,
  handler: ResponseHandler,
  stream: HttpStream,
): Promise<boolean> {
  const { data, type } = event ?? {};
  if (!data || (type !== '' && type !== 'message')) return false;
  const found = await readEnvelopeYielding(data);
  if (found.kind !== 'response' || !sameId(found.id, request.envelope.id)) return false;
  return (await route(data, request, handler, stream)) === 'answer';
}

/** True when nothing has come for a while; false as soon as something does. */
function isQuiet(clock: Clock, next: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = clock.after(quietMs, () => resolve(true));
    const came = () => {
      stop();
      resolve(false);
    };
    next.then(came, came);
  });
}

const unreadable = (server: string) =>
  new AppError('E_SERVER_ANSWER', 'The server sent no valid JSON-RPC message in answer to the call.', { server });

const lost = (server: string) =>
  new AppError('E_CONNECTION_LOST', 'The server ended the connection without an answer.', { server });

/** After a request was on its way, a lost answer of something that acts means: nobody knows whether it did. */
function explain(error: unknown, method: string, server: string): unknown {
  if (!(error instanceof AppError)) return error;
  const unclear =
    error.sent && (error.code === 'E_CONNECTION_LOST' || error.code === 'E_TIMEOUT') && !isRepeatable(method);
  return unclear ? new AppError('E_OUTCOME_UNKNOWN', error.message, { server, cause: error }) : error.about(server);
}
