import type { SignOutReport } from '../../../../shared/model.ts';
import type { AppError } from '../../base/errors.ts';
import { within } from '../../base/async.ts';
import type { Log } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import type { Vault } from '../../vault/credentials.ts';
import { createTokenSource } from './token-source.ts';
import type { CachedToken } from './cached-token.ts';
import type { RefreshDeps, TokenSource } from './model.ts';
import { createSemaphore } from '../../base/semaphore.ts';
import type { Clock } from '../../base/clock.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';
import type { Credential } from '../../vault/credential.ts';
import type { TokenResult, TokenState, Grants } from '../model.ts';

/** The REFRESH PATH, for all credentials. */
export interface AccessTokens {
  /**
   * An access token that was not refused yet, refreshed first where needed. Joins a refresh that is already running.
   * `rejected`: the token that the server just answered 401 to. `waitMs`: how long to wait at most, 20 s when absent.
   * Never opens a browser.
   */
  accessToken(
    credentialId: string,
    options?: { readonly rejected?: Secret; readonly signal?: AbortSignal; readonly waitMs?: number },
  ): Promise<TokenResult>;
  /**
   * A fresh sign-in: stores the credential, reads it back, then makes the token usable. Throws E_STORE_*, and
   * E_TOKEN_AUDIENCE once it is stored: the token is kept back until a person accepts its audience.
   */
  adopt(credential: Credential, accessToken: Secret, expiresInMs: number | undefined): Promise<void>;
  /** Refreshes now, whatever the back-off says. */
  refreshNow(credentialId: string): Promise<TokenResult>;
  /**
   * The settings of the server are others: judges the audience of its token again. True: a token that was kept back is
   * usable now.
   */
  reviewAudience(credentialId: string): boolean;
  /** While at least one holder exists, the refresh runs ahead of expiry. Returns a function that releases it. */
  keepFresh(credentialId: string): () => void;
  /** Revokes at the server (RFC 7009), then deletes. The last act wins over a refresh in flight. */
  signOut(credentialId: string): Promise<SignOutReport>;
  /** The MCP server took this access token. Cheap: called for each answer. */
  accepted(credentialId: string, token: Secret): void;
  /**
   * After a 401 to this token: how long to wait before it is sent again, because it is newer than the server may know,
   * in ms.
   */
  newTokenPauseMs(credentialId: string, token: Secret): number | undefined;
  /**
   * The MCP server refused in a way that may or may not be for this token: refreshes behind it where its life is not
   * known or it was `said` to be over, not too often.
   */
  doubt(credentialId: string, token: Secret, said?: boolean): void;
  state(credentialId: string): TokenState;
  /** The newest access token in memory, to be looked at and not to be used. Never fetches one. */
  current(credentialId: string): Pick<CachedToken, 'token' | 'receivedAt' | 'expiresAt'> | undefined;
  /** Starts what an interrupted refresh left (the journal). Call once, before anything else. */
  start(): Promise<void>;
  /** Ends timers; waits for a refresh in flight to be stored (at most 5 s). */
  close(): Promise<void>;
}

export interface AccessTokensDeps {
  /** The client with the certificates of the credential's server. */
  readonly httpOf: (credentialId: string) => Http;
  readonly clock: Clock;
  readonly log: Log;
  readonly vault: Vault;
  readonly onWake: (listener: () => void) => () => void;
  readonly grants: Grants;
  /** Which credentials of the vault are its own: each has one token source. */
  readonly owns: (credentialId: string) => boolean;
  /** See RefreshDeps. */
  readonly readResponse?: NonNullable<RefreshDeps['readResponse']>;
  /** What may be connected to for this credential. */
  readonly policyOf: (credential: Credential) => Promise<AddressPolicy>;
  /** See TokenSourceDeps. */
  readonly movedFrom: (credentialId: string) => Promise<AppError | undefined>;
  /** See RefreshDeps. */
  readonly serverUrlOf: RefreshDeps['serverUrlOf'];
  /** See TokenSourceDeps. */
  readonly audienceFault: (credentialId: string, token: Secret) => AppError | undefined;
  /** See TokenSourceDeps. */
  readonly onRecovered: (credentialId: string) => void;
  /** The state of this credential may be another now. */
  readonly onChange: (credentialId: string) => void;
  /** For jitter; Math.random when absent. */
  readonly random?: () => number;
}

/**
 * Refreshes that go on at once over all credentials: a morning with 200 expired tokens must not look like an attack.
 */
const refreshesAtOnce = 8;
/** Time for a refresh in flight to be stored when the app ends. */
const closingMs = 5_000;

export function createAccessTokens({ random = Math.random, ...rest }: AccessTokensDeps): AccessTokens {
  const { vault, clock } = rest;
  const all = new Map<string, TokenSource>();
  const background = new Set<Promise<unknown>>();
  let closing = false;
  const deps = { ...rest, random, slots: createSemaphore(refreshesAtOnce), closing: () => closing };

  const tokensOf = (id: string): TokenSource => {
    const known = all.get(id);
    if (known) return known;
    const tokens = createTokenSource({ ...deps, http: deps.httpOf(id) }, id);
    all.set(id, tokens);
    return tokens;
  };
  const endWakes = rest.onWake(() => {
    for (const tokens of all.values()) tokens.woke();
  });

  return {
    accessToken: (id, options) => tokensOf(id).accessToken(options),
    adopt: (credential, accessToken, expiresInMs) =>
      tokensOf(credential.id).adopt(credential, accessToken, expiresInMs),
    refreshNow: (id) => tokensOf(id).refreshNow(),
    reviewAudience: (id) => tokensOf(id).reviewAudience(),
    keepFresh: (id) => tokensOf(id).keepFresh(),
    signOut: (id) => tokensOf(id).signOut(),
    accepted: (id, token) => tokensOf(id).accepted(token),
    newTokenPauseMs: (id, token) => tokensOf(id).newTokenPauseMs(token),
    doubt: (id, token, said) => tokensOf(id).doubt(token, said),
    state: (id) => tokensOf(id).state(),
    current: (id) => tokensOf(id).current(),

    async start() {
      // The server may have rotated a token whose successor never reached the store: each second counts
      // (docs/refresh.md).
      for (const id of vault.openJournals()) if (rest.owns(id)) tokensOf(id).resume();
      background.add(vault.sweep());
    },

    async close() {
      endWakes();
      await within(clock, closingMs, Promise.all([...background, ...[...all.values()].map((tokens) => tokens.idle())]));
      closing = true;
      for (const tokens of all.values()) tokens.drop();
    },
  };
}
