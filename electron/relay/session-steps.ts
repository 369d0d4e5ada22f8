import type { Connection } from '../core/app/connections.ts';
import { finishInitialize } from './finish-initialize.ts';
import { readInitializeResponse, type InitializeResponse } from './initialize-response.ts';
import type { PendingRequest, ServerRequest } from './model.ts';
import type { NotificationStream } from './notification-stream.ts';
import { listChangedNotifications } from './offline-responses.ts';
import type { ReplayedRequests } from './replayed-requests.ts';
import type { RequestDeps } from './request.ts';
import type { SessionHeaders } from './request-headers.ts';
import type { Retries } from './retries.ts';
import { sendInitialize } from './send-initialize.ts';
import type { SessionStore } from './session-store.ts';

/** The steps that open a session (MCP 2025-11-25, Lifecycle), for the host's first one and every later one. */
export interface SessionSteps {
  /** Sends `initialize`. Resolves with the server's response, which may be an error. */
  initialize(
    request: PendingRequest,
    signal: AbortSignal,
    onChallenge: ServerRequest['onChallenge'],
  ): Promise<InitializeResponse>;
  /** Opens the session of that response. Throws if it is an error. */
  accept(request: PendingRequest, response: InitializeResponse): void;
  /** Sends `notifications/initialized` and the replayed requests, then opens the notification stream. */
  finish(session: SessionHeaders, initialized: Uint8Array): Promise<void>;
  /** Tells the host to ask for the lists again, because it was given empty ones. */
  announceLists(): void;
}

export interface SessionStepsDeps extends RequestDeps {
  readonly connection: Connection;
  readonly stream: NotificationStream;
  readonly store: SessionStore;
  readonly retries: Retries;
  readonly replayed: ReplayedRequests;
  /** The relay has closed. */
  readonly signal: AbortSignal;
  /** Sends a line to the host. */
  readonly send: (line: string) => void;
}

export function createSessionSteps(deps: SessionStepsDeps): SessionSteps {
  const { connection, stream, store, retries, replayed, log, server, signal: closed } = deps;
  return {
    initialize(request, signal, onChallenge) {
      retries.started();
      return sendInitialize(deps, request, signal, onChallenge);
    },
    accept(request, response) {
      const result = readInitializeResponse(response, server);
      connection.answered();
      store.apply({ type: 'opened', initialize: request, result });
      const { version, sessionId } = result.session;
      log('session_opened', { server, version, session: sessionId !== undefined });
    },
    async finish(session, initialized) {
      await finishInitialize(deps, { session, initialized, replayed: replayed.all(), signal: closed });
      if (store.session === session) stream.start(session);
    },
    announceLists() {
      const { state } = store;
      if (state.kind !== 'none') for (const line of listChangedNotifications(state.capabilities)) deps.send(line);
    },
  };
}
