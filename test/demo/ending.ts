import { setTimeout as pause } from 'node:timers/promises';
import { waitForInterruption } from '../../scripts/interruption.mjs';

/** What work is given to clean up at its end. */
export interface Ending {
  /** Registers a clean-up. If the end has come already, runs it at once and throws. */
  readonly atEnd: (cleanUp: () => Promise<unknown>) => Promise<void>;
  /** Aborted when the work ends, early in case of a signal. */
  readonly signal: AbortSignal;
}

/** How the work ended: it succeeded, it failed, or a signal interrupted it. */
export type Ended =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'interrupted'; readonly exitCode: number };

/**
 * Runs `work` and then its clean-ups, the last one first, however it ends, even on Ctrl-C and SIGTERM while something
 * is being started. A second Ctrl-C does not interrupt the clean-ups.
 */
export async function withCleanUp(work: (ending: Ending) => Promise<void>): Promise<Ended> {
  const cleanUps: (() => Promise<unknown>)[] = [];
  const over = new AbortController();
  const interruption = waitForInterruption();
  const interrupted = interruption.signalled.then((exitCode): Ended => ({ kind: 'interrupted', exitCode }));
  try {
    const working = work({ atEnd: (task) => register(task, cleanUps, over.signal), signal: over.signal }).then(
      (): Ended => ({ kind: 'done' }),
      // Ctrl-C also ends the bridge of the host, which may be noticed shortly before the signal.
      (error: unknown): Promise<Ended> =>
        Promise.race([interrupted, pause(200).then((): Ended => ({ kind: 'failed', error }))]),
    );
    const ended = await Promise.race([working, interrupted]);
    over.abort(new Error('it was interrupted'));
    for (const task of cleanUps.splice(0).toReversed()) await task().catch(() => {});
    // What was still being started cleans up after itself (see register).
    await Promise.race([working, pause(5_000, undefined, { ref: false })]);
    return ended;
  } finally {
    interruption.stopWaiting();
  }
}

async function register(
  task: () => Promise<unknown>,
  cleanUps: (() => Promise<unknown>)[],
  over: AbortSignal,
): Promise<void> {
  if (over.aborted) await task().catch(() => {});
  over.throwIfAborted();
  cleanUps.push(task);
}
