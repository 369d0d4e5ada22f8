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
   * What may be connected to for this credential. Throws E_HOSTS_UNCONFIRMED where nothing may be sent to its
   * endpoints.
   */
  readonly policyOf: (credential: Credential) => Promise<AddressPolicy>;
  /** The address of the server that its tokens are sent to now; undefined: they are sent to no server. */
  readonly serverUrlOf: (credentialId: string) => string | undefined;
  /** For credentials that need no person, and for clients with a key. */
  readonly grants: Grants;
  /** Reads the response to a refresh of this credential; `readTokenResponse` when absent. */
  readonly readResponse?: (credential: Credential) => TokenResponseReader;
  /** Limits how many refreshes run at once, over all credentials. */
  readonly slots: Semaphore;
}

/** One credential, and who has acted on it since. */
export interface RefreshSubject {
  readonly id: string;
  /** Turns at the vault: a refresh, a sign-in and a sign-out never write at the same time. */
  readonly turn: Semaphore;
  /** Whether the result is still wanted; a sign-in or sign-out meanwhile counts more. */
  readonly superseded: () => Supersession;
  /** Whether the app is ending: then a token that cannot be stored is not waited for without end. */
  readonly closing: () => boolean;
  /** The server has answered, and the store does not take the new token. Called at each attempt. */
  readonly onUnsaved: (error: AppError) => void;
}

/** What the person did while a refresh ran. */
export type Supersession = 'no' | 'signed_in' | 'signed_out';

export type RefreshResult =
  | { readonly kind: 'refreshed'; readonly accessToken: Secret; readonly expiresInMs: number | undefined }
  /** There is no refresh token: the stored access token is all there is. */
  | { readonly kind: 'access_only'; readonly accessToken: Secret; readonly header?: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'superseded' }
  /**
   * Only a person can go on. `final: false`: what is wrong may be corrected elsewhere; the next look is after
   * `pauseMs` at the earliest.
   */
  | { readonly kind: 'ended'; readonly error: AppError; readonly final: boolean; readonly pauseMs?: number }
  | { readonly kind: 'client_refused'; readonly error: AppError }
  /** A passing fault of network or server; or a refusal that may pass, and what makes two of them equal. */
  | { readonly kind: 'failed'; readonly error: AppError; readonly refusal?: string }
  | { readonly kind: 'blocked'; readonly error: AppError };

export interface TokenSourceDeps extends RefreshDeps {
  readonly random: () => number;
  readonly onChange: (credentialId: string) => void;
  /** Why the sign-in is no longer valid, when its server has moved to another authorization server. */
  readonly movedFrom: (credentialId: string) => Promise<AppError | undefined>;
  /** Why this access token must not be sent to its MCP server (audience.ts). */
  readonly audienceFault: (credentialId: string, token: Secret) => AppError | undefined;
  /** A sign-in that had ended for want of a person works again by itself: what gave up on it can go on. */
  readonly onRecovered: (credentialId: string) => void;
  /** True: the app is about to end. */
  readonly closing: () => boolean;
}

/** See `AccessTokens.accessToken`. */
export interface CallOptions {
  readonly rejected?: Secret;
  readonly signal?: AbortSignal;
  readonly waitMs?: number;
}

/** `AccessTokens`, for one credential. */
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
  doubt(token: Secret, said?: boolean): void;
  /** Refreshes because the journal says that the last refresh was interrupted. */
  resume(): void;
  woke(): void;
  /** Resolves when nothing is in progress any more. */
  idle(): Promise<unknown>;
  drop(): void;
}
