import { z } from 'zod';
import type { IdentityNote } from '../../../shared/identity-note.ts';
import type { Secret } from '../base/secret.ts';

/**
 * What one authorization server wants differently at its token endpoint. Kept with the credential, so that each refresh
 * does what the sign-in did.
 */
export const TokenQuirks = z.object({
  /** True: no `resource` parameter (RFC 8707). Absent: the client's `resource`, as it is. */
  omitResource: z.boolean().optional(),
  /** Parameters that every token request carries besides the standard ones. */
  parameters: z.record(z.string(), z.string()).optional(),
  /**
   * True: a refresh names the scopes that were asked for at sign-in; others answer for another resource without them.
   */
  scopeOnRefresh: z.boolean().optional(),
  /** The member of the token answer in which the tokens lie, where it is not the answer itself. */
  tokensIn: z.string().optional(),
});
export type TokenQuirks = z.infer<typeof TokenQuirks>;

/** Whom an issuer means (OpenID Connect Core 2): nobody else at this issuer ever has the same `sub`. */
export interface Subject {
  readonly issuer: string;
  readonly sub: string;
}

/**
 * What the vault keeps for one account on one server. Everything but the three secrets also stands in the app's own
 * index file, so that status needs no keychain.
 */
export interface Credential {
  /** `<server id>:<account id>`. */
  readonly id: string;
  /** The issuer exactly as validated at sign-in. */
  readonly issuer: string;
  /**
   * Address of the MCP server that was signed in to: the tokens go nowhere else. Absent where there is no server (a
   * company's sign-in).
   */
  readonly serverUrl?: string;
  /** `resource` exactly as sent at sign-in (RFC 8707). */
  readonly resource: string;
  /** What this authorization server wants differently at its token endpoint. */
  readonly quirks?: TokenQuirks;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string;
  readonly introspectionEndpoint?: string;
  /**
   * Of a company's sign-in: origins where its ID token may be exchanged besides that of `tokenEndpoint`. Absent: an
   * older version stored it.
   */
  readonly exchangeOrigins?: readonly string[];
  readonly clientId: string;
  readonly clientSecret?: Secret;
  readonly clientAuth: ClientAuth;
  /** Set where no person signed in: there is no token to keep, and the secrets stay where the user put them. */
  readonly grant?: RepeatedGrant;
  readonly requestedScopes: readonly string[];
  readonly grantedScopes: readonly string[];
  /** Absent where the server gave none; then `accessToken` is kept instead. */
  readonly refreshToken?: Secret;
  /** Only without a refresh token: the long-lived credential itself. */
  readonly accessToken?: Secret;
  /** Unix ms; only together with `accessToken`. */
  readonly expiresAt?: number;
  /** Who signed in, from a verified ID token; the account's display name. Where a client acts for itself, its id. */
  readonly account?: string;
  /** Whom the verified ID token named; absent: nobody is known for sure. */
  readonly subject?: Subject;
  /** Of the verified ID token and of userinfo, for display. */
  readonly idTokenClaims?: Readonly<Record<string, string>>;
  /** What a person should know of who signed in. */
  readonly identityNotes?: readonly IdentityNote[];
  readonly signedInAt: number;
  /** Unix ms: when the sign-in ends unless a person renews it; absent where the server does not say. */
  readonly endsAt?: number;
  readonly lastRefreshAt?: number;
  /** Counts stored versions, from 1. Given by the vault: `write` ignores what is in its argument. */
  readonly generation: number;
  /** Set when the authorization server said `invalid_grant`: kept for a look, not used again. */
  readonly quarantinedAt?: number;
}

/** Facts about a stored credential that are no secret: from the index file, without the keychain. */
export type CredentialFacts = Omit<Credential, 'refreshToken' | 'accessToken' | 'clientSecret'> & {
  readonly renewable: boolean;
};

/**
 * How a client proves who it is at the token endpoint (RFC 7591 2, RFC 7523, RFC 8705). `_raw`: not form-encoded,
 * against RFC 6749 2.3.1.
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

/** Grants without a refresh token: what the user entered is used again, each time that a token is needed. */
export const repeatedGrants = ['client_credentials', 'jwt_bearer', 'enterprise_managed', 'static_header'] as const;

export type RepeatedGrant = (typeof repeatedGrants)[number];

/** Whether a new access token can be had without a person. */
export const isRenewable = ({
  refreshToken,
  grant,
}: {
  readonly refreshToken?: unknown;
  readonly grant?: RepeatedGrant;
}): boolean => refreshToken !== undefined || (grant !== undefined && grant !== 'static_header');
