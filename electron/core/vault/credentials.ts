import type { Secret } from '../secret.ts';
import type { StoreFault } from '../ports.ts';

/**
 * What the vault keeps for one account on one server. Everything but the three secrets also stands in the app's own
 * index file, so that status needs no keychain.
 */
export interface Credential {
  /** `<server id>:<account id>`; the account id is "default" until a server has several. */
  readonly id: string;
  /** The issuer exactly as validated at sign-in. */
  readonly issuer: string;
  /** `resource` exactly as sent at sign-in (RFC 8707). */
  readonly resource: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string;
  readonly clientId: string;
  readonly clientSecret?: Secret;
  readonly clientAuth: 'none' | 'client_secret_basic' | 'client_secret_post';
  readonly requestedScopes: readonly string[];
  readonly grantedScopes: readonly string[];
  /** Absent where the server gave none; then `accessToken` is kept instead. */
  readonly refreshToken?: Secret;
  /** Only without a refresh token: the long-lived credential itself. */
  readonly accessToken?: Secret;
  /** Unix ms; only together with `accessToken`. */
  readonly expiresAt?: number;
  /** Who signed in, from the ID token: a display name. */
  readonly account?: string;
  readonly idTokenClaims?: Readonly<Record<string, string>>;
  readonly signedInAt: number;
  readonly lastRefreshAt?: number;
  /** Counts stored versions, from 1. */
  readonly generation: number;
  /** Set when the authorization server said `invalid_grant`: kept for a look, not used again. */
  readonly quarantinedAt?: number;
}

export type CredentialRead = { readonly kind: 'found'; readonly credential: Credential } | { readonly kind: 'absent' } | { readonly kind: 'damaged' } | StoreFault;

/** Facts about a stored credential that are no secret: from the index file, without the keychain. */
export type CredentialFacts = Omit<Credential, 'refreshToken' | 'accessToken' | 'clientSecret'> & { readonly renewable: boolean };

/**
 * The vault: credentials in the store of secrets, two generations each, and an index file of what is no secret.
 * A failed read or write never deletes anything.
 */
export interface Vault {
  /** Reads the newest whole generation, from the store every time. */
  read(id: string): Promise<CredentialRead>;
  /** Stores generation n+1 next to n, reads it back and compares, flips the head item last. */
  write(credential: Credential): Promise<{ readonly kind: 'done' } | StoreFault>;
  delete(id: string): Promise<{ readonly kind: 'done' } | StoreFault>;
  /** The refresh transaction's journal (docs/refresh.md): written before the refresh token is spent. */
  openJournal(id: string, generation: number): Promise<{ readonly kind: 'done' } | StoreFault>;
  closeJournal(id: string): Promise<void>;
  /** Credentials whose refresh was cut off: to be refreshed before anything else. */
  openJournals(): readonly string[];
  facts(id: string): CredentialFacts | undefined;
  /** A client secret that the user entered or a registration gave; keyed like a credential. */
  readClientSecret(key: string): Promise<{ readonly kind: 'found'; readonly value: Secret } | { readonly kind: 'absent' } | StoreFault>;
  writeClientSecret(key: string, value: Secret): Promise<{ readonly kind: 'done' } | StoreFault>;
  deleteClientSecret(key: string): Promise<{ readonly kind: 'done' } | StoreFault>;
}
