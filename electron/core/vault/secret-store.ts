import type { StoreStatus } from '../../../shared/model.ts';
import type { AppError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';

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
