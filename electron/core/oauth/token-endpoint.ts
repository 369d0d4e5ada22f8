import type { AppError } from '../errors.ts';
import type { AddressPolicy, Http } from '../http/client.ts';
import type { Secret } from '../secret.ts';

/** Who we are at one token endpoint. */
export interface TokenClient {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string;
  readonly clientId: string;
  readonly clientSecret?: Secret;
  readonly clientAuth: 'none' | 'client_secret_basic' | 'client_secret_post';
  readonly resource: string;
  readonly allow: AddressPolicy;
}

/** A token answer, normalised and checked (RFC 6749 5.1). */
export interface Tokens {
  readonly accessToken: Secret;
  /** Life in ms from receipt; absent when the server did not say, or said nonsense. */
  readonly expiresInMs?: number;
  readonly refreshToken?: Secret;
  /** Granted scopes; absent: as requested. */
  readonly scopes?: readonly string[];
  /** Claims of the ID token for display, as text. */
  readonly idTokenClaims?: Readonly<Record<string, string>>;
  /** Display name of who signed in. */
  readonly account?: string;
}

/** Offline is not rejected. `rejected`: the server said `invalid_grant`, whatever the HTTP status or content type. */
export type RefreshOutcome =
  | { readonly kind: 'refreshed'; readonly tokens: Tokens }
  | { readonly kind: 'rejected'; readonly error: AppError }
  /** `invalid_client`: the registration is gone. */
  | { readonly kind: 'client_refused'; readonly error: AppError }
  /** A passing fault; the same refresh token is tried again. `error.retryAfterMs` when the server asked for it. */
  | { readonly kind: 'unreachable'; readonly error: AppError };

export interface TokenEndpointOptions {
  readonly http: Http;
  readonly signal?: AbortSignal;
}
