import type { KeychainRequest } from './keychain-protocol.ts';

/** The keychain child process, as seen by its parent. */
export interface KeychainChild {
  post(message: KeychainRequest): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Also called if the process cannot be started. */
  onExit(listener: () => void): void;
  /** Ends the process immediately, whatever it is doing. */
  kill(): void;
}

export interface ChildHostOptions {
  readonly spawnChild: () => KeychainChild;
  readonly onMessage: (message: unknown) => void;
  /** Not called for a child that was killed. */
  readonly onExit: () => void;
}

/** Keeps one child, and ignores what a killed one still sends. */
export interface ChildHost {
  readonly running: boolean;
  /** Starts the child if none is running. Throws if it cannot be started. */
  post(message: KeychainRequest): void;
  kill(): void;
}

export function createChildHost({ spawnChild, onMessage, onExit }: ChildHostOptions): ChildHost {
  let child: KeychainChild | undefined;

  function start(): KeychainChild {
    const started = spawnChild();
    started.onMessage((message) => {
      if (started === child) onMessage(message);
    });
    started.onExit(() => {
      if (started !== child) return;
      child = undefined;
      onExit();
    });
    return started;
  }

  return {
    get running() {
      return child !== undefined;
    },
    post(message) {
      child ??= start();
      child.post(message);
    },
    kill() {
      const killed = child;
      child = undefined;
      killed?.kill();
    },
  };
}
