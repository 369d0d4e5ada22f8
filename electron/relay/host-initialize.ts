import { AppError, asAppError } from '../core/base/errors.ts';
import { endSession } from './end-session.ts';
import type { PendingRequest } from './model.ts';
import type { NotificationStream } from './notification-stream.ts';
import type { RequestDeps } from './request.ts';
import type { SessionSteps } from './session-steps.ts';
import type { SessionStore } from './session-store.ts';

/** The host's own `initialize` and `notifications/initialized`. */
export interface HostInitialize {
  /** Resolves with the server's response. Throws when the server cannot be used. */
  open(request: PendingRequest, signal: AbortSignal): Promise<Buffer>;
  initialized(line: Uint8Array): void;
  /** Resolves when the last of them is done. */
  settled(): Promise<void>;
}

export interface HostInitializeDeps extends RequestDeps {
  readonly store: SessionStore;
  readonly steps: SessionSteps;
  readonly stream: NotificationStream;
}

export function createHostInitialize(deps: HostInitializeDeps): HostInitialize {
  const { store, steps, stream, server } = deps;
  let running: Promise<void> = Promise.resolve();

  async function send(request: PendingRequest, signal: AbortSignal): Promise<Buffer> {
    const response = await steps.initialize(request, signal, 'report');
    const { hasError } = response.envelope;
    if (hasError) store.apply({ type: 'rejected', initialize: request });
    try {
      steps.accept(request, response);
    } catch (error) {
      // The host gets the server's own error, unless that only means another protocol generation.
      if (!hasError || !(error instanceof AppError) || error.code !== 'E_SERVER_ANSWER') throw error;
    }
    return response.line;
  }

  return {
    async open(request, signal) {
      const { session: before } = store;
      store.apply({ type: 'host_initialize', initialize: request });
      stream.stop();
      void endSession(deps, before);
      const sending = send(request, signal);
      running = Promise.allSettled([sending]).then(() => undefined);
      try {
        return await sending;
      } catch (error) {
        const reported = asAppError(error, server);
        if (signal.aborted) store.apply({ type: 'cancelled', initialize: request });
        else store.apply({ type: 'failed', initialize: request, error: reported });
        throw reported;
      }
    },
    initialized(line) {
      const copy = Buffer.from(line);
      store.apply({ type: 'host_initialized', line: copy });
      const { state } = store;
      if (state.kind !== 'open') return;
      const { session, initialize, answeredLocally } = state;
      running = steps.finish(session, copy).catch((error: unknown) => {
        // The server may not know that the host is ready, so a new session is safer.
        if (store.state.kind === 'open' && store.session === session)
          store.apply({ type: 'failed', initialize, error: asAppError(error, server) });
      });
      if (answeredLocally) steps.announceLists();
    },
    settled: () => running,
  };
}
