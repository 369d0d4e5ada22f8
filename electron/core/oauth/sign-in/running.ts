import type { Attempt } from '../authorization/attempt.ts';
import type { SignInProgress } from '../model.ts';

/** A sign-in that runs now. */
export interface RunningSignIn {
  readonly attempt: Attempt;
  readonly done: Promise<void>;
}

/** By account key: one for each account. Kept apart from the sign-ins, so that what they stand on can look at it. */
export type RunningSignIns = Map<string, RunningSignIn>;

/** Undefined: none runs, or it was cancelled and is about to end. */
export function progressOf(
  running: ReadonlyMap<string, RunningSignIn>,
  accountKey: string,
): SignInProgress | undefined {
  const { attempt } = running.get(accountKey) ?? {};
  return attempt && !attempt.signal.aborted ? attempt.progress() : undefined;
}
