import type { StoreStatus } from '../../../shared/model.ts';
import type { AppError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';

/** Why a secret store could not be used. `detail` is for the log, and contains no secret. */
export interface StoreFault {
  readonly kind: 'locked' | 'denied' | 'unavailable';
  readonly detail: string;
  /** The error to report instead, if the cause is not the store itself. */
  readonly because?: AppError;
}

export type StoreRead = { readonly kind: 'found'; readonly value: Secret } | { readonly kind: 'absent' } | StoreFault;

export type StoreWrite = { readonly kind: 'done' } | StoreFault;

/**
 * Stores secrets in one place; there is no silent fallback to another. Values are non-empty UTF-8 without NUL. 'absent'
 * means that the store was readable and has no such item. Calls never prompt the user and end within 5 s, except
 * `unlock`, which may prompt and take 2 minutes.
 */
export interface SecretStore {
  readonly name: StoreStatus['name'];
  /** Display name, for the window. */
  readonly label: string;
  get(account: string): Promise<StoreRead>;
  set(account: string, value: Secret): Promise<StoreWrite>;
  delete(account: string): Promise<StoreWrite>;
  /** Whether the store can be used now. */
  probe(): Promise<{ readonly kind: 'ready' } | StoreFault>;
  unlock(): Promise<{ readonly kind: 'ready' } | StoreFault>;
  close(): Promise<void>;
}
