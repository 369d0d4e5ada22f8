import { orAborted } from '../core/base/async.ts';
import { msSince } from '../core/base/clock.ts';
import { AppError } from '../core/base/errors.ts';
import type { McpSession } from './mcp-session.ts';
import type { ResponseHandler } from './model.ts';
import {
  isListMethod,
  offlineInitializeResponse,
  offlineResponse,
  readHostInfo,
  unofferedListResponse,
} from './offline-responses.ts';
import { sendRequest, type RequestDeps, type RequestOutcome } from './request.ts';
import type { SessionHeaders } from './request-headers.ts';
import type { Call, RunningCalls } from './running-calls.ts';
import { confirmLoss } from './session-check.ts';

/** Calls of the protocol generation with `initialize` and sessions (MCP 2025-11-25 and before). */
export interface SessionCalls {
  /** Runs the host's `initialize`. */
  initialize(call: Call): Promise<void>;
  /** Runs any other call. Throws if it gets no response. */
  run(call: Call): Promise<void>;
}

export interface SessionCallsDeps extends RequestDeps {
  readonly session: McpSession;
  readonly calls: RunningCalls;
  readonly handlerFor: (call: Call) => ResponseHandler;
  /** The app's version, for the `serverInfo` of a local response. */
  readonly version: string;
}

/** Longest wait of a call before it is sent, in ms: for the session and the token together. */
const maxWaitMs = 20_000;

export function createSessionCalls(deps: SessionCallsDeps): SessionCalls {
  const { session, calls, handlerFor, version, clock, log, server } = deps;

  function send(call: Call, current: SessionHeaders | undefined, tokenWaitMs: number): Promise<RequestOutcome> {
    return sendRequest(deps, call.request, handlerFor(call), {
      session: current,
      signal: call.abort.signal,
      onChallenge: 'wait',
      onResponseStart: () => calls.responseStarted(call),
      onHeld: (held) => void (call.held = held),
      onSessionLost: () => void (current && session.renew(current).catch(() => {})),
      tokenWaitMs,
    });
  }

  return {
    async initialize(call) {
      const { line, envelope } = call.request;
      try {
        const response = await session.open({ line: Buffer.from(line), envelope }, call.abort.signal);
        calls.respond(call, response);
      } catch (error) {
        if (!session.error) throw error;
        log('initialize_answered_locally', { server, code: session.error.code });
        calls.respond(call, offlineInitializeResponse(envelope.id, readHostInfo(line), server, version, session.error));
      }
    },

    async run(call) {
      const { id, method } = call.request.envelope;
      const { signal } = call.abort;
      const start = clock.monotonic();
      await session.settled();
      if (isListMethod(method)) await session.tryReopen(signal);
      const offline = session.error ? offlineResponse(id, method) : undefined;
      if (offline !== undefined) return calls.respond(call, offline);
      for (let isRetry = false; ; isRetry = true) {
        const current = await orAborted(session.ready(), signal);
        const empty = session.answeredLocally ? unofferedListResponse(id, method, session.capabilities) : undefined;
        if (empty !== undefined) return calls.respond(call, empty);
        const outcome = await send(call, current, Math.max(0, maxWaitMs - msSince(clock, start)));
        if (outcome === 'answered') return session.remember(call.request);
        if (isRetry || !current)
          throw new AppError('E_SERVER_ANSWER', 'The server loses its sessions immediately.', { server });
        await orAborted(session.renew(current), signal);
        if (outcome === 'session_probably_lost') await confirmLoss(deps, await session.ready(), signal);
      }
    },
  };
}
