import type { Attempt } from '../authorization/attempt.ts';
import type { SignInProgress } from '../model.ts';

export interface RunningSignIn {
  readonly attempt: Attempt;
  readonly done: Promise<void>;
}

/** At most one for each account key. Created before the sign-ins, because parts that those depend on read it. */
export type RunningSignIns = Map<string, RunningSignIn>;

/** Returns undefined if no sign-in runs, or if it was cancelled and has not ended yet. */
export function progressOf(
  running: ReadonlyMap<string, RunningSignIn>,
  accountKey: string,
): SignInProgress | undefined {
  const { attempt } = running.get(accountKey) ?? {};
  return attempt && !attempt.signal.aborted ? attempt.progress() : undefined;
}
