import { asAppError, AppError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import type { Vault } from '../../vault/credentials.ts';
import { storeFault } from '../../vault/store-fault.ts';
import { displayUrl } from '../endpoint-url.ts';
import { identityAfterRefresh } from '../identity/identity.ts';
import { endAfterRefresh } from './refresh-token-expiry.ts';
import type { Semaphore } from '../../base/semaphore.ts';
import type { TokenResponseReader } from '../model.ts';
import { refresh, revoke } from '../token-endpoint/token-endpoint.ts';
import type { Clock } from '../../base/clock.ts';
import type { StoreFault } from '../../vault/secret-store.ts';
import type { Http, AddressPolicy } from '../../http/http.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Tokens, RefreshOutcome, TokenClient, Grants } from '../model.ts';

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
  /** Where its tokens would be sent now; undefined: to no server. Absent: nobody can have changed that. */
  readonly serverUrlOf?: (credentialId: string) => string | undefined;
  /** For credentials that need no person, and for clients with a key; absent: there are none. */
  readonly grants?: Grants;
  /** Reads the answer to a refresh of this credential, where it is no plain one. */
  readonly readAnswer?: (credential: Credential) => TokenResponseReader;
  /** Limits how many refreshes go on at once, over all credentials. */
  readonly slots: Semaphore;
}

/** One credential, and who has acted on it since. */
export interface RefreshSubject {
  readonly id: string;
  /** Turns at the vault: a refresh, a sign-in and a sign-out never write at the same time. */
  readonly turn: Semaphore;
  /** Whether the result is still wanted; a sign-in or sign-out meanwhile counts more. */
  readonly superseded: () => 'no' | 'signed_in' | 'signed_out';
  /** Whether the app is ending: then a token that cannot be stored is not waited for without end. */
  readonly closing: () => boolean;
  /** The server has answered, and the store does not take the new token. Called at each attempt. */
  readonly onUnsaved: (error: AppError) => void;
}

export type RefreshResult =
  | { readonly kind: 'refreshed'; readonly accessToken: Secret; readonly expiresInMs: number | undefined }
  /** There is no refresh token: the stored access token is all there is. */
  | { readonly kind: 'access_only'; readonly accessToken: Secret; readonly header?: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'superseded' }
  /**
   * Only a person can go on. `final: false`: what is wrong may be put right from outside; it is not looked for before
   * `pauseMs` are over.
   */
  | { readonly kind: 'ended'; readonly error: AppError; readonly final: boolean; readonly pauseMs?: number }
  | { readonly kind: 'client_refused'; readonly error: AppError }
  /** A passing fault of network or server; or a refusal that may pass, and what makes two of them equal. */
  | { readonly kind: 'failed'; readonly error: AppError; readonly refusal?: string }
  | { readonly kind: 'blocked'; readonly error: AppError };

/**
 * The refresh transaction (docs/refresh.md). The refresh token is spent only after the store has proved that it takes
 * writes, and the new access token is handed out only after its refresh token is stored and read back. An unclear
 * outcome changes nothing: the same token is sent again. Nothing here deletes, and nothing opens a browser.
 */
export async function refreshCredential(deps: RefreshDeps, subject: RefreshSubject): Promise<RefreshResult> {
  const { vault, log, clock, http } = deps;
  const { id, turn, superseded } = subject;

  // 1. What is stored now; somebody may have changed it since the last time.
  const read = await turn.run(() => vault.read(id));
  if (read.kind === 'absent') return { kind: 'absent' };
  if (read.kind === 'damaged')
    return { kind: 'ended', final: false, error: new AppError('E_STORE_DAMAGED', 'The stored sign-in is damaged.') };
  if (read.kind !== 'found') return { kind: 'blocked', error: storeFault(read, 'The sign-in cannot be read') };
  const { credential } = read;
  if (credential.quarantinedAt !== undefined) return { kind: 'ended', final: true, error: signInAgain() };
  const elsewhere = changedAddress(deps, credential);
  if (elsewhere) return { kind: 'ended', final: false, error: elsewhere };
  if (credential.grant === undefined && credential.refreshToken === undefined) return accessOnly(credential);

  // 2. Which endpoint, and which client.
  const client = await clientOf(deps, credential).catch((error: unknown) => asAppError(error));
  if (client instanceof AppError) return hindrance(client);
  const { refreshToken } = credential;
  if (refreshToken === undefined) return askAgain(deps, subject, credential, client);

  const sent = await deps.slots.run(async (): Promise<RefreshOutcome | StoreFault | 'superseded'> => {
    // 3. The journal: proof that the store takes writes, and a note for the next start if this process dies.
    const journal = await turn.run(async () =>
      superseded() === 'no' ? vault.openJournal(id, credential.generation) : ('superseded' as const),
    );
    if (journal === 'superseded' || journal.kind !== 'done') return journal;
    // 4. The one request. Nobody's cancel stops it.
    log('refresh_sent', { credential: id, generation: credential.generation, token: refreshToken });
    return refresh(
      client,
      refreshToken,
      credential.quirks?.scopeOnRefresh ? { scopes: credential.requestedScopes } : {},
      { http, clock, ...(deps.readAnswer ? { readAnswer: deps.readAnswer(credential) } : {}) },
    );
  });
  if (sent === 'superseded') return { kind: 'superseded' };

  switch (sent.kind) {
    case 'locked':
    case 'denied':
    case 'unavailable':
      return { kind: 'blocked', error: storeFault(sent, 'The sign-in is not renewed before it can be stored') };
    case 'refreshed': {
      // 5. Stored and read back, and only then handed out.
      const next = successor(credential, sent.tokens, clock.now());
      if (next.identityNotes !== credential.identityNotes) log('other_id_token', { credential: id });
      const saved = await save(deps, subject, client, next, sent.tokens.accessToken);
      if (saved !== 'saved') return { kind: 'superseded' };
      log('refreshed', {
        credential: id,
        generation: credential.generation + 1,
        token: sent.tokens.refreshToken,
        rotated: sent.tokens.refreshToken !== undefined,
      });
      return { kind: 'refreshed', accessToken: sent.tokens.accessToken, expiresInMs: sent.tokens.expiresInMs };
    }
    case 'unreachable':
      // 6. Unclear: the same token again later; or its successor, where the broken answer held one.
      if (sent.rotated) await save(deps, subject, client, { ...credential, refreshToken: sent.rotated }, undefined);
      return superseded() === 'no' ? failed(sent) : { kind: 'superseded' };
    case 'client_refused':
      return { kind: 'client_refused', error: sent.error };
    case 'rejected':
      return turn.run(() => quarantine(deps, subject, credential, sent.error));
  }
}

/**
 * The list of servers is a file that other programs of the user can write. What is kept in the store of secrets says
 * which address the sign-in was for, and its tokens are not sent to another one that somebody put in its place.
 */
export function changedAddress(
  { serverUrlOf }: Pick<RefreshDeps, 'serverUrlOf'>,
  { id, serverUrl, grant }: Pick<Credential, 'id' | 'serverUrl' | 'grant'>,
): AppError | undefined {
  const now = serverUrlOf?.(id);
  if (serverUrl === undefined || now === undefined || now === serverUrl) return undefined;
  // A key that the user entered is for the whole origin (grants/static-header.ts).
  if (grant === 'static_header' && new URL(now).origin === new URL(serverUrl).origin) return undefined;
  return new AppError(
    'E_SIGN_IN_AGAIN',
    `The sign-in was for ${displayUrl(new URL(serverUrl))}; the list of servers has another address now.`,
  );
}

/** Tries each second until the store takes it: the predecessor is spent, so this copy in memory is the only one. */
async function save(
  { vault, clock, http, log }: RefreshDeps,
  subject: RefreshSubject,
  client: TokenClient,
  next: Credential,
  accessToken: Secret | undefined,
): Promise<'saved' | 'superseded'> {
  for (;;) {
    const written = await subject.turn.run(async () =>
      subject.superseded() === 'no' ? vault.write(next) : ('superseded' as const),
    );
    if (written === 'superseded') {
      // Signed out meanwhile: the late token must not live on at the server (last act wins).
      if (subject.superseded() === 'signed_out') await revokeAll(client, next.refreshToken, accessToken, http);
      return 'superseded';
    }
    if (written.kind === 'done') return 'saved';
    log('refresh_not_stored', { credential: next.id, kind: written.kind });
    subject.onUnsaved(
      new AppError('E_STORE_WRITE', storeFault(written, 'The renewed sign-in is not stored yet').message),
    );
    if (subject.closing()) return 'superseded';
    await new Promise<void>((resolve) => void clock.after(1_000, resolve));
  }
}

/** 7. `invalid_grant`: looks once more whether somebody else moved on, else keeps the credential aside, for a look. */
async function quarantine(
  { vault, clock, log }: RefreshDeps,
  { id, superseded }: RefreshSubject,
  refused: Credential,
  error: AppError,
): Promise<RefreshResult> {
  if (superseded() !== 'no') return { kind: 'superseded' };
  const now = await vault.read(id);
  if (
    now.kind === 'found' &&
    now.credential.refreshToken &&
    refused.refreshToken &&
    !now.credential.refreshToken.equals(refused.refreshToken)
  ) {
    return { kind: 'failed', error };
  }
  log('credential_quarantined', { credential: id, generation: refused.generation, token: refused.refreshToken });
  const kept = await vault.write({ ...refused, quarantinedAt: clock.now() });
  if (kept.kind === 'done') await vault.closeJournal(id);
  return { kind: 'ended', final: true, error: signInAgain(error) };
}

/** Without a refresh token: what the user entered is used once more. Nothing is spent, so nothing is noted before. */
async function askAgain(
  deps: RefreshDeps,
  subject: RefreshSubject,
  credential: Credential,
  client: TokenClient,
): Promise<RefreshResult> {
  const { grants, http, clock, log } = deps;
  if (!grants) return { kind: 'ended', final: false, error: signInAgain() };
  try {
    if (credential.grant === 'static_header') {
      const { name, value } = await grants.header(credential);
      return { kind: 'access_only', accessToken: value, header: name };
    }
    await grants.prepare(credential);
    const sent = await deps.slots.run(() => grants.ask(credential, client, { http, clock }));
    log('asked_again', { credential: credential.id, grant: credential.grant, outcome: sent.kind });
    switch (sent.kind) {
      case 'refreshed':
        return { kind: 'refreshed', accessToken: sent.tokens.accessToken, expiresInMs: sent.tokens.expiresInMs };
      case 'unreachable':
        return failed(sent);
      case 'client_refused':
        return { kind: 'client_refused', error: sent.error };
      case 'rejected':
        return await subject.turn.run(() => quarantine(deps, subject, credential, sent.error));
    }
  } catch (error) {
    return hindrance(asAppError(error));
  }
}

const failed = ({ error, refusal }: Extract<RefreshOutcome, { kind: 'unreachable' }>): RefreshResult => ({
  kind: 'failed',
  error,
  ...(refusal === undefined ? {} : { refusal }),
});

/** Why nothing was sent: the store, what the user entered, or the network. */
function hindrance(error: AppError): RefreshResult {
  if (error.code.startsWith('E_STORE_')) return { kind: 'blocked', error };
  // Signing in again at the company puts this right for all of its servers; a secret that is entered again, for this
  // one.
  return ['E_BAD_INPUT', 'E_SIGN_IN_AGAIN', 'E_SECRET_AGAIN', 'E_HOSTS_UNCONFIRMED'].includes(error.code)
    ? { kind: 'ended', final: false, error }
    : { kind: 'failed', error };
}

/**
 * Who we are at the credential's token endpoint, with the key or secret that lies apart from it. Throws what
 * `Grants.equip` and `policyOf` do.
 */
export async function clientOf(
  { policyOf, grants }: Pick<RefreshDeps, 'policyOf' | 'grants'>,
  credential: Credential,
): Promise<TokenClient> {
  if (credential.grant === 'static_header') return tokenClient(credential, []);
  const client = tokenClient(credential, await policyOf(credential));
  return grants ? grants.equip(credential, client) : client;
}

/**
 * What the vault keeps after a refresh: the old refresh token where no new one came (RFC 6749 6), and who signed in.
 */
function successor(credential: Credential, tokens: Tokens, now: number): Credential {
  const identityNotes = identityAfterRefresh(credential, tokens.idToken);
  const { endsAt: endedAt, ...before } = credential;
  const endsAt = endAfterRefresh(endedAt, tokens, now);
  return {
    ...before,
    grantedScopes: tokens.scopes ?? credential.grantedScopes,
    lastRefreshAt: now,
    ...(tokens.refreshToken ? { refreshToken: tokens.refreshToken } : {}),
    ...(endsAt === undefined ? {} : { endsAt }),
    ...(identityNotes ? { identityNotes } : {}),
  };
}

/** Without a refresh token the access token itself is the credential, and is kept. */
export function withLongLived(
  credential: Credential,
  accessToken: Secret,
  expiresInMs: number | undefined,
  now: number,
): Credential {
  const { accessToken: _accessToken, expiresAt: _expiresAt, ...rest } = credential;
  if (credential.refreshToken || credential.grant) return rest;
  return { ...rest, accessToken, ...(expiresInMs === undefined ? {} : { expiresAt: now + expiresInMs }) };
}

function accessOnly({ accessToken }: Credential): RefreshResult {
  return accessToken ? { kind: 'access_only', accessToken } : { kind: 'ended', final: true, error: signInAgain() };
}

/** The credential's side of a token endpoint. */
export function tokenClient(credential: Credential, allow: AddressPolicy): TokenClient {
  const {
    issuer,
    tokenEndpoint,
    revocationEndpoint,
    introspectionEndpoint,
    clientId,
    clientSecret,
    clientAuth,
    resource,
    quirks,
  } = credential;
  return {
    issuer,
    tokenEndpoint,
    clientId,
    clientAuth,
    resource,
    allow,
    ...(revocationEndpoint === undefined ? {} : { revocationEndpoint }),
    ...(introspectionEndpoint === undefined ? {} : { introspectionEndpoint }),
    ...(clientSecret ? { clientSecret } : {}),
    ...(quirks ? { quirks } : {}),
  };
}

/** Both tokens of a grant; says what the server said about the one that matters. */
export async function revokeAll(
  client: TokenClient,
  refreshToken: Secret | undefined,
  accessToken: Secret | undefined,
  http: Http,
  onRefusal?: (words: string) => void,
): Promise<'confirmed' | 'not_offered' | 'failed'> {
  const options = { http, ...(onRefusal ? { onRefusal } : {}) };
  const [first, second] = await Promise.all([
    refreshToken ? revoke(client, refreshToken, 'refresh_token', options) : undefined,
    accessToken ? revoke(client, accessToken, 'access_token', options) : undefined,
  ]);
  return first ?? second ?? 'failed';
}

export function signInAgain(cause?: AppError): AppError {
  return new AppError(
    'E_SIGN_IN_AGAIN',
    cause
      ? `The authorization server ended the sign-in. ${cause.message}`
      : 'The authorization server ended the sign-in.',
  );
}
