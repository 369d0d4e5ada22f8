import type { SignOutReport } from '../../../../shared/model.ts';
import type { Clock } from '../../base/clock.ts';
import type { AppError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import type { Semaphore } from '../../base/semaphore.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Vault } from '../../vault/credentials.ts';
import type { Grants, TokenResponseReader, TokenResult, TokenState } from '../model.ts';
import type { CachedToken } from './cached-token.ts';

export interface RefreshDeps {
  readonly http: Http;
  readonly clock: Clock;
  readonly log: Log;
  readonly vault: Vault;
  /**
   * Which addresses may be connected to for this credential. Throws E_HOSTS_UNCONFIRMED when nothing may be sent to its
   * endpoints.
   */
  readonly policyOf: (credential: Credential) => Promise<AddressPolicy>;
  /** The current address of the credential's MCP server; undefined when its tokens are sent to no MCP server. */
  readonly serverUrlOf: (credentialId: string) => string | undefined;
  /** For grants without a user, and for clients that authenticate with a key. */
  readonly grants: Grants;
  /** Reads the response to a refresh of this credential. Defaults to `readTokenResponse`. */
  readonly readResponse?: (credential: Credential) => TokenResponseReader;
  /** Limits concurrent refreshes over all credentials. */
  readonly refreshLimit: Semaphore;
}

/** The credential of one refresh, and how the refresh learns that its result no longer counts. */
export interface RefreshSubject {
  readonly id: string;
  /** Held for each access to the vault, so that a refresh, a sign-in and a sign-out never write at the same time. */
  readonly vaultLock: Semaphore;
  readonly superseded: () => Supersession;
  /** True while the app is quitting. A token that cannot be stored is then discarded. */
  readonly closing: () => boolean;
  /** Called after each failed attempt to store the new token. */
  readonly onUnsaved: (error: AppError) => void;
}

/** What the user did while a refresh was running. */
export type Supersession = 'no' | 'signed_in' | 'signed_out';

export type RefreshResult =
  | { readonly kind: 'refreshed'; readonly accessToken: Secret; readonly expiresInMs: number | undefined }
  /** There is no refresh token; this is the stored access token. `header`: see TokenResult. */
  | { readonly kind: 'access_only'; readonly accessToken: Secret; readonly header?: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'superseded' }
  /**
   * A user has to act. `final: false`: the cause may be corrected outside Keybridge, so the next call tries again,
   * after `pauseMs` at the earliest.
   */
  | { readonly kind: 'ended'; readonly error: AppError; readonly final: boolean; readonly pauseMs?: number }
  | { readonly kind: 'client_refused'; readonly error: AppError }
  /** A temporary fault of network or server, or a refusal that may be temporary. Equal `refusal`s are the same one. */
  | { readonly kind: 'failed'; readonly error: AppError; readonly refusal?: string }
  /** The store of secrets cannot be used. */
  | { readonly kind: 'blocked'; readonly error: AppError };

export interface TokenSourceDeps extends RefreshDeps {
  readonly random: () => number;
  readonly onChange: (credentialId: string) => void;
  /** Returns an error when the credential's MCP server now names other authorization servers (issuer-moved.ts). */
  readonly movedFrom: (credentialId: string) => Promise<AppError | undefined>;
  /** Returns an error when this access token must not be sent to its MCP server (audience.ts). */
  readonly audienceFault: (credentialId: string, token: Secret) => AppError | undefined;
  /** Called when a sign-in that needed a user works again without one. */
  readonly onRecovered: (credentialId: string) => void;
  /** True while the app is quitting. */
  readonly closing: () => boolean;
}

export interface CallOptions {
  /** The token to which the MCP server has just answered 401. */
  readonly rejected?: Secret;
  readonly signal?: AbortSignal;
  /** Longest wait. Defaults to 20 s, which is also the maximum. */
  readonly waitMs?: number;
}

/** `AccessTokens` for one credential; see there. */
export interface TokenSource {
  accessToken(options?: CallOptions): Promise<TokenResult>;
  adopt(credential: Credential, accessToken: Secret, expiresInMs: number | undefined): Promise<void>;
  refreshNow(): Promise<TokenResult>;
  reviewAudience(): boolean;
  keepFresh(): () => void;
  signOut(): Promise<SignOutReport>;
  state(): TokenState;
  current(): CachedToken | undefined;
  accepted(token: Secret): void;
  newTokenPauseMs(token: Secret): number | undefined;
  doubt(token: Secret, saysInvalid?: boolean): void;
  /** Refreshes because the journal shows that the last refresh did not finish. */
  resume(): void;
  /** Call after the computer slept or the network changed. */
  wake(): void;
  /** Resolves when no refresh and no write to the vault is in progress. */
  idle(): Promise<unknown>;
  /** Stops all timers. */
  drop(): void;
}
