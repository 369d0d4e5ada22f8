import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { Secret } from '../base/secret.ts';
import type { KeychainChild } from './keychain-child.ts';
import type { KeychainOperation } from './keychain-protocol.ts';
import { createKeychainQueue, type FinalResult } from './keychain-queue.ts';
import type { SecretStore, StoreFault, StoreRead, StoreWrite } from './secret-store.ts';

export interface KeychainStoreOptions {
  readonly spawnChild: () => KeychainChild;
  /** Name of the store for the window. */
  readonly label: string;
  /** The service name of all items. */
  readonly service: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlineMs?: number;
  readonly unlockDeadlineMs?: number;
  /** The child takes some 100 MB in Electron, so it is ended after this long without a call, until the next one. */
  readonly idleMs?: number;
  /**
   * For this long after a missed deadline, all calls but `unlock` return 'locked' without asking the keychain. On macOS
   * a call hangs while its prompt is open, and each further call would open another prompt.
   */
  readonly quietMs?: number;
}

/** The system keychain, behind a child process. A child that hangs or crashes is replaced by a new one. */
export function createKeychainStore(options: KeychainStoreOptions): SecretStore {
  const { spawnChild, label, service, clock, log } = options;
  const { deadlineMs = 5_000, unlockDeadlineMs = 120_000, idleMs = 60_000, quietMs = 0 } = options;
  let unlocking: Promise<{ kind: 'ready' } | StoreFault> | undefined;
  let quiet = false;
  let closed = false;
  const deadlineOf = ({ op }: KeychainOperation): number => (op === 'unlock' ? unlockDeadlineMs : deadlineMs);
  const queue = createKeychainQueue({ spawnChild, clock, log, idleMs, deadlineOf, onDeadline });

  function onDeadline(operation: KeychainOperation, running: boolean): StoreFault {
    const isUnlock = operation.op === 'unlock';
    if (running && quietMs > 0 && !isUnlock) {
      quiet = true;
      clock.after(quietMs, () => {
        quiet = false;
      });
    }
    const mayBePrompting = isUnlock || unlocking !== undefined || quietMs > 0;
    return {
      kind: mayBePrompting ? 'locked' : 'unavailable',
      detail: `no response within ${deadlineOf(operation)} ms`,
    };
  }

  async function run(operation: KeychainOperation): Promise<FinalResult> {
    if (closed) return { kind: 'unavailable', detail: 'the store is closed' };
    if (quiet && operation.op !== 'unlock') return { kind: 'locked', detail: 'the system is waiting for the user' };
    return queue.run(operation);
  }

  async function unlock(): Promise<{ kind: 'ready' } | StoreFault> {
    unlocking = run({ op: 'unlock', service }).then(asReady);
    const result = await unlocking;
    unlocking = undefined;
    if (result.kind === 'ready') quiet = false;
    return result;
  }

  return {
    name: 'keychain',
    label,
    get: async (account) => asRead(await run({ op: 'get', service, account })),
    set: async (account, value) => asWrite(await run({ op: 'set', service, account, value: value.reveal() })),
    delete: async (account) => asWrite(await run({ op: 'delete', service, account })),
    probe: async () => asReady(await run({ op: 'probe', service })),
    unlock: () => unlocking ?? unlock(),
    async close() {
      closed = true;
      queue.close();
    },
  };
}

const mismatch: StoreFault = { kind: 'unavailable', detail: 'the keychain process sent a result of the wrong kind' };

const isFault = (result: FinalResult): result is StoreFault =>
  result.kind === 'locked' || result.kind === 'denied' || result.kind === 'unavailable';

function asRead(result: FinalResult): StoreRead {
  if (result.kind === 'found') return { kind: 'found', value: new Secret(result.value) };
  return result.kind === 'absent' || isFault(result) ? result : mismatch;
}

function asWrite(result: FinalResult): StoreWrite {
  return result.kind === 'done' || isFault(result) ? result : mismatch;
}

function asReady(result: FinalResult): { kind: 'ready' } | StoreFault {
  return result.kind === 'ready' || isFault(result) ? result : mismatch;
}
