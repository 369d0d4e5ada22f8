import { z } from 'zod';
import type { IdentityNote } from '../../../shared/identity-note.ts';
import type { Secret } from '../base/secret.ts';

/**
 * How the token endpoint of one authorization server deviates from the standard. Stored with the credential, so that
 * each refresh behaves like the sign-in.
 */
export const TokenQuirks = z.object({
  /** True: token requests have no `resource` parameter (RFC 8707). Defaults to sending the client's `resource`. */
  omitResource: z.boolean().optional(),
  /** Additional parameters of every token request. */
  parameters: z.record(z.string(), z.string()).optional(),
  /**
   * True: a refresh repeats the scopes of the sign-in. Without them, some servers issue a token for another resource.
   */
  scopeOnRefresh: z.boolean().optional(),
  /** The member of the token response that contains the tokens, if they are not at the top level. */
  tokensIn: z.string().optional(),
});
export type TokenQuirks = z.infer<typeof TokenQuirks>;

/** Identifies a user at an issuer (OpenID Connect Core 2). A `sub` is never reassigned to another person. */
export interface Subject {
  readonly issuer: string;
  readonly sub: string;
}

/**
 * What the vault stores for one account on one server. Everything except the three secrets is also in the index file,
 * so that the status does not need the keychain.
 */
export interface Credential {
  /** `<server id>:<account id>`. */
  readonly id: string;
  /** The issuer, exactly as validated at sign-in. */
  readonly issuer: string;
  /** Address of the MCP server. The tokens are sent nowhere else. Absent for the sign-in of a company. */
  readonly serverUrl?: string;
  /** `resource`, exactly as sent at sign-in (RFC 8707). */
  readonly resource: string;
  readonly quirks?: TokenQuirks;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string;
  readonly introspectionEndpoint?: string;
  /**
   * For the sign-in of a company: origins where its ID token may be exchanged, in addition to that of `tokenEndpoint`.
   * Absent if an older version stored it.
   */
  readonly exchangeOrigins?: readonly string[];
  readonly clientId: string;
  readonly clientSecret?: Secret;
  readonly clientAuth: ClientAuth;
  /** Set if no user signed in. There is no token to store then, and the secrets are stored separately. */
  readonly grant?: RepeatedGrant;
  readonly requestedScopes: readonly string[];
  readonly grantedScopes: readonly string[];
  /** Absent if the server issued none; `accessToken` is stored instead. */
  readonly refreshToken?: Secret;
  /** Only present without a refresh token. */
  readonly accessToken?: Secret;
  /** Unix ms; only together with `accessToken`. */
  readonly expiresAt?: number;
  /** Display name of who signed in, from a verified ID token; the client id if a client acts for itself. */
  readonly account?: string;
  /** The subject of the verified ID token; absent if the user is not known for certain. */
  readonly subject?: Subject;
  /** Claims of the verified ID token and of userinfo, for display. */
  readonly idTokenClaims?: Readonly<Record<string, string>>;
  /** What a user should know about who signed in. */
  readonly identityNotes?: readonly IdentityNote[];
  readonly signedInAt: number;
  /** When the sign-in ends unless a user renews it. Unix ms; absent if the server does not say. */
  readonly endsAt?: number;
  readonly lastRefreshAt?: number;
  /** Counts stored versions, from 1. Assigned by the vault; `write` ignores the value in its argument. */
  readonly generation: number;
  /** When the authorization server responded with `invalid_grant`. Kept for diagnosis, and not used again. */
  readonly quarantinedAt?: number;
}

/** What is not secret about a stored credential. Read from the index file, without the keychain. */
export type CredentialFacts = Omit<Credential, 'refreshToken' | 'accessToken' | 'clientSecret'> & {
  readonly renewable: boolean;
};

/**
 * How a client authenticates at the token endpoint (RFC 7591 2, RFC 7523, RFC 8705). `_raw`: without the form-encoding
 * that RFC 6749 2.3.1 requires.
 */
export const clientAuths = [
  'none',
  'client_secret_basic',
  'client_secret_basic_raw',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
] as const;

export type ClientAuth = (typeof clientAuths)[number];

/** Grants without a refresh token: each new token is requested with what the user entered. */
export const repeatedGrants = ['client_credentials', 'jwt_bearer', 'enterprise_managed', 'static_header'] as const;

export type RepeatedGrant = (typeof repeatedGrants)[number];

/** Whether a new access token can be obtained without a user. */
export const isRenewable = ({
  refreshToken,
  grant,
}: {
  readonly refreshToken?: unknown;
  readonly grant?: RepeatedGrant;
}): boolean => refreshToken !== undefined || (grant !== undefined && grant !== 'static_header');
