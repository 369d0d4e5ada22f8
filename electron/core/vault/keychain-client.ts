import type { Log } from '../base/log.ts';
import { Secret } from '../base/secret.ts';
import {
  readKeychainResponse,
  type KeychainOperation,
  type KeychainRequest,
  type KeychainResult,
} from './keychain-protocol.ts';
import type { Clock } from '../base/clock.ts';
import type { SecretStore, StoreFault, StoreRead, StoreWrite } from './secret-store.ts';

/** The keychain child as its parent sees it. */
export interface KeychainChild {
  post(message: KeychainRequest): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Also when the process could not be started. */
  onExit(listener: () => void): void;
  /** At once, whatever it is doing. */
  kill(): void;
}

export interface KeychainStoreOptions {
  readonly spawnChild: () => KeychainChild;
  /** In plain words, for the window. */
  readonly label: string;
  /** Under which all items are kept. */
  readonly service: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlineMs?: number;
  readonly unlockDeadlineMs?: number;
  /**
   * The child ends after this long without a question, and comes back with the next one: it takes some 100 MB in
   * Electron.
   */
  readonly idleMs?: number;
  /**
   * After a missed deadline only `unlock` asks again for this long. On macOS a call that hangs is one whose prompt is
   * open, and each new call would open another.
   */
  readonly quietMs?: number;
}

interface Task {
  readonly question: KeychainOperation;
  readonly resolve: (result: Exclude<KeychainResult, { kind: 'stale' }>) => void;
  readonly cancelDeadline: () => void;
  tries: number;
}

/** The OS keychain behind a child process that may hang or crash: then it is killed, and a new one takes its place. */
export function createKeychainStore(options: KeychainStoreOptions): SecretStore {
  const { spawnChild, label, service, clock, log } = options;
  const { deadlineMs = 5_000, unlockDeadlineMs = 120_000, idleMs = 60_000, quietMs = 0 } = options;
  let queue: Task[] = [];
  let current: { readonly task: Task; readonly id: number } | undefined;
  let child: KeychainChild | undefined;
  let requests = 0;
  let cancelIdle = (): void => {};
  let unlocking: Promise<{ kind: 'ready' } | StoreFault> | undefined;
  let quiet = false;
  let closed = false;

  function start(): KeychainChild {
    const started = spawnChild();
    started.onMessage((message) => started === child && received(message));
    started.onExit(() => {
      if (started !== child) return;
      child = undefined;
      log('keychain_child_ended');
      again({ kind: 'unavailable', detail: 'the keychain process ended' });
    });
    return started;
  }

  function end(): void {
    const ending = child;
    child = undefined;
    ending?.kill();
  }

  /** Asks the next question, if none is open. */
  function pump(): void {
    if (current || closed) return;
    const task = queue.shift();
    cancelIdle();
    if (!task) {
      if (child) cancelIdle = clock.after(idleMs, end);
      return;
    }
    requests += 1;
    current = { task, id: requests };
    task.tries += 1;
    try {
      child ??= start();
      child.post({ ...task.question, id: requests });
    } catch {
      finish(task, { kind: 'unavailable', detail: 'the keychain process cannot be started' });
    }
  }

  function received(message: unknown): void {
    const answer = readKeychainResponse(message);
    if (!answer || answer.id !== current?.id) return;
    const { result } = answer;
    if (result.kind === 'stale') {
      end();
      again({ kind: 'unavailable', detail: 'the keychain service was restarted' });
    } else {
      finish(current.task, result);
    }
  }

  /** The question under way was not answered; every question may be asked twice. */
  function again(fault: StoreFault): void {
    if (!current) return;
    const { task } = current;
    if (task.tries >= 2) return finish(task, fault);
    current = undefined;
    queue.unshift(task);
    pump();
  }

  function finish(task: Task, result: Parameters<Task['resolve']>[0]): void {
    task.cancelDeadline();
    queue = queue.filter((one) => one !== task);
    if (current?.task === task) current = undefined;
    task.resolve(result);
    pump();
  }

  function missedDeadline(task: Task): void {
    const prompted = task.question.op === 'unlock' || unlocking !== undefined || quietMs > 0;
    if (current?.task === task) {
      log('keychain_deadline', { op: task.question.op });
      end();
      if (quietMs > 0 && task.question.op !== 'unlock') {
        quiet = true;
        clock.after(quietMs, () => {
          quiet = false;
        });
      }
    }
    finish(task, {
      kind: prompted ? 'locked' : 'unavailable',
      detail: `no answer within ${task.question.op === 'unlock' ? unlockDeadlineMs : deadlineMs} ms`,
    });
  }

  function ask(question: KeychainOperation): Promise<Exclude<KeychainResult, { kind: 'stale' }>> {
    return new Promise((resolve) => {
      if (closed) return resolve({ kind: 'unavailable', detail: 'the store is closed' });
      const unlock = question.op === 'unlock';
      if (!unlock && quiet) return resolve({ kind: 'locked', detail: 'the system waits for the user' });
      const task: Task = {
        question,
        resolve,
        tries: 0,
        cancelDeadline: clock.after(unlock ? unlockDeadlineMs : deadlineMs, () => missedDeadline(task)),
      };
      queue.push(task);
      pump();
    });
  }

  async function unlock(): Promise<{ kind: 'ready' } | StoreFault> {
    const answer = ask({ op: 'unlock', service }).then(readiness);
    unlocking = answer;
    const result = await answer;
    unlocking = undefined;
    if (result.kind === 'ready') quiet = false;
    return result;
  }

  return {
    name: 'keychain',
    label,
    get: async (account) => found(await ask({ op: 'get', service, account })),
    set: async (account, value) => written(await ask({ op: 'set', service, account, value: value.reveal() })),
    delete: async (account) => written(await ask({ op: 'delete', service, account })),
    probe: async () => readiness(await ask({ op: 'probe', service })),
    unlock: () => unlocking ?? unlock(),
    async close() {
      closed = true;
      cancelIdle();
      end();
      const left = current ? [current.task, ...queue] : queue;
      for (const task of left) finish(task, { kind: 'unavailable', detail: 'the store is closed' });
    },
  };
}

const unfit: StoreFault = { kind: 'unavailable', detail: 'the keychain process gave an answer to another question' };
type Answered = Exclude<KeychainResult, { kind: 'stale' }>;

const isFault = (result: Answered): result is StoreFault =>
  result.kind === 'locked' || result.kind === 'denied' || result.kind === 'unavailable';

function found(result: Answered): StoreRead {
  if (result.kind === 'found') return { kind: 'found', value: new Secret(result.value) };
  return result.kind === 'absent' || isFault(result) ? result : unfit;
}

function written(result: Answered): StoreWrite {
  return result.kind === 'done' || isFault(result) ? result : unfit;
}

function readiness(result: Answered): { kind: 'ready' } | StoreFault {
  return result.kind === 'ready' || isFault(result) ? result : unfit;
}
