import type { Connection } from '../core/app/connections.ts';
import { orAborted } from '../core/base/async.ts';
import type { AppError } from '../core/base/errors.ts';
import { endSession } from './end-session.ts';
import { createHostInitialize } from './host-initialize.ts';
import type { PendingRequest } from './model.ts';
import type { NotificationStream } from './notification-stream.ts';
import { createReplayedRequests } from './replayed-requests.ts';
import type { RequestDeps } from './request.ts';
import type { SessionHeaders } from './request-headers.ts';
import { createRetries, type Retries } from './retries.ts';
import { needsAttention } from './retry-policy.ts';
import { createSessionReopening, type SessionReopening } from './session-reopening.ts';
import { createSessionSteps } from './session-steps.ts';
import { createSessionStore, type SessionStore } from './session-store.ts';

/**
 * The session with a server that has sessions (MCP 2025-11-25 and before). It is opened again with the host's
 * `initialize` when the server has lost it, and when a server that was unusable can be used. mcp-session-state.ts
 * decides, this file and session-reopening.ts act.
 */
export interface McpSession {
  /**
   * Handles the host's `initialize`. Resolves with the response for the host. Throws when the server cannot be used:
   * then `error` is set, or there is no session at all (E_PROTOCOL_ERA).
   */
  open(request: PendingRequest, signal: AbortSignal): Promise<Buffer>;
  /** Handles the host's `notifications/initialized`. */
  initialized(line: Uint8Array): void;
  /** Resolves when the host's `initialize` is done. */
  settled(): Promise<void>;
  /** Why the server cannot be used now. */
  readonly error: AppError | undefined;
  /** Keybridge responded to the host's `initialize`, because the server could not. */
  readonly answeredLocally: boolean;
  /** From the server's response to `initialize`. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /**
   * Resolves with the open session; undefined if the host has sent no `initialize`. Tries to open a missing session,
   * and throws the error of that.
   */
  ready(): Promise<SessionHeaders | undefined>;
  /** Tries to open a session if the server cannot be used, and waits up to 2 s for it. Never throws. */
  tryReopen(signal: AbortSignal): Promise<void>;
  /** Opens another session after the server has lost this one. Concurrent callers share it. */
  renew(lost: SessionHeaders): Promise<void>;
  /**
   * Takes a request that the server has answered: it is repeated in the next session if its effect ends with this one.
   */
  remember(request: PendingRequest): void;
  close(): Promise<void>;
}

export interface McpSessionDeps extends RequestDeps {
  readonly connection: Connection;
  readonly stream: NotificationStream;
  /** Sends a line to the host. */
  readonly send: (line: string) => void;
}

/** How long a list waits for a new session before Keybridge responds with an empty one, in ms. */
const listWaitMs = 2_000;

export function createMcpSession(deps: McpSessionDeps): McpSession {
  const { clock, log, server, connection, stream } = deps;
  const closed = new AbortController();
  const replayed = createReplayedRequests();
  const retries = createRetries(clock, () => reopening.tryInBackground());
  const store = createSessionStore({
    onAway: (away) => connection.setUnavailable(away),
    // Every error is tried again: a host that was given empty lists must learn of the real ones.
    onFailed: ({ code }) => {
      if (!closed.signal.aborted) retries.failed(code);
    },
  });
  const { signal } = closed;
  const steps = createSessionSteps({ ...deps, store, retries, replayed, signal });
  const reopening = createSessionReopening({ store, steps, retries, server, signal });
  const hostInitialize = createHostInitialize({ ...deps, store, steps });
  watchConnection(deps, { store, reopening, retries });

  return {
    open(request, abort) {
      replayed.clear();
      return hostInitialize.open(request, abort);
    },
    initialized: (line) => hostInitialize.initialized(line),
    settled: () => hostInitialize.settled(),
    get error() {
      return store.error;
    },
    get answeredLocally() {
      return store.state.kind !== 'none' && store.state.answeredLocally;
    },
    get capabilities() {
      return store.state.kind === 'none' ? {} : store.state.capabilities;
    },
    async ready() {
      await hostInitialize.settled();
      const { session, error } = store;
      if (store.state.kind === 'none' || session) return session;
      if (error && !needsAttention(error.code) && !reopening.isRunning && !retries.mayTry) throw error;
      await reopening.reopen('wait');
      return store.session;
    },
    async tryReopen(abort) {
      if (!store.error || (!reopening.isRunning && !retries.mayTry)) return;
      const late = new AbortController();
      const cancel = clock.after(listWaitMs, () => late.abort());
      await orAborted(reopening.reopen('ignore'), AbortSignal.any([abort, late.signal])).catch(() => {});
      cancel();
    },
    async renew(lost) {
      const { session } = store;
      if (session && session !== lost) return;
      log('session_lost', { server });
      await reopening.reopen('wait');
    },
    remember: (request) => replayed.remember(request),
    async close() {
      retries.stop();
      closed.abort();
      stream.stop();
      await endSession(deps, store.session);
    },
  };
}

interface Watched {
  readonly store: SessionStore;
  readonly reopening: SessionReopening;
  readonly retries: Retries;
}

/** Tries again when there is a reason to: a sign-in, a user, or the success of another bridge. */
function watchConnection(
  { connection, serverClient, stream }: McpSessionDeps,
  { store, reopening, retries }: Watched,
): void {
  connection.onWake((reason) => {
    if (reason === 'asked') {
      stream.tryNow();
      reopening.tryInBackground();
    } else if (store.error && !reopening.isRunning && retries.mayTryAfterWake()) reopening.tryInBackground();
  });
  connection.onSignedIn(() => {
    serverClient.forgetCookies();
    stream.tryNow();
    // Another user may have signed in, who may not use this session.
    if (store.session) store.session.suspect = true;
    reopening.tryInBackground();
  });
}
