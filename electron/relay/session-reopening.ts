import { asAppError } from '../core/base/errors.ts';
import type { ServerRequest } from './model.ts';
import type { Retries } from './retries.ts';
import type { SessionSteps } from './session-steps.ts';
import type { SessionStore } from './session-store.ts';

/** Opens another session with the host's `initialize`, without the host noticing. */
export interface SessionReopening {
  readonly isRunning: boolean;
  /** Resolves when the session is open. Concurrent callers share one attempt. Throws its error. */
  reopen(onChallenge: ServerRequest['onChallenge']): Promise<void>;
  /** Starts an attempt if the server cannot be used now. */
  tryInBackground(): void;
}

export interface SessionReopeningDeps {
  readonly store: SessionStore;
  readonly steps: SessionSteps;
  readonly retries: Retries;
  readonly server: string;
  /** The relay has closed. */
  readonly signal: AbortSignal;
}

export function createSessionReopening(deps: SessionReopeningDeps): SessionReopening {
  const { store, steps, retries, server, signal } = deps;
  let running: Promise<void> | undefined;

  async function open(onChallenge: ServerRequest['onChallenge']): Promise<void> {
    store.apply({ type: 'reopen' });
    const { state: reopening } = store;
    if (reopening.kind !== 'reopening') return;
    const { initialize, error: errorBefore } = reopening;
    try {
      steps.accept(initialize, await steps.initialize(initialize, signal, onChallenge));
      const { state: finishing } = store;
      // Otherwise the host has sent another `initialize` meanwhile.
      if (finishing.kind !== 'finishing') return;
      if (finishing.initialized) await steps.finish(finishing.session, finishing.initialized);
      store.apply({ type: 'finished', session: finishing.session });
    } catch (error) {
      const reported = asAppError(error, server);
      store.apply({ type: 'failed', initialize, error: reported });
      throw reported;
    }
    const { state: opened } = store;
    if (opened.kind !== 'open') return;
    retries.succeeded();
    if (errorBefore && opened.initialized) steps.announceLists();
  }

  const reopen = (onChallenge: ServerRequest['onChallenge']): Promise<void> => {
    running ??= open(onChallenge).finally(() => {
      running = undefined;
    });
    return running;
  };

  return {
    get isRunning() {
      return running !== undefined;
    },
    reopen,
    tryInBackground() {
      if (store.error) void reopen('ignore').catch(() => {});
    },
  };
}
