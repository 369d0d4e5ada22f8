import { constants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

/** Registers what must be undone at the end, before it can be needed. Throws where the end has come already. */
export type AtEnd = (undo: () => Promise<unknown>) => Promise<void>;

/** How the work went: it ended, it failed, or a signal came first. */
export type Ended = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly error: unknown } | { readonly kind: 'interrupted'; readonly exitCode: number };

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `work`, and undoes what it registered, last thing first, however it ends: also on Ctrl-C and SIGTERM, while
 * something is just being started. A second Ctrl-C does not cut the undoing short.
 */
export async function withUndoing(work: (atEnd: AtEnd) => Promise<void>): Promise<Ended> {
  const undo: (() => Promise<unknown>)[] = [];
  let over = false;
  const atEnd: AtEnd = async (task) => {
    if (!over) return void undo.push(task);
    await task().catch(() => {});
    throw new Error('it was interrupted');
  };
  const listeners = new Map<NodeJS.Signals, () => void>();
  const interrupted = new Promise<Ended>((resolve) => {
    for (const signal of signals) listeners.set(signal, () => resolve({ kind: 'interrupted', exitCode: 128 + constants.signals[signal] }));
  });
  for (const [signal, listener] of listeners) process.on(signal, listener);
  try {
    const working = work(atEnd).then((): Ended => ({ kind: 'done' }), (error: unknown): Ended => ({ kind: 'failed', error }));
    const ended = await Promise.race([working, interrupted]);
    over = true;
    for (const task of undo.splice(0).toReversed()) await task().catch(() => {});
    // What was just being started undoes itself (see atEnd).
    await Promise.race([working, pause(5_000, undefined, { ref: false })]);
    return ended;
  } finally {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  }
}
