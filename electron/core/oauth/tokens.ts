import type { SignOutReport } from '../../../shared/model.ts';
import type { AppError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { Credential } from '../vault/credentials.ts';

export type TokenAnswer =
  /** Send it; if the server answers 401 to it, ask again with `rejected: token`. */
  | { readonly kind: 'token'; readonly token: Secret }
  /** No sign-in is stored: call without a token, and report a 401 as `E_SIGN_IN_NEEDED`. */
  | { readonly kind: 'anonymous' }
  /** Only a person can go on (E_SIGN_IN_NEEDED, E_SIGN_IN_AGAIN, E_SERVER_REFUSED). */
  | { readonly kind: 'refused'; readonly error: AppError }
  /** A passing fault (network, authorization server, store of secrets); nothing is lost. */
  | { readonly kind: 'unavailable'; readonly error: AppError };

/** Where the tokens of one credential stand, for the status. */
export type TokenState =
  | { readonly kind: 'none' }
  | { readonly kind: 'usable'; readonly expiresAt?: number; readonly refreshAt?: number; readonly renewable: boolean }
  | { readonly kind: 'retrying'; readonly error: AppError; readonly nextTryAt: number }
  | { readonly kind: 'ended'; readonly error: AppError }
  | { readonly kind: 'blocked'; readonly error: AppError };

/** The REFRESH PATH, for all credentials. */
export interface TokenKeeper {
  /**
   * An access token that was not refused yet, refreshed first where needed. Joins a refresh that is already running.
   * `rejected`: the token that the server just answered 401 to. Never opens a browser.
   */
  accessToken(credentialId: string, options?: { readonly rejected?: Secret; readonly signal?: AbortSignal }): Promise<TokenAnswer>;
  /** A fresh sign-in: stores the credential, reads it back, then makes the token usable. Throws E_STORE_*. */
  adopt(credential: Credential, accessToken: Secret, expiresInMs: number | undefined): Promise<void>;
  /** Refreshes now, whatever the back-off says. */
  refreshNow(credentialId: string): Promise<TokenAnswer>;
  /** While at least one holder exists, the refresh runs ahead of expiry. Gives the function that lets go. */
  hold(credentialId: string): () => void;
  /** Revokes at the server (RFC 7009), then deletes. The last act wins over a refresh in flight. */
  signOut(credentialId: string): Promise<SignOutReport>;
  state(credentialId: string): TokenState;
  /** Claims of the access token in memory when it is a JWT, for display. Never the token. */
  claims(credentialId: string): Readonly<Record<string, string>> | undefined;
  /** Starts what an interrupted refresh left (the journal). Call once, before anything else. */
  start(): Promise<void>;
  /** Ends timers; waits for a refresh in flight to be stored (at most 5 s). */
  close(): Promise<void>;
}
