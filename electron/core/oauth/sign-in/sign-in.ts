import type { ErrorCode } from '../../../../shared/errors.ts';
import { AppError, asAppError } from '../../base/errors.ts';
import { createAttempt, type Attempt } from '../authorization/attempt.ts';
import type { SignInProgress } from '../model.ts';
import { current } from './discover-server.ts';
import { progressOf, type RunningSignIn, type RunningSignIns } from './running.ts';
import { createSignInMethods, type SignInMethodsDeps } from './sign-in-methods.ts';
import type { EndpointHost } from '../../../../shared/sign-in-state.ts';

/** All sign-ins: at most one per account at a time. */
export interface SignIns {
  /**
   * Runs a sign-in and resolves when the credential is stored. A second call for the same account joins the running
   * sign-in. Throws AppError.
   */
  start(
    accountKey: string,
    options: {
      readonly openBrowser: boolean;
      /** A user can respond to the step `confirm`. */ readonly canAsk?: boolean;
    },
  ): Promise<void>;
  cancel(accountKey: string): void;
  /** Cancels a running sign-in and runs the work. A sign-in that starts meanwhile waits for its end. */
  cancelAndRun<Value>(accountKey: string, work: () => Promise<Value>): Promise<Value>;
  /**
   * Passes the address that the browser was redirected to to the waiting sign-in, and waits until it ends. Throws
   * E_REDIRECT_URL, E_SERVER_UNKNOWN, and the errors of the sign-in.
   */
  finish(accountKey: string, redirectUrl: string): Promise<void>;
  /** The user confirms the hosts that the status names. Throws E_SERVER_UNKNOWN, E_BAD_INPUT. */
  confirm(accountKey: string, hosts: readonly EndpointHost[]): void;
  progress(accountKey: string): SignInProgress | undefined;
  /** Cancels all sign-ins and waits until they have ended. */
  close(): Promise<void>;
}

export interface SignInsDeps extends SignInMethodsDeps {
  /** Empty at first; filled here. */
  readonly running: RunningSignIns;
  readonly onChange: (accountKey: string) => void;
}

export function createSignIns(deps: SignInsDeps): SignIns {
  const { running } = deps;
  const { clock, log } = deps.ports;
  const methods = createSignInMethods(deps);
  /** The work of `cancelAndRun`, by account key. */
  const blocking = new Map<string, Promise<unknown>>();

  async function run(
    accountKey: string,
    attempt: Attempt,
    openBrowser: boolean,
    previous: Promise<void> | undefined,
  ): Promise<void> {
    const name = current(deps, accountKey).name;
    try {
      await previous?.catch(() => {});
      const blocker = blocking.get(accountKey);
      if (blocker) log('sign_in_waits', { server: name });
      await blocker;
      attempt.refuseIfCancelled();
      log('sign_in_started', { server: name });
      // Ends, because each 'again' has dropped a registration that the server no longer knows.
      while ((await methods.signIn(current(deps, accountKey), attempt, openBrowser)) === 'again');
      log('signed_in', { server: name });
    } catch (thrown) {
      const error = asAppError(thrown, name);
      log('sign_in_failed', { server: name, code: error.code });
      throw error;
    } finally {
      if (running.get(accountKey)?.attempt === attempt) running.delete(accountKey);
      deps.onChange(accountKey);
    }
  }

  return {
    async start(accountKey, { openBrowser, canAsk = false }) {
      const previous = running.get(accountKey);
      if (previous && canAsk) previous.attempt.allowQuestions();
      if (previous && !previous.attempt.signal.aborted) return previous.done;
      current(deps, accountKey);
      const attempt = createAttempt(clock, () => deps.onChange(accountKey));
      if (canAsk) attempt.allowQuestions();
      const done = run(accountKey, attempt, openBrowser, previous?.done);
      running.set(accountKey, { attempt, done });
      return done;
    },
    cancel(accountKey) {
      running.get(accountKey)?.attempt.cancel();
    },
    async cancelAndRun(accountKey, work) {
      running.get(accountKey)?.attempt.cancel();
      const done = work();
      const ended = Promise.allSettled([blocking.get(accountKey), done]);
      blocking.set(accountKey, ended);
      void ended.finally(() => blocking.get(accountKey) === ended && blocking.delete(accountKey));
      return done;
    },
    async finish(accountKey, redirectUrl) {
      const { attempt, done } = runningSignIn(
        deps,
        accountKey,
        'E_REDIRECT_URL',
        'No sign-in is waiting for an address.',
      );
      attempt.paste(redirectUrl.trim());
      await done;
    },
    confirm(accountKey, hosts) {
      runningSignIn(deps, accountKey, 'E_BAD_INPUT', 'No sign-in is waiting for a confirmation.').attempt.confirmed(
        hosts,
      );
    },
    progress: (accountKey) => progressOf(running, accountKey),
    async close() {
      await cancelAll([...running.values()]);
      await methods.close();
    },
  };
}

/** Throws E_SERVER_UNKNOWN, and the given error if no sign-in runs or if it was cancelled. */
function runningSignIn(
  { running, servers }: Pick<SignInsDeps, 'running' | 'servers'>,
  accountKey: string,
  code: ErrorCode,
  message: string,
): RunningSignIn {
  const { name } = current({ servers }, accountKey);
  const signIn = running.get(accountKey);
  if (!signIn || signIn.attempt.signal.aborted) throw new AppError(code, message, { server: name });
  return signIn;
}

async function cancelAll(signIns: readonly RunningSignIn[]): Promise<void> {
  for (const { attempt } of signIns) attempt.cancel();
  await Promise.allSettled(signIns.map(({ done }) => done));
}
