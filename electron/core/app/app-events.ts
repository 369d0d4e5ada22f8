import { createListeners, type Listeners } from '../base/listeners.ts';
import type { Server } from '../servers/server.ts';

/**
 * Events from the lower parts of the app to the parts built on top of them. A part calls the parts below it directly;
 * events are only for the opposite direction.
 */
export interface AppEvents {
  /** The status may have changed. */
  readonly changed: Listeners<[]>;
  /** An account has a usable token again, with or without a new sign-in: its bridges reconnect. */
  readonly usable: Listeners<[accountKey: string]>;
  /** An account is no longer in the list: its bridges close. */
  readonly removed: Listeners<[accountKey: string]>;
  /** The user has signed in to the company that these servers use. */
  readonly companySignedIn: Listeners<[servers: readonly Server[]]>;
  /** A call needs more access and may start the sign-in automatically (headless only). */
  readonly signInWanted: Listeners<[accountKey: string]>;
}

export const createAppEvents = (): AppEvents => ({
  changed: createListeners(),
  usable: createListeners(),
  removed: createListeners(),
  companySignedIn: createListeners(),
  signInWanted: createListeners(),
});
