import type { KeyObject } from 'node:crypto';
import type { ServerNetwork, AddressPolicy, Http, HttpResponse } from '../http/http.ts';
import type { AppError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { ErrorResponse } from './error-response.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/clock.ts';
import type { TokenQuirks, Credential, ClientAuth } from '../vault/credential.ts';
import type { SignInState } from '../../../shared/sign-in-state.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';

/** What the OAuth rooms need from outside the core. */
export interface OAuthPorts {
  readonly http: Http;
  /**
   * Opens the system's browser; rejects with E_BROWSER when there is none. Call only through `openAuthorizationUrl`.
   */
  readonly openBrowser: (url: URL) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** Calls the listener after a wake from sleep or a change of network. Returns an unsubscribe function. */
  readonly onWake: (listener: () => void) => () => void;
}

/** The key of `private_key_jwt`. Printing the key object shows nothing of the key, and nothing here exports it. */
export interface SigningKey {
  readonly key: KeyObject;
  readonly algorithm: SigningAlgorithm;
  readonly keyId?: string;
}

/** RFC 9728, the members that we use, validated. */
export interface ProtectedResource {
  /** Byte-exact as served: this string is the `resource` parameter (RFC 8707). */
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly resource_name?: string;
  /** RFC 9728 2: only tokens that are bound to a key (RFC 9449) are accepted. */
  readonly dpop_bound_access_tokens_required?: boolean;
}

/**
 * RFC 8414 / OpenID Connect Discovery, the members that we use, validated; unknown members are kept for openid-client.
 */
export interface AuthorizationServer {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly registration_endpoint?: string;
  /** RFC 9126. */
  readonly pushed_authorization_request_endpoint?: string;
  readonly require_pushed_authorization_requests?: boolean;
  readonly client_id_metadata_document_supported?: boolean;
  readonly revocation_endpoint?: string;
  readonly introspection_endpoint?: string;
  readonly userinfo_endpoint?: string;
  readonly jwks_uri?: string;
  readonly scopes_supported?: readonly string[];
  readonly code_challenge_methods_supported?: readonly string[];
  readonly token_endpoint_auth_methods_supported?: readonly string[];
  readonly authorization_response_iss_parameter_supported?: boolean;
  readonly [member: string]: unknown;
}

/** A Bearer challenge (RFC 6750 3, RFC 9728 5.1), from a 401 or 403. */
export interface Challenge {
  readonly resourceMetadata?: string;
  readonly scope?: string;
  readonly error?: string;
  /** Only tokens that are bound to a key are accepted (RFC 9449 7.1). */
  readonly dpopOnly?: boolean;
}

/** `open`: the server responded without requiring a sign-in. */
export type Discovery =
  | { readonly kind: 'open'; readonly allow: ServerNetwork }
  | {
      readonly kind: 'protected';
      /** Byte-exact `resource` for authorization and token requests. */
      readonly resource: string;
      readonly resourceName?: string;
      readonly authorizationServer: AuthorizationServer;
      /** The issuer that the metadata was found for. Differs from `issuer` only for the pair of an issuer exception. */
      readonly issuerNamed: string;
      /**
       * By MCP's rule (Scope Selection): the challenge's scope, else the resource's `scopes_supported`, else none; plus
       * `offline_access` if the authorization server supports it.
       */
      readonly scopes: readonly string[];
      /** True: `code_challenge_methods_supported` is absent or has no S256. */
      readonly pkceMissing: boolean;
      /** The resource accepts only tokens bound to a key (RFC 9449), and the authorization server issues them. */
      readonly dpopRequired: boolean;
      /** Hosts of endpoints that are not the issuer's host. */
      readonly otherHosts: readonly string[];
      /** Which addresses may be connected to for this server, by the network that it responded from. */
      readonly allow: ServerNetwork;
    };

/** A successful token response (RFC 6749 5.1), normalized. */
export interface Tokens {
  readonly accessToken: Secret;
  /** Life in ms from receipt; absent when the server did not state a valid one. */
  readonly expiresInMs?: number;
  readonly refreshToken?: Secret;
  /** Life of the refresh token in ms from receipt. Not in any RFC; GitHub, Google and Keycloak send it. */
  readonly refreshExpiresInMs?: number;
  /** Granted scopes; absent when they are those that were requested. */
  readonly scopes?: readonly string[];
  /** As received: nothing in it is verified yet. */
  readonly idToken?: Secret;
}

/** The meaning of a token response, whatever its status and content type. */
export type TokenVerdict =
  | { readonly kind: 'tokens'; readonly tokens: Tokens }
  /** An error code (RFC 6749 5.2). */
  | {
      readonly kind: 'error';
      readonly error: string;
      readonly description?: string;
      readonly status: number;
      readonly retryAfterMs?: number;
    }
  /**
   * Neither tokens nor an error code. `rotated`: a new refresh token in the response; the old one may be used up.
   * `reason`: the server's words, which are not in the fault yet. `refused`: a refusal that is probably not temporary.
   */
  | {
      readonly kind: 'unclear';
      readonly fault: AppError;
      readonly status?: number;
      readonly rotated?: Secret;
      readonly reason?: ErrorResponse;
      readonly refused?: true;
    };

/** Our client at one authorization server: endpoints, client authentication and what each token request contains. */
export interface TokenClient {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string;
  /** RFC 7662; absent when the endpoint does not accept this client authentication. */
  readonly introspectionEndpoint?: string;
  readonly clientId: string;
  readonly clientSecret?: Secret;
  readonly clientAuth: ClientAuth;
  /** For `private_key_jwt`. */
  readonly signingKey?: SigningKey;
  readonly resource: string;
  readonly quirks?: TokenQuirks;
  readonly allow: AddressPolicy;
}

/** The outcome of one token request without a user. A server that cannot be reached has not rejected anything. */
export type RefreshOutcome =
  | { readonly kind: 'refreshed'; readonly tokens: Tokens }
  /** `invalid_grant`, whatever the HTTP status or content type. `oauthError`: the code (RFC 6749 5.2). */
  | { readonly kind: 'rejected'; readonly error: AppError; readonly oauthError?: string }
  /** `invalid_client`: the server does not know the client (any more). */
  | { readonly kind: 'client_refused'; readonly error: AppError }
  /**
   * Perhaps a temporary fault: the same refresh token is sent again, or `rotated` if the broken response contained a
   * new one. `error.retryAfterMs`: when the server asked for a pause. `refusal`: set for a refusal; equal texts mean
   * the same one.
   */
  | { readonly kind: 'unreachable'; readonly error: AppError; readonly rotated?: Secret; readonly refusal?: string };

/** Reads a token response. `now`: Unix ms. `tokensIn`: the member that contains the tokens, if they are nested. */
export type TokenResponseReader = (response: HttpResponse, now: number, tokensIn?: string) => TokenVerdict;

export interface TokenEndpointOptions {
  readonly http: Http;
  readonly signal?: AbortSignal;
  /** Needed for the second attempt of `exchangeCode` after "connection refused" or 429. */
  readonly clock?: Clock;
  /** Called with the server's reason when a revocation is not confirmed: one line, sanitized for display. */
  readonly onRefusal?: (words: string) => void;
  /** Defaults to `readTokenResponse`. */
  readonly readResponse?: TokenResponseReader;
}

export type TokenResult =
  /**
   * After a 401 to it, call again with `rejected: token`. `header`: lower-case name of the header whose whole value is
   * the token; absent for a Bearer token.
   */
  | { readonly kind: 'token'; readonly token: Secret; readonly header?: string }
  /** No sign-in is stored: send the request without a token, and report a 401 as `E_SIGN_IN_NEEDED`. */
  | { readonly kind: 'anonymous' }
  /** A user has to act (E_SIGN_IN_NEEDED, E_SIGN_IN_AGAIN, E_SERVER_REFUSED, E_TOKEN_AUDIENCE). */
  | { readonly kind: 'refused'; readonly error: AppError }
  /** A temporary fault (network, authorization server, store of secrets); nothing is lost. */
  | { readonly kind: 'unavailable'; readonly error: AppError };

/** The state of one credential's tokens, for the status. Times are Unix ms. */
export type TokenState =
  | { readonly kind: 'none' }
  /** `endsAt`: set when the sign-in itself ends soon. */
  | {
      readonly kind: 'usable';
      readonly expiresAt?: number;
      readonly refreshAt?: number;
      readonly endsAt?: number;
      readonly renewable: boolean;
    }
  | { readonly kind: 'retrying'; readonly error: AppError; readonly nextTryAt: number }
  | { readonly kind: 'ended'; readonly error: AppError }
  | { readonly kind: 'blocked'; readonly error: AppError };

/** A secret that is sent in its own header. `name`: in lower case. */
export interface KeyHeader {
  readonly name: string;
  readonly value: Secret;
}

/** Grants that need no user, and client authentication with the secrets that the user entered. */
export interface Grants {
  /**
   * Adds the secrets that the user entered: the key of `private_key_jwt`, or the client secret of a grant without a
   * person. Throws E_STORE_*, E_BAD_INPUT, E_SECRET_AGAIN.
   */
  withClientAuth(credential: Pick<Credential, 'id' | 'grant'>, client: TokenClient): Promise<TokenClient>;
  /**
   * Fetches what `requestToken` needs from a third party. Separate, so that it does not count towards the limit of
   * concurrent refreshes. Throws what `requestToken` throws.
   */
  prepare(credential: Credential): Promise<void>;
  /**
   * Sends one request for an access token. Throws E_STORE_*, E_BAD_INPUT, E_SECRET_AGAIN, and E_TOKEN_REFUSED when the
   * entered assertion has expired.
   */
  requestToken(credential: Credential, client: TokenClient, options: TokenEndpointOptions): Promise<RefreshOutcome>;
  /**
   * The key of a server without OAuth, bound to the origin that it was entered for. Throws E_STORE_*, E_BAD_INPUT,
   * E_SECRET_AGAIN.
   */
  header(credential: Pick<Credential, 'id' | 'resource'>): Promise<KeyHeader>;
}

/** Progress of one sign-in, for the status. */
export type SignInProgress = Extract<SignInState, { kind: 'signing_in' }>;

export type SigningAlgorithm = NonNullable<ServerSettings['signingAlgorithm']>;
