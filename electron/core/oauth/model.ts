import type { KeyObject } from 'node:crypto';
import type { ServerNetwork, AddressPolicy, Http, HttpResponse } from '../http/http.ts';
import type { AppError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { ErrorResponse } from './error-response.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../base/clock.ts';
import type { TokenQuirks, Credential, ClientAuth } from '../vault/credential.ts';
import type { SignInState, ServerSettings } from '../../../shared/model.ts';

/** What OAuth needs from the world. */
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

/** The key of `private_key_jwt`. The key object never prints itself, and nothing here exports it. */
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
  /** RFC 9728 2, RFC 9449: other tokens than bound ones are refused. */
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
  /** It takes tokens that are bound to a key, and no others (RFC 9449 7.1). */
  readonly dpopOnly?: boolean;
}

/** `open`: the server answered without asking for a sign-in. */
export type Discovery =
  | { readonly kind: 'open'; readonly allow: ServerNetwork }
  | {
      readonly kind: 'protected';
      /** Byte-exact `resource` for authorization and token requests. */
      readonly resource: string;
      readonly resourceName?: string;
      readonly authorizationServer: AuthorizationServer;
      /** Under which its metadata was found; equal to its `issuer` but for an exact exception. */
      readonly issuerNamed: string;
      /**
       * By MCP's rule: the challenge's scope, else the resource's `scopes_supported`, else none; plus `offline_access`
       * where offered.
       */
      readonly scopes: readonly string[];
      /** True: `code_challenge_methods_supported` is absent or has no S256. */
      readonly pkceMissing: boolean;
      /** The resource takes only tokens that are bound to a key (RFC 9449), and the authorization server gives such. */
      readonly dpopRequired: boolean;
      /** Hosts of endpoints that are not the issuer's host. */
      readonly otherHosts: readonly string[];
      /** What may be connected to for this server: by the address that its own answer came from. */
      readonly allow: ServerNetwork;
    };

/** A good token answer with everything odd made plain (RFC 6749 5.1). */
export interface Tokens {
  readonly accessToken: Secret;
  /** Life in ms from receipt; absent when the server did not say, or said nonsense. */
  readonly expiresInMs?: number;
  readonly refreshToken?: Secret;
  /** Life of the refresh token in ms from receipt. No RFC has it; GitHub, Google and Keycloak say it. */
  readonly refreshExpiresInMs?: number;
  /** Granted scopes; absent: as requested. */
  readonly scopes?: readonly string[];
  /** As it came: nothing in it is verified yet. */
  readonly idToken?: Secret;
}

/** What a token endpoint said, whatever the status and the content type. */
export type TokenVerdict =
  | { readonly kind: 'tokens'; readonly tokens: Tokens }
  /** An error object (RFC 6749 5.2): the server understood and said no. */
  | {
      readonly kind: 'error';
      readonly error: string;
      readonly description?: string;
      readonly status: number;
      readonly retryAfterMs?: number;
    }
  /**
   * No answer to go by. `rotated`: a new refresh token that came along; the old one may be spent. `said`: the server's
   * words, which are not in the fault yet. `refused`: it looks like a refusal that will not pass by itself.
   */
  | {
      readonly kind: 'unclear';
      readonly fault: AppError;
      readonly status?: number;
      readonly rotated?: Secret;
      readonly said?: ErrorResponse;
      readonly refused?: true;
    };

/** Who we are at one token endpoint. */
export interface TokenClient {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string;
  /** Where it tells clients like us about tokens (RFC 7662). */
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

/** Offline is not rejected. `rejected`: the server said `invalid_grant`, whatever the HTTP status or content type. */
export type RefreshOutcome =
  | { readonly kind: 'refreshed'; readonly tokens: Tokens }
  | {
      readonly kind: 'rejected';
      readonly error: AppError;
      /** Its code (RFC 6749 5.2). */ readonly oauthError?: string;
    }
  /** `invalid_client`: the registration is gone. */
  | { readonly kind: 'client_refused'; readonly error: AppError }
  /**
   * A passing fault; the same refresh token is tried again, or `rotated` where the broken answer held a new one.
   * `error.retryAfterMs` when the server asked for it.
   */
  | {
      readonly kind: 'unreachable';
      readonly error: AppError;
      readonly rotated?: Secret;
      /** It is a refusal, and this is what makes two of them equal. */ readonly refusal?: string;
    };

/**
 * Reads the response of a token endpoint. `now`: Unix ms. `tokensIn`: the member that holds the tokens, where they lie
 * deeper.
 */
export type TokenResponseReader = (response: HttpResponse, now: number, tokensIn?: string) => TokenVerdict;

export interface TokenEndpointOptions {
  readonly http: Http;
  readonly signal?: AbortSignal;
  /** For the one later try of `exchangeCode` after "connection refused" or 429; without it there is none. */
  readonly clock?: Clock;
  /** Told what the server said when it did not confirm a revocation: one line, fit to be shown. */
  readonly onRefusal?: (words: string) => void;
  /** Reads the answer of a grant whose tokens are not plain ones; `readTokenResponse` when absent. */
  readonly readResponse?: TokenResponseReader;
}

export type TokenResult =
  /**
   * Send it; if the server answers 401 to it, ask again with `rejected: token`. `header`: it is no OAuth token but the
   * whole value of this header (name in lower case).
   */
  | { readonly kind: 'token'; readonly token: Secret; readonly header?: string }
  /** No sign-in is stored: call without a token, and report a 401 as `E_SIGN_IN_NEEDED`. */
  | { readonly kind: 'anonymous' }
  /** Only a person can go on (E_SIGN_IN_NEEDED, E_SIGN_IN_AGAIN, E_SERVER_REFUSED, E_TOKEN_AUDIENCE). */
  | { readonly kind: 'refused'; readonly error: AppError }
  /** A passing fault (network, authorization server, store of secrets); nothing is lost. */
  | { readonly kind: 'unavailable'; readonly error: AppError };

/** Where the tokens of one credential stand, for the status. */
export type TokenState =
  | { readonly kind: 'none' }
  /** `endsAt`: the sign-in itself ends soon, then. */
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

/** A secret that goes out as a header of its own. `name`: in lower case. */
export interface KeyHeader {
  readonly name: string;
  readonly value: Secret;
}

/** Grants that need no person, and what a token endpoint wants besides what a credential holds. */
export interface Grants {
  /**
   * Adds what the user entered: the key of `private_key_jwt`, and the secret of a client that acts for itself.
   * Throws E_STORE_*, E_BAD_INPUT, E_SECRET_AGAIN.
   */
  withClientAuth(credential: Pick<Credential, 'id' | 'grant'>, client: TokenClient): Promise<TokenClient>;
  /**
   * Fetches what the request needs from a third party, ahead of it and outside of its place in the queue. Throws as
   * `ask`.
   */
  prepare(credential: Credential): Promise<void>;
  /**
   * One request for an access token. Throws E_STORE_*, E_BAD_INPUT, E_SECRET_AGAIN, E_TOKEN_REFUSED when what was
   * entered is out of date.
   */
  requestToken(credential: Credential, client: TokenClient, options: TokenEndpointOptions): Promise<RefreshOutcome>;
  /**
   * The key of a server without OAuth, for the origin that it was entered for. Throws E_STORE_*, E_BAD_INPUT,
   * E_SECRET_AGAIN.
   */
  header(credential: Pick<Credential, 'id' | 'resource'>): Promise<KeyHeader>;
}

/** Progress of one sign-in, for the status. */
export type SignInProgress = Extract<SignInState, { kind: 'signing_in' }>;

export type SigningAlgorithm = NonNullable<ServerSettings['signingAlgorithm']>;
