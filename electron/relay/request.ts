import { AppError } from '../core/base/errors.ts';
import type { Log } from '../core/base/log.ts';
import type { Clock } from '../core/base/clock.ts';
import { answerTimeoutMs, isRepeatable, silenceMs } from '../../shared/mcp-methods.ts';
import { heldCall } from './held-call.ts';
import type { PendingRequest, ResponseHandler, ServerRequest } from './model.ts';
import { readBody } from './read-body.ts';
import { sessionRequestHeaders, statelessHeaders, type SessionHeaders } from './request-headers.ts';
import { routeBody } from './response.ts';
import { isEventStream, readResponseStream } from './response-stream.ts';
import type { ServerClient } from './server-client.ts';
import { checkSession } from './session-check.ts';
import { withStallGuard } from './stall-guard.ts';
import type { ToolHeaders } from './tool-header-params.ts';

export interface RequestDeps {
  readonly serverClient: ServerClient;
  /** The server's name, for errors. */
  readonly server: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Without it, no argument of a tool is copied to a header. */
  readonly toolHeaders?: ToolHeaders;
}

export interface RequestOptions {
  /** The session with `initialize`. Undefined for `initialize` itself and for stateless messages (2026-07-28). */
  readonly session: SessionHeaders | undefined;
  readonly signal: AbortSignal;
  readonly onChallenge: ServerRequest['onChallenge'];
  /** Longest wait for a token, in ms. Defaults to 20 s. */
  readonly tokenWaitMs?: number;
  /** Called when the response head is there: the request is no longer on its way. */
  readonly onResponseStart?: () => void;
  /** Called with true when the call is held until the user decides about more scopes, and with false after that. */
  readonly onHeld?: (held: boolean) => void;
  /** Called when the server has lost the session, but may have run the request. The host still gets its response. */
  readonly onSessionLost?: () => void;
}

/**
 * `session_lost`: the server does not know the session; the request did not run, or may run twice.
 * `session_probably_lost`: a ping says so too, but the request may have run.
 */
export type RequestOutcome = 'answered' | 'session_lost' | 'session_probably_lost';

/**
 * Sends one request of a host (POST) and passes on its response: JSON, or an event stream, which is resumed where the
 * server supports that (MCP 2025-11-25 transports). Throws AppError if there is no response.
 */
export async function sendRequest(
  deps: RequestDeps,
  request: PendingRequest,
  handler: ResponseHandler,
  options: RequestOptions,
): Promise<RequestOutcome> {
  const { method } = request.envelope;
  let answered = false;
  let toolList: Parameters<ResponseHandler['onResponse']> | undefined;
  const onceOnly: ResponseHandler = {
    onResponse(...response) {
      if (answered) return;
      answered = true;
      if (method === 'tools/list' && deps.toolHeaders) toolList = response;
      else handler.onResponse(...response);
    },
    onServerMessage: (line, envelope) => handler.onServerMessage(line, envelope),
    drained: () => handler.drained(),
  };
  try {
    for (let isRetry = false; ; isRetry = true) {
      try {
        const outcome = await sendOnce(deps, request, onceOnly, options);
        if (toolList) {
          const [line, envelope, head] = toolList;
          handler.onResponse((await deps.toolHeaders?.learn(request, line)) ?? line, envelope, head);
        }
        return outcome;
      } catch (error) {
        if (isRetry || !isRepeatable(method) || !isLostResponse(error)) throw error;
      }
    }
  } catch (error) {
    throw toHostError(error, method, deps.server);
  }
}

async function sendOnce(
  deps: RequestDeps,
  request: PendingRequest,
  handler: ResponseHandler,
  options: RequestOptions,
): Promise<RequestOutcome> {
  const { method } = request.envelope;
  const { session, signal } = options;
  const response = await deps.serverClient.request(toServerRequest(deps, request, handler, options));
  options.onResponseStart?.();
  const stream = withStallGuard(response, deps.clock, silenceMs(method, isEventStream(response)), deps.server);
  const ok = stream.status >= 200 && stream.status < 300;
  if (session && ok) {
    session.suspect = false;
    if (!isRepeatable(method)) session.unsure = false;
  }
  if (ok && isEventStream(stream)) {
    await readResponseStream(deps, stream, request, handler, options);
    return 'answered';
  }
  const body = await readBody(stream, deps.server);
  if (session?.sessionId !== undefined) {
    const status = await checkSession(deps, { request, session, status: stream.status, body, signal });
    if (status === 'lost' || status === 'probably_lost') return `session_${status}`;
    if (status === 'lost_afterwards') options.onSessionLost?.();
  }
  await routeBody(body, request, handler, stream, deps.server);
  return 'answered';
}

const toServerRequest = (
  { toolHeaders, clock }: RequestDeps,
  request: PendingRequest,
  handler: ResponseHandler,
  { session, signal, onChallenge, tokenWaitMs, onHeld }: RequestOptions,
): ServerRequest => {
  const { envelope, line } = request;
  const repeatable = isRepeatable(envelope.method);
  return {
    method: 'POST',
    headers: {
      ...(envelope.stateless ? statelessHeaders(envelope) : sessionRequestHeaders(session)),
      ...toolHeaders?.of(request),
    },
    body: line,
    timeoutMs: answerTimeoutMs(envelope.method),
    signal,
    repeatable,
    // A failed `initialize` is answered locally and tried again in the background.
    persistent: envelope.method !== 'initialize' && repeatable,
    onChallenge,
    tokenWaitMs,
    hold: () => heldCall(request, clock, handler, onHeld),
  };
};

/** The request reached the server, and the connection broke before the response. */
const isLostResponse = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'E_CONNECTION_LOST' && error.sent;

/** Reports E_OUTCOME_UNKNOWN if a request with effects was sent and its response was lost. */
function toHostError(error: unknown, method: string, server: string): unknown {
  if (!(error instanceof AppError)) return error;
  const isUnknown = isLostResponse(error) || (error.code === 'E_TIMEOUT' && error.sent);
  return isUnknown && !isRepeatable(method)
    ? new AppError('E_OUTCOME_UNKNOWN', error.message, { server, cause: error })
    : error.about(server);
}
