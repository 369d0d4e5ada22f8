import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { createChildHost, type KeychainChild } from './keychain-child.ts';
import { readKeychainResponse, type KeychainOperation, type KeychainResult } from './keychain-protocol.ts';
import type { StoreFault } from './secret-store.ts';

/** The result of an operation after all attempts. */
export type FinalResult = Exclude<KeychainResult, { kind: 'stale' }>;

export interface KeychainQueueOptions {
  readonly spawnChild: () => KeychainChild;
  readonly clock: Clock;
  readonly log: Log;
  /** The child is ended after this long without an operation. */
  readonly idleMs: number;
  readonly deadlineOf: (operation: KeychainOperation) => number;
  /** Returns the result of an operation that missed its deadline. `running`: false if it was still waiting. */
  readonly onDeadline: (operation: KeychainOperation, running: boolean) => StoreFault;
}

/** Runs operations in the keychain child, one at a time and in order. */
export interface KeychainQueue {
  /** Resolves within the deadline. Never rejects. */
  run(operation: KeychainOperation): Promise<FinalResult>;
  /** Ends the child, and all operations with `unavailable`. */
  close(): void;
}

interface Task {
  readonly operation: KeychainOperation;
  readonly resolve: (result: FinalResult) => void;
  readonly cancelDeadline: () => void;
  attempts: number;
}

/** Every operation can be repeated, so one whose child ended is sent a second time to a new one. */
const maxAttempts = 2;

export function createKeychainQueue(options: KeychainQueueOptions): KeychainQueue {
  const { spawnChild, clock, log, idleMs, deadlineOf, onDeadline } = options;
  let queue: Task[] = [];
  let current: { readonly task: Task; readonly id: number } | undefined;
  let lastId = 0;
  let cancelIdle = (): void => {};
  let closed = false;
  const child = createChildHost({
    spawnChild,
    onMessage: receive,
    onExit() {
      log('keychain_child_ended');
      retry({ kind: 'unavailable', detail: 'the keychain process ended' });
    },
  });

  function startNext(): void {
    if (current || closed) return;
    const task = queue.shift();
    cancelIdle();
    if (!task) {
      if (child.running) cancelIdle = clock.after(idleMs, () => child.kill());
      return;
    }
    lastId += 1;
    current = { task, id: lastId };
    task.attempts += 1;
    try {
      child.post({ ...task.operation, id: lastId });
    } catch {
      finish(task, { kind: 'unavailable', detail: 'the keychain process cannot be started' });
    }
  }

  function receive(message: unknown): void {
    const response = readKeychainResponse(message);
    if (!response || response.id !== current?.id) return;
    const { result } = response;
    if (result.kind !== 'stale') return finish(current.task, result);
    child.kill();
    retry({ kind: 'unavailable', detail: 'the keychain service was restarted' });
  }

  function retry(fault: StoreFault): void {
    if (!current) return;
    const { task } = current;
    if (task.attempts >= maxAttempts) return finish(task, fault);
    current = undefined;
    queue.unshift(task);
    startNext();
  }

  function finish(task: Task, result: FinalResult): void {
    task.cancelDeadline();
    queue = queue.filter((one) => one !== task);
    if (current?.task === task) current = undefined;
    task.resolve(result);
    startNext();
  }

  function missDeadline(task: Task): void {
    const running = current?.task === task;
    if (running) {
      log('keychain_deadline', { op: task.operation.op });
      child.kill();
    }
    finish(task, onDeadline(task.operation, running));
  }

  return {
    run(operation) {
      return new Promise((resolve) => {
        const cancelDeadline = clock.after(deadlineOf(operation), () => missDeadline(task));
        const task: Task = { operation, resolve, attempts: 0, cancelDeadline };
        queue.push(task);
        startNext();
      });
    },
    close() {
      closed = true;
      cancelIdle();
      child.kill();
      const unfinished = current ? [current.task, ...queue] : queue;
      for (const task of unfinished) finish(task, { kind: 'unavailable', detail: 'the store is closed' });
    },
  };
}
