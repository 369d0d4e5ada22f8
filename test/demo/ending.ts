import { setTimeout as pause } from 'node:timers/promises';
import { waitForInterruption } from '../../scripts/interruption.mjs';

/** How a piece of work learns of its end, and what it leaves to be undone. */
export interface Ending {
  /** Registers what must be undone, before it can be needed. Throws where the end has come already. */
  readonly atEnd: (undo: () => Promise<unknown>) => Promise<void>;
  /** Aborted when a signal brings the end early. */
  readonly signal: AbortSignal;
}

/** The work ended, it failed, or a signal came first. */
export type Ended =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'interrupted'; readonly exitCode: number };

/**
 * Runs `work`, and undoes what it registered, last thing first, however it ends: also on Ctrl-C and SIGTERM, while
 * something is just being started. A second Ctrl-C does not cut the undoing short.
 */
export async function withUndoing(work: (ending: Ending) => Promise<void>): Promise<Ended> {
  const undo: (() => Promise<unknown>)[] = [];
  const over = new AbortController();
  const interruption = waitForInterruption();
  const interrupted = interruption.came.then((exitCode): Ended => ({ kind: 'interrupted', exitCode }));
  try {
    const working = work({ atEnd: (task) => register(task, undo, over.signal), signal: over.signal }).then(
      (): Ended => ({ kind: 'done' }),
      // Ctrl-C reaches the host's bridge too: what fails by that may be seen a moment before the signal.
      (error: unknown): Promise<Ended> =>
        Promise.race([interrupted, pause(200).then((): Ended => ({ kind: 'failed', error }))]),
    );
    const ended = await Promise.race([working, interrupted]);
    over.abort(new Error('it was interrupted'));
    for (const task of undo.splice(0).toReversed()) await task().catch(() => {});
    // What was just being started undoes itself (see register).
    await Promise.race([working, pause(5_000, undefined, { ref: false })]);
    return ended;
  } finally {
    interruption.stopWaiting();
  }
}

async function register(
  task: () => Promise<unknown>,
  undo: (() => Promise<unknown>)[],
  over: AbortSignal,
): Promise<void> {
  if (over.aborted) await task().catch(() => {});
  over.throwIfAborted();
  undo.push(task);
}
