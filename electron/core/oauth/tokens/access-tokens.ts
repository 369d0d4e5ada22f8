import type { SignOutReport } from '../../../../shared/model.ts';
import { within } from '../../base/async.ts';
import type { Clock } from '../../base/clock.ts';
import type { AppError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import { createSemaphore } from '../../base/semaphore.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Vault } from '../../vault/credentials.ts';
import type { Grants, TokenResult, TokenState } from '../model.ts';
import type { CachedToken } from './cached-token.ts';
import type { CallOptions, RefreshDeps, TokenSource, TokenSourceDeps } from './model.ts';
import { createTokenSource } from './token-source.ts';

/** The access tokens of all credentials: one token source per credential, created on first use. */
export interface AccessTokens {
  /**
   * Returns an access token that the server has not rejected yet, refreshed first where necessary. Concurrent calls
   * share one refresh. Never opens a browser.
   */
  accessToken(credentialId: string, options?: CallOptions): Promise<TokenResult>;
  /**
   * Stores a new sign-in, reads it back, then makes the token usable. Throws E_STORE_*; throws E_TOKEN_AUDIENCE after
   * it is stored, and the token is withheld until a user accepts its audience.
   */
  adopt(credential: Credential, accessToken: Secret, expiresInMs: number | undefined): Promise<void>;
  /** Refreshes now, without waiting for the back-off. */
  refreshNow(credentialId: string): Promise<TokenResult>;
  /**
   * Checks the audience of the token again, after the settings of its server have changed. Returns true when a token
   * that was withheld is usable now.
   */
  reviewAudience(credentialId: string): boolean;
  /** Refreshes ahead of expiry until the returned function is called. */
  keepFresh(credentialId: string): () => void;
  /** Revokes at the authorization server (RFC 7009), then deletes. The result of a refresh in flight is discarded. */
  signOut(credentialId: string): Promise<SignOutReport>;
  /** Reports that the MCP server accepted this access token. Cheap: called for each response. */
  accepted(credentialId: string, token: Secret): void;
  /**
   * After a 401 to a token that the MCP server may not know yet: how long to wait before the token is sent again, in
   * ms. Returns undefined when the token is not new.
   */
  newTokenPauseMs(credentialId: string, token: Secret): number | undefined;
  /**
   * Reports a refusal that may or may not be about this token. Starts a refresh in the background if the token's expiry
   * is unknown or the server `saysInvalid`, at a limited rate.
   */
  doubt(credentialId: string, token: Secret, saysInvalid?: boolean): void;
  state(credentialId: string): TokenState;
  /** The newest access token in memory, for display only. Never fetches one. */
  current(credentialId: string): Pick<CachedToken, 'token' | 'receivedAt' | 'expiresAt'> | undefined;
  /** Repeats the refreshes that the last process did not finish (the journal). Call once, before anything else. */
  start(): Promise<void>;
  /** Stops all timers; waits up to 5 s until refreshes in flight are stored. */
  close(): Promise<void>;
}

export interface AccessTokensDeps {
  /** Returns the HTTP client with the certificates of the credential's server. */
  readonly httpOf: (credentialId: string) => Http;
  readonly clock: Clock;
  readonly log: Log;
  readonly vault: Vault;
  readonly onWake: (listener: () => void) => () => void;
  readonly grants: Grants;
  /** Whether this credential of the vault belongs to this instance. */
  readonly owns: (credentialId: string) => boolean;
  /** See RefreshDeps. */
  readonly readResponse?: NonNullable<RefreshDeps['readResponse']>;
  /** See RefreshDeps. */
  readonly policyOf: (credential: Credential) => Promise<AddressPolicy>;
  /** See TokenSourceDeps. */
  readonly movedFrom: (credentialId: string) => Promise<AppError | undefined>;
  /** See RefreshDeps. */
  readonly serverUrlOf: RefreshDeps['serverUrlOf'];
  /** See TokenSourceDeps. */
  readonly audienceFault: (credentialId: string, token: Secret) => AppError | undefined;
  /** See TokenSourceDeps. */
  readonly onRecovered: (credentialId: string) => void;
  /** Called when the state of this credential may have changed. */
  readonly onChange: (credentialId: string) => void;
  /** For jitter. Defaults to Math.random. */
  readonly random?: () => number;
}

/** Over all credentials: 200 tokens that expired overnight must not look like an attack. */
const maxConcurrentRefreshes = 8;
const closeTimeoutMs = 5_000;

export function createAccessTokens({ random = Math.random, ...rest }: AccessTokensDeps): AccessTokens {
  const { vault, clock, httpOf } = rest;
  const sources = new Map<string, TokenSource>();
  const background = new Set<Promise<unknown>>();
  let closing = false;
  const shared: Omit<TokenSourceDeps, 'http'> = {
    ...rest,
    random,
    refreshLimit: createSemaphore(maxConcurrentRefreshes),
    closing: () => closing,
  };

  const sourceOf = (id: string): TokenSource => {
    const known = sources.get(id);
    if (known) return known;
    const source = createTokenSource({ ...shared, http: httpOf(id) }, id);
    sources.set(id, source);
    return source;
  };
  const stopListening = rest.onWake(() => {
    for (const source of sources.values()) source.wake();
  });

  return {
    accessToken: (id, options) => sourceOf(id).accessToken(options),
    adopt: (credential, accessToken, expiresInMs) =>
      sourceOf(credential.id).adopt(credential, accessToken, expiresInMs),
    refreshNow: (id) => sourceOf(id).refreshNow(),
    reviewAudience: (id) => sourceOf(id).reviewAudience(),
    keepFresh: (id) => sourceOf(id).keepFresh(),
    signOut: (id) => sourceOf(id).signOut(),
    accepted: (id, token) => sourceOf(id).accepted(token),
    newTokenPauseMs: (id, token) => sourceOf(id).newTokenPauseMs(token),
    doubt: (id, token, saysInvalid) => sourceOf(id).doubt(token, saysInvalid),
    state: (id) => sourceOf(id).state(),
    current: (id) => sourceOf(id).current(),

    async start() {
      // The server may have rotated a token whose successor was never stored, and accepts the old one only for a short
      // time (docs/refresh.md).
      for (const id of vault.openJournals()) if (rest.owns(id)) sourceOf(id).resume();
      background.add(vault.sweep());
    },

    async close() {
      stopListening();
      const idle = [...sources.values()].map((source) => source.idle());
      await within(clock, closeTimeoutMs, Promise.all([...background, ...idle]));
      closing = true;
      for (const source of sources.values()) source.drop();
    },
  };
}
