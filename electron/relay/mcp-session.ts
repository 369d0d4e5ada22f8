import { AppError, asAppError } from '../core/base/errors.ts';
import type { Connection } from '../core/app/connections.ts';
import type { PendingRequest, ResponseHandler } from './response.ts';
import { endSession } from './end-session.ts';
import { sendRequest, type RequestDeps } from './request.ts';
import { finishInitialize } from './finish-initialize.ts';
import type { SessionHeaders } from './request-headers.ts';
import { listChangedNotifications } from './offline-responses.ts';
import { readInitializeResponse, type InitializeResponse } from './initialize-response.ts';
import { needsAttention } from './retry-policy.ts';
import { createInitializeLimit } from './initialize-limit.ts';
import { createRetries } from './retries.ts';
import type { NotificationStream } from './notification-stream.ts';
import { orAborted } from '../core/base/async.ts';
import type { ServerRequest } from './model.ts';

/**
 * The session with a server of the legacy generation (MCP 2025-11-25 and before), which outlives what breaks: it is
 * opened again, with the `initialize` that the host sent, when the server has lost it, or once the server can be used
 * at all.
 */
export interface McpSession {
  /**
   * The host's `initialize`. Gives the line to answer it with. Throws when the server cannot be used: the session is
   * then away, or does not exist (E_PROTOCOL_ERA).
   */
  open(request: PendingRequest, signal: AbortSignal): Promise<Buffer>;
  /** The host's `notifications/initialized`. */
  initialized(line: Uint8Array): void;
  /** Resolves when no opening is under way. */
  settled(): Promise<void>;
  /** Why the server cannot be used, while that lasts. */
  readonly away: AppError | undefined;
  /** True when the host's `initialize` was answered by us. */
  readonly promised: boolean;
  /** What the server said in its answer to `initialize`. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /**
   * The open session; undefined when the host has sent no `initialize`. Tries to open one that is away, and throws what
   * that gave.
   */
  ready(): Promise<SessionHeaders | undefined>;
  /**
   * Before a list is answered in the place of a server that is away: tries to open the session, and waits a little for
   * it. Never throws.
   */
  tryReopen(signal: AbortSignal): Promise<void>;
  /** The server does not know this session any more: opens another one, once for all who ask. */
  renew(lost: SessionHeaders): Promise<void>;
  /** A request that went out, of which the server keeps something: repeated when the session is opened again. */
  remember(request: PendingRequest): void;
  close(): Promise<void>;
}

export interface McpSessionDeps extends RequestDeps {
  readonly connection: Connection;
  readonly stream: NotificationStream;
  /** Sends a line to the host. */
  readonly tell: (line: string) => void;
}

type Challenge = ServerRequest['onChallenge'];

/** How long a list waits for a try before its stand-in answers. */
const listWaitMs = 2_000;

export function createMcpSession(deps: McpSessionDeps): McpSession {
  const { clock, log, server, serverClient, connection, stream } = deps;
  const stopped = new AbortController();
  const remembered = new Map<string, PendingRequest>();
  const retries = createRetries(clock, tryQuietly);
  let hostInfo: PendingRequest | undefined;
  let hostReady: Uint8Array | undefined;
  let session: SessionHeaders | undefined;
  let capabilities: Readonly<Record<string, unknown>> = {};
  let away: AppError | undefined;
  let promised = false;
  let opening: Promise<void> = Promise.resolve();
  let reopening: Promise<void> | undefined;

  /** `initialize`, and what the server answers. */
  async function handshake(
    request: PendingRequest,
    signal: AbortSignal,
    onChallenge: Challenge,
  ): Promise<InitializeResponse> {
    let answer: InitializeResponse | undefined;
    const handler: ResponseHandler = {
      onResponse: (line, found, head) => {
        answer = { line, found, head };
      },
      onServerMessage: () => {},
      drained: () => undefined,
    };
    retries.tried();
    serverClient.forgetCookies();
    const limit = createInitializeLimit(clock, server);
    const within = AbortSignal.any([signal, limit.signal]);
    await sendRequest(deps, request, handler, { session: undefined, signal: within, onChallenge, onHead: limit.begin })
      .catch(limit.explain)
      .finally(limit.end);
    if (!answer) throw new AppError('E_SERVER_ANSWER', 'The server did not answer initialize.', { server });
    return answer;
  }

  /** Takes over what the server said; throws when it refused. */
  function begin(answer: InitializeResponse): void {
    const opened = readInitializeResponse(answer, server);
    capabilities = opened.capabilities;
    connection.answered();
    session = opened.session;
    log('session_opened', { server, version: session.version, session: session.sessionId !== undefined });
  }

  /** Then the server's stream. */
  async function finish(current: SessionHeaders, ready: Uint8Array): Promise<void> {
    await finishInitialize(deps, {
      session: current,
      ready,
      remembered: [...remembered.values()],
      signal: stopped.signal,
    });
    if (session === current) stream.start(current);
  }

  function lose(error: unknown): AppError {
    session = undefined;
    away = asAppError(error, server);
    connection.setAway(true);
    // No error is for ever, and a host that was given empty lists must hear of the real ones.
    if (!stopped.signal.aborted) retries.failed(away.code);
    return away;
  }

  /** Opens the session again, unseen by the host. One at a time; who comes meanwhile joins. */
  function reopen(onChallenge: Challenge): Promise<void> {
    reopening ??= (async () => {
      if (!hostInfo) return;
      const first = away !== undefined;
      try {
        begin(await handshake(hostInfo, stopped.signal, onChallenge));
        if (hostReady && session) await finish(session, hostReady);
      } catch (error) {
        throw lose(error);
      }
      away = undefined;
      retries.worked();
      connection.setAway(false);
      if (first && hostReady) announce();
    })().finally(() => {
      reopening = undefined;
    });
    return reopening;
  }

  function announce(): void {
    for (const line of listChangedNotifications(capabilities)) deps.tell(line);
  }

  function tryQuietly(): void {
    if (away) void reopen('quiet').catch(() => {});
  }

  connection.onWake((reason) => {
    if (reason === 'asked') {
      stream.tryNow();
      tryQuietly();
    } else if (away && !reopening && retries.wake()) tryQuietly();
  });

  connection.onSignedIn(() => {
    serverClient.forgetCookies();
    stream.tryNow();
    // Perhaps somebody else has signed in: the server may not let them have this session.
    if (session) session.suspect = true;
    tryQuietly();
  });

  return {
    async open(request, signal) {
      const before = session;
      hostInfo = request;
      hostReady = session = away = undefined;
      connection.setAway(false);
      capabilities = {};
      promised = false;
      remembered.clear();
      stream.stop();
      void endSession(deps, before);
      const work = (async () => {
        const answer = await handshake(request, signal, 'tell');
        if (answer.found.hasError) hostInfo = undefined;
        try {
          begin(answer);
        } catch (error) {
          // The server's own words, where they are no matter of generations.
          if (answer.found.hasError && error instanceof AppError && error.code === 'E_SERVER_ANSWER')
            return answer.line;
          throw error;
        }
        return answer.line;
      })();
      opening = Promise.allSettled([work]).then(() => undefined);
      try {
        return await work;
      } catch (error) {
        const why = asAppError(error, server);
        if (!hostInfo || signal.aborted) throw why;
        promised = true;
        throw lose(why);
      }
    },
    initialized(line) {
      if (!hostInfo) return;
      hostReady = Buffer.from(line);
      const current = session;
      if (current) {
        opening = finish(current, hostReady).catch((error: unknown) => {
          // The server may never have heard of it: a new session is surer than half of one.
          lose(error);
        });
        if (promised) announce();
      }
    },
    settled: () => opening,
    get away() {
      return away;
    },
    get promised() {
      return promised;
    },
    get capabilities() {
      return capabilities;
    },
    async ready() {
      await opening;
      if (!hostInfo || session) return session;
      if (away && !needsAttention(away.code) && !reopening && !retries.mayTry) throw away;
      await reopen('ask');
      return session;
    },
    async tryReopen(signal) {
      if (!away || (!reopening && !retries.mayTry)) return;
      const given = new AbortController();
      const cancel = clock.after(listWaitMs, () => given.abort());
      await orAborted(reopen('quiet'), AbortSignal.any([signal, given.signal])).catch(() => {});
      cancel();
    },
    async renew(lost) {
      if (session && session !== lost) return;
      log('session_lost', { server });
      await reopen('ask');
    },
    remember(request) {
      const { method, name } = request.envelope;
      if (method === 'logging/setLevel') remembered.set(method, request);
      else if (method === 'resources/subscribe' && name !== undefined && remembered.size < 1_000)
        remembered.set(name, request);
      else if (method === 'resources/unsubscribe' && name !== undefined) remembered.delete(name);
    },
    async close() {
      retries.stop();
      stopped.abort();
      stream.stop();
      await endSession(deps, session);
    },
  };
}
