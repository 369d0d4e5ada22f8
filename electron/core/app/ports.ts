import type { StoreStatus } from '../../../shared/model.ts';
import type { AppError } from '../base/errors.ts';
import type { Http } from '../http/client.ts';
import type { Log } from '../base/log.ts';
import type { Moment } from '../base/moments.ts';
import type { Secret } from '../base/secret.ts';

/**
 * What the core needs from the world. `electron/desktop` and `electron/headless.ts` provide it; tests pass real fakes.
 */
export interface Ports {
  /** Absolute path of the folder with the user's server list. Exists, 0700. */
  readonly dataDir: string;
  readonly store: SecretStore;
  readonly http: Http;
  /**
   * Opens the system's browser; rejects with E_BROWSER when there is none. Call only through `openAuthorizationUrl`.
   */
  readonly openBrowser: (url: URL) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** Calls the listener after a wake from sleep or a change of network. Gives the function that ends this. */
  readonly onWake: (listener: () => void) => () => void;
  readonly about: About;
}

export interface About {
  readonly version: string;
  readonly front: 'desktop' | 'headless';
  readonly runtime: 'release' | 'development';
  /** Command and arguments that start the bridge, without the server's name: what a host's configuration must say. */
  readonly bridgeCommand: readonly [string, ...string[]];
  /** Environment that the bridge needs to find this broker; empty for the default data folder. */
  readonly bridgeEnv: Readonly<Record<string, string>>;
}

export interface Clock {
  /**
   * Unix time in ms, which jumps when somebody sets it. For what a person reads, what a file keeps, and what a server
   * or a certificate dates; never for a pause, a limit or an age in this process (held by test/app/clock-use.test.ts).
   */
  now(): number;
  /** The moment on a clock that only goes forward, for everything else. */
  monotonic(): Moment;
  /**
   * Runs `task` once after `ms` on a clock that does not jump. Gives the function that cancels it. Never keeps the
   * process alive.
   */
  after(ms: number, task: () => void): () => void;
}

/** Why a store of secrets gave no answer. `detail` is for the log: no secret in it. */
export interface StoreFault {
  readonly kind: 'locked' | 'denied' | 'unavailable';
  readonly detail: string;
  /** Where it is not the store's own fault. */
  readonly because?: AppError;
}

export type StoreRead = { readonly kind: 'found'; readonly value: Secret } | { readonly kind: 'absent' } | StoreFault;
export type StoreWrite = { readonly kind: 'done' } | StoreFault;

/**
 * Where secrets are kept: one named place, never another one in silence. Values are non-empty UTF-8 without NUL.
 * 'absent' is said only when the place was readable and has no such item. Calls never prompt the user, and end within
 * 5 s; only `unlock` may prompt (2 min).
 */
export interface SecretStore {
  readonly name: StoreStatus['name'];
  /** In plain words, for the window. */
  readonly label: string;
  get(account: string): Promise<StoreRead>;
  set(account: string, value: Secret): Promise<StoreWrite>;
  delete(account: string): Promise<StoreWrite>;
  /** Whether the store can be used now. */
  probe(): Promise<{ readonly kind: 'ready' } | StoreFault>;
  unlock(): Promise<{ readonly kind: 'ready' } | StoreFault>;
  close(): Promise<void>;
}
