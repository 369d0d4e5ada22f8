import { AppError, asAppError } from '../core/errors.ts';
import type { Connection } from '../core/connections.ts';
import type { HttpHead } from '../core/http/client.ts';
import type { Envelope } from '../../shared/json-rpc.ts';
import { readJson } from '../../shared/json.ts';
import type { Question, Sink } from './answer.ts';
import { discard } from './drain.ts';
import { refusesLegacy } from './eras.ts';
import { exchange, type ExchangeDeps } from './exchange.ts';
import { addSession, isSessionId, isVersion, legacyHeaders, type SessionHeaders } from './headers.ts';
import { listsChanged } from './local-answers.ts';
import { needsPerson, retryDelayMs } from './passing.ts';
import type { ServerStream } from './server-stream.ts';
import type { UpstreamRequest } from './upstream.ts';

/**
 * The session with a server of the legacy generation (MCP 2025-11-25 and before), which outlives what breaks: it is opened
 * again, with the `initialize` that the host sent, when the server has lost it, or once the server can be used at all.
 */
export interface Session {
  /**
   * The host's `initialize`. Gives the line to answer it with. Throws when the server cannot be used: the session is then
   * away, or does not exist (E_PROTOCOL_ERA).
   */
  open(question: Question, signal: AbortSignal): Promise<Buffer>;
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
  /** The open session; undefined when the host has sent no `initialize`. Tries to open one that is away, and throws what that gave. */
  ready(): Promise<SessionHeaders | undefined>;
  /** The server does not know this session any more: opens another one, once for all who ask. */
  renew(lost: SessionHeaders): Promise<void>;
  /** A request that went out, of which the server keeps something: repeated when the session is opened again. */
  remember(question: Question): void;
  close(): Promise<void>;
}

export interface SessionDeps extends ExchangeDeps {
  readonly connection: Connection;
  readonly stream: ServerStream;
  /** Sends a line to the host. */
  readonly tell: (line: string) => void;
}

type Challenge = UpstreamRequest['onChallenge'];

/** For the end of a session to be told, with all that comes before it: a token that is awaited, a server that is busy. */
const farewellMs = 1_500;
/** A call may make us try again, but not more often than this. */
const calmMs = 1_000;

export function createSession(deps: SessionDeps): Session {
  const { clock, log, server, upstream, connection, stream } = deps;
  const stopped = new AbortController();
  const remembered = new Map<string, Question>();
  let hello: Question | undefined;
  let hostReady: Uint8Array | undefined;
  let session: SessionHeaders | undefined;
  let capabilities: Readonly<Record<string, unknown>> = {};
  let away: AppError | undefined;
  let promised = false;
  let opening: Promise<void> = Promise.resolve();
  let reopening: Promise<void> | undefined;
  let triedAt = 0;
  let failures = 0;
  let stopTimer: (() => void) | undefined;

  /** `initialize`, and what the server answers. */
  async function handshake(question: Question, signal: AbortSignal, onChallenge: Challenge): Promise<{ line: Buffer; found: Envelope; head: HttpHead }> {
    let answer: { line: Buffer; found: Envelope; head: HttpHead } | undefined;
    const sink: Sink = {
      answer: (line, found, head) => {
        answer = { line, found, head };
      },
      other: () => {},
      drained: () => undefined,
    };
    triedAt = clock.now();
    upstream.forgetCookies();
    await exchange(deps, question, sink, { session: undefined, signal, onChallenge });
    if (!answer) throw new AppError('E_SERVER_ANSWER', 'The server did not answer initialize.', { server });
    return answer;
  }

  /** Takes over what the server said; throws when it refused. */
  function begin({ line, found, head }: { line: Buffer; found: Envelope; head: HttpHead }): void {
    const parsed = readJson(line.toString('utf8')) as { result?: { protocolVersion?: unknown; capabilities?: Record<string, unknown> }; error?: { code?: unknown } } | undefined;
    if (!parsed) throw new AppError('E_SERVER_ANSWER', 'The server’s answer to initialize is not JSON.', { server });
    if (found.hasError) {
      if (refusesLegacy(parsed.error?.code)) throw new AppError('E_PROTOCOL_ERA', 'The server does not know initialize: it speaks MCP 2026-07-28 or newer, and the app does not.', { server });
      throw new AppError('E_SERVER_ANSWER', 'The server refused to open a session.', { server });
    }
    const sessionId = head.headers['mcp-session-id'];
    if (sessionId !== undefined && !isSessionId(sessionId)) throw new AppError('E_SERVER_ANSWER', 'The server gave a session id that cannot be sent back.', { server });
    const version = typeof parsed.result?.protocolVersion === 'string' ? parsed.result.protocolVersion : undefined;
    capabilities = parsed.result?.capabilities ?? {};
    connection.answered();
    session = { sessionId, version: isVersion(version) ? version : undefined, suspect: false };
    log('session_opened', { server, version, session: sessionId !== undefined });
  }

  /** `notifications/initialized`, what must be repeated, then the server's stream. */
  async function finish(current: SessionHeaders, line: Uint8Array): Promise<void> {
    const request = { method: 'POST', headers: legacyHeaders(current), body: line, timeoutMs: 30_000, signal: stopped.signal, repeatable: true, onChallenge: 'quiet' } as const;
    discard(await upstream.request(request), clock);
    for (const question of remembered.values()) {
      const nobody: Sink = { answer: () => {}, other: () => {}, drained: () => undefined };
      await exchange(deps, question, nobody, { session: current, signal: stopped.signal, onChallenge: 'quiet' }).catch(() => {});
    }
    if (session === current) stream.start(current);
  }

  /** Opens the session again, unseen by the host. One at a time; who comes meanwhile joins. */
  function reopen(onChallenge: Challenge): Promise<void> {
    reopening ??= (async () => {
      if (!hello) return;
      const first = away !== undefined;
      try {
        begin(await handshake(hello, stopped.signal, onChallenge));
        if (hostReady && session) await finish(session, hostReady);
      } catch (error) {
        session = undefined;
        away = asAppError(error, server);
        plan();
        throw away;
      }
      away = undefined;
      failures = 0;
      if (first && hostReady) announce();
    })().finally(() => {
      reopening = undefined;
    });
    return reopening;
  }

  function announce(): void {
    for (const line of listsChanged(capabilities)) deps.tell(line);
  }

  /** Tries again by itself where that can help. */
  function plan(): void {
    stopTimer?.();
    if (!away || needsPerson(away.code) || stopped.signal.aborted) return;
    failures += 1;
    stopTimer = clock.after(retryDelayMs(failures), () => void reopen('quiet').catch(() => {}));
  }

  async function farewell(ended: SessionHeaders | undefined): Promise<void> {
    if (ended?.sessionId === undefined) return;
    const headers: Record<string, string> = {};
    addSession(headers, ended);
    const late = new AbortController();
    const cancel = clock.after(farewellMs, () => late.abort());
    try {
      discard(await upstream.request({ method: 'DELETE', headers, timeoutMs: farewellMs, signal: late.signal, repeatable: false, onChallenge: 'quiet' }), clock);
    } catch {
      // It ends by itself at the server.
    } finally {
      cancel();
    }
  }

  connection.onSignedIn(() => {
    upstream.forgetCookies();
    stream.poke();
    // Perhaps somebody else has signed in: the server may not let them have this session.
    if (session) session.suspect = true;
    if (away) void reopen('quiet').catch(() => {});
  });

  return {
    async open(question, signal) {
      const before = session;
      hello = question;
      hostReady = session = away = undefined;
      capabilities = {};
      promised = false;
      remembered.clear();
      stream.stop();
      void farewell(before);
      const work = (async () => {
        const answer = await handshake(question, signal, 'tell');
        if (answer.found.hasError) hello = undefined;
        try {
          begin(answer);
        } catch (error) {
          // The server's own words, where they are no matter of generations.
          if (answer.found.hasError && error instanceof AppError && error.code === 'E_SERVER_ANSWER') return answer.line;
          throw error;
        }
        return answer.line;
      })();
      opening = Promise.allSettled([work]).then(() => undefined);
      try {
        return await work;
      } catch (error) {
        const why = asAppError(error, server);
        if (!hello || signal.aborted) throw why;
        away = why;
        promised = true;
        plan();
        throw why;
      }
    },
    initialized(line) {
      if (!hello) return;
      hostReady = Buffer.from(line);
      const current = session;
      if (current) {
        opening = finish(current, hostReady).catch((error: unknown) => {
          // The server may never have heard of it: a new session is surer than half of one.
          session = undefined;
          away = asAppError(error, server);
          plan();
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
      if (!hello || session) return session;
      if (away && !needsPerson(away.code) && !reopening && clock.now() - triedAt < calmMs) throw away;
      await reopen('ask');
      return session;
    },
    async renew(lost) {
      if (session && session !== lost) return;
      log('session_lost', { server });
      await reopen('ask');
    },
    remember(question) {
      const { method, name } = question.envelope;
      if (method === 'logging/setLevel') remembered.set(method, question);
      else if (method === 'resources/subscribe' && name !== undefined && remembered.size < 1_000) remembered.set(name, question);
      else if (method === 'resources/unsubscribe' && name !== undefined) remembered.delete(name);
    },
    async close() {
      stopTimer?.();
      stopped.abort();
      stream.stop();
      await farewell(session);
    },
  };
}
