import { createListeners, type Listeners } from '../base/listeners.ts';
import type { Server } from '../servers/server.ts';

/**
 * What the lower parts of the app report to the parts that are built on top of them. Each part is given what it calls;
 * only where a call would have to go upwards does an event take its place.
 */
export interface AppEvents {
  /** Something that the status is computed from may be different now. */
  readonly changed: Listeners<[]>;
  /** An account has a usable token again, without or after a sign-in: its bridges reconnect. */
  readonly usable: Listeners<[accountKey: string]>;
  /** An account is no longer in the list: its bridges end. */
  readonly removed: Listeners<[accountKey: string]>;
  /** A person has signed in at the company that these servers use. */
  readonly companySignedIn: Listeners<[servers: readonly Server[]]>;
  /** A call needs more access and may start the sign-in by itself (headless). */
  readonly signInWanted: Listeners<[accountKey: string]>;
}

export const createAppEvents = (): AppEvents => ({
  changed: createListeners(),
  usable: createListeners(),
  removed: createListeners(),
  companySignedIn: createListeners(),
  signInWanted: createListeners(),
});
