import { AppError, asAppError } from '../core/base/errors.ts';
import type { Connection } from '../core/app/connections.ts';
import type { PendingRequest } from './response.ts';
import { endSession } from './end-session.ts';
import type { RequestDeps } from './request.ts';
import { finishInitialize } from './finish-initialize.ts';
import type { SessionHeaders } from './request-headers.ts';
import { listChangedNotifications } from './offline-responses.ts';
import { readInitializeResponse, type InitializeResponse } from './initialize-response.ts';
import { needsAttention } from './retry-policy.ts';
import { createRetries } from './retries.ts';
import { createReplayedRequests } from './replayed-requests.ts';
import {
  errorOf,
  nextSessionState,
  noSession,
  sessionOf,
  type McpSessionEvent,
  type McpSessionState,
} from './mcp-session-state.ts';
import { sendInitialize } from './send-initialize.ts';
import type { NotificationStream } from './notification-stream.ts';
import { orAborted } from '../core/base/async.ts';
import type { ServerRequest } from './model.ts';

/**
 * The session with a server that has sessions (MCP 2025-11-25 and before). It is opened again, with the `initialize`
 * that the host sent, when the server has lost it and when a server that could not be used can be used.
 * mcp-session-state.ts decides; this file acts.
 */
export interface McpSession {
  /**
   * The host's `initialize`. Resolves with the line to answer it with. Throws when the server cannot be used: `error`
   * is set then, or there is no session at all (E_PROTOCOL_ERA).
   */
  open(request: PendingRequest, signal: AbortSignal): Promise<Buffer>;
  /** The host's `notifications/initialized`. */
  initialized(line: Uint8Array): void;
  /** Resolves when the host's `initialize` is done. */
  settled(): Promise<void>;
  /** Why the server cannot be used, while that lasts. */
  readonly error: AppError | undefined;
  /** Keybridge answered the host's `initialize`, because the server could not. */
  readonly answeredLocally: boolean;
  /** From the server's response to `initialize`. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /**
   * The open session; undefined when the host has sent no `initialize`. Tries to open one that is missing, and throws
   * the error of that.
   */
  ready(): Promise<SessionHeaders | undefined>;
  /** While the server cannot be used: tries to open a session, and waits up to 2 s for it. Never throws. */
  tryReopen(signal: AbortSignal): Promise<void>;
  /** The server no longer knows this session: opens another one, one for all callers. */
  renew(lost: SessionHeaders): Promise<void>;
  /** A request that the server has answered: repeated in the next session when the server keeps something by it. */
  remember(request: PendingRequest): void;
  close(): Promise<void>;
}

export interface McpSessionDeps extends RequestDeps {
  readonly connection: Connection;
  readonly stream: NotificationStream;
  /** Sends a line to the host. */
  readonly tell: (line: string) => void;
}

type OnChallenge = ServerRequest['onChallenge'];

/** How long a list waits for a new session before it is answered locally. */
const listWaitMs = 2_000;

export function createMcpSession(deps: McpSessionDeps): McpSession {
  const { clock, log, server, serverClient, connection, stream } = deps;
  const stopped = new AbortController();
  const replayed = createReplayedRequests();
  const retries = createRetries(clock, tryQuietly);
  let state = noSession;
  let opening: Promise<void> = Promise.resolve();
  let reopening: Promise<void> | undefined;

  function apply(event: McpSessionEvent): void {
    const before = errorOf(state);
    state = nextSessionState(state, event);
    const after = errorOf(state);
    if ((before === undefined) !== (after === undefined)) connection.setAway(after !== undefined);
    // No error is final, and a host that was given empty lists must hear of the real ones.
    if (event.type === 'failed' && after === event.error && !stopped.signal.aborted) retries.failed(after.code);
  }

  const initialize = (request: PendingRequest, signal: AbortSignal, onChallenge: OnChallenge) => {
    retries.tried();
    return sendInitialize(deps, request, signal, onChallenge);
  };

  /** Throws when the server refused. */
  function accept(request: PendingRequest, response: InitializeResponse): void {
    const result = readInitializeResponse(response, server);
    connection.answered();
    apply({ type: 'opened', initialize: request, result });
    const { version, sessionId } = result.session;
    log('session_opened', { server, version, session: sessionId !== undefined });
  }

  /** Tells the server that the host is ready, then opens the notification stream. */
  async function finish(session: SessionHeaders, ready: Uint8Array): Promise<void> {
    await finishInitialize(deps, { session, ready, remembered: replayed.all(), signal: stopped.signal });
    if (sessionOf(state) === session) stream.start(session);
  }

  function announceLists(): void {
    if (state.kind === 'none') return;
    for (const line of listChangedNotifications(state.capabilities)) deps.tell(line);
  }

  /** Opens another session; the host does not notice. One at a time: who comes meanwhile joins. */
  function reopen(onChallenge: OnChallenge): Promise<void> {
    reopening ??= openAgain(onChallenge).finally(() => {
      reopening = undefined;
    });
    return reopening;
  }

  async function openAgain(onChallenge: OnChallenge): Promise<void> {
    apply({ type: 'reopen' });
    if (state.kind !== 'reopening') return;
    const { initialize: request, error: before } = state;
    try {
      accept(request, await initialize(request, stopped.signal, onChallenge));
      const opened = currentState();
      // The host has sent another `initialize` meanwhile.
      if (opened.kind !== 'finishing') return;
      if (opened.initialized) await finish(opened.session, opened.initialized);
      apply({ type: 'finished', session: opened.session });
    } catch (error) {
      const shown = asAppError(error, server);
      apply({ type: 'failed', initialize: request, error: shown });
      throw shown;
    }
    const now = currentState();
    if (now.kind !== 'open') return;
    retries.worked();
    if (before && now.initialized) announceLists();
  }

  // A function, because the compiler does not see that `apply` changes the state.
  const currentState = (): McpSessionState => state;

  function tryQuietly(): void {
    if (errorOf(state)) void reopen('quiet').catch(() => {});
  }

  connection.onWake((reason) => {
    if (reason === 'asked') {
      stream.tryNow();
      tryQuietly();
    } else if (errorOf(state) && !reopening && retries.wake()) tryQuietly();
  });

  connection.onSignedIn(() => {
    serverClient.forgetCookies();
    stream.tryNow();
    // Perhaps another person has signed in, whom the server does not let into this session.
    const session = sessionOf(state);
    if (session) session.suspect = true;
    tryQuietly();
  });

  /** The host's own `initialize`. Resolves with the server's response. */
  async function openFirst(request: PendingRequest, signal: AbortSignal): Promise<Buffer> {
    const response = await initialize(request, signal, 'tell');
    if (response.found.hasError) apply({ type: 'rejected', initialize: request });
    try {
      accept(request, response);
    } catch (error) {
      // The server's own error goes to the host, unless it only means another protocol generation.
      if (!response.found.hasError || !(error instanceof AppError) || error.code !== 'E_SERVER_ANSWER') throw error;
    }
    return response.line;
  }

  return {
    async open(request, signal) {
      const before = sessionOf(state);
      apply({ type: 'host_initialize', initialize: request });
      replayed.clear();
      stream.stop();
      void endSession(deps, before);
      const work = openFirst(request, signal);
      opening = Promise.allSettled([work]).then(() => undefined);
      try {
        return await work;
      } catch (error) {
        const shown = asAppError(error, server);
        apply(
          signal.aborted
            ? { type: 'cancelled', initialize: request }
            : { type: 'failed', initialize: request, error: shown },
        );
        throw shown;
      }
    },
    initialized(line) {
      const ready = Buffer.from(line);
      apply({ type: 'host_initialized', line: ready });
      if (state.kind !== 'open') return;
      const { session, initialize: request, answeredLocally } = state;
      opening = finish(session, ready).catch((error: unknown) => {
        // The server may not know that the host is ready: a new session is safer than half of one.
        if (state.kind === 'open' && state.session === session)
          apply({ type: 'failed', initialize: request, error: asAppError(error, server) });
      });
      if (answeredLocally) announceLists();
    },
    settled: () => opening,
    get error() {
      return errorOf(state);
    },
    get answeredLocally() {
      return state.kind !== 'none' && state.answeredLocally;
    },
    get capabilities() {
      return state.kind === 'none' ? {} : state.capabilities;
    },
    async ready() {
      await opening;
      const session = sessionOf(state);
      if (state.kind === 'none' || session) return session;
      const error = errorOf(state);
      if (error && !needsAttention(error.code) && !reopening && !retries.mayTry) throw error;
      await reopen('ask');
      return sessionOf(state);
    },
    async tryReopen(signal) {
      if (!errorOf(state) || (!reopening && !retries.mayTry)) return;
      const late = new AbortController();
      const cancel = clock.after(listWaitMs, () => late.abort());
      await orAborted(reopen('quiet'), AbortSignal.any([signal, late.signal])).catch(() => {});
      cancel();
    },
    async renew(lost) {
      const session = sessionOf(state);
      if (session && session !== lost) return;
      log('session_lost', { server });
      await reopen('ask');
    },
    remember: (request) => replayed.remember(request),
    async close() {
      retries.stop();
      stopped.abort();
      stream.stop();
      await endSession(deps, sessionOf(state));
    },
  };
}
