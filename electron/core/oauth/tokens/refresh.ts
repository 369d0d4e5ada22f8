import { defined } from '../../../../shared/defined.ts';
import { asAppError, AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { Credential } from '../../vault/credential.ts';
import type { StoreFault } from '../../vault/secret-store.ts';
import { storeFault } from '../../vault/store-fault.ts';
import type { RefreshOutcome, TokenClient } from '../model.ts';
import { refresh } from '../token-endpoint/token-endpoint.ts';
import { changedAddress } from './changed-address.ts';
import { clientOf } from './credential-client.ts';
import type { RefreshDeps, RefreshResult, RefreshSubject } from './model.ts';
import { revokeAll } from './revoke-tokens.ts';
import { signInAgain } from './sign-in-again.ts';
import { successor } from './stored-credential.ts';

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
  if (client instanceof AppError) return classifyFailure(client);
  const { refreshToken } = credential;
  if (refreshToken === undefined) return repeat(deps, subject, credential, client);

  const sent = await deps.slots.run(async (): Promise<RefreshOutcome | StoreFault | 'superseded'> => {
    // 3. The journal: proof that the store takes writes, and a note for the next start if this process dies.
    const journal = await turn.run(async () =>
      superseded() === 'no' ? vault.openJournal(id, credential.generation) : ('superseded' as const),
    );
    if (journal === 'superseded' || journal.kind !== 'done') return journal;
    // 4. The one request. Not cancellable: the token may already be rotated.
    log('refresh_sent', { credential: id, generation: credential.generation, token: refreshToken });
    return refresh(
      client,
      refreshToken,
      credential.quirks?.scopeOnRefresh ? { scopes: credential.requestedScopes } : {},
      { http, clock, ...defined({ readResponse: deps.readResponse?.(credential) }) },
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
async function repeat(
  deps: RefreshDeps,
  subject: RefreshSubject,
  credential: Credential,
  client: TokenClient,
): Promise<RefreshResult> {
  const { grants, http, clock, log } = deps;
  try {
    if (credential.grant === 'static_header') {
      const { name, value } = await grants.header(credential);
      return { kind: 'access_only', accessToken: value, header: name };
    }
    await grants.prepare(credential);
    const sent = await deps.slots.run(() => grants.requestToken(credential, client, { http, clock }));
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
    return classifyFailure(asAppError(error));
  }
}

const failed = ({ error, refusal }: Extract<RefreshOutcome, { kind: 'unreachable' }>): RefreshResult => ({
  kind: 'failed',
  error,
  ...defined({ refusal }),
});

/** Why nothing was sent: the store, what the user entered, or the network. */
function classifyFailure(error: AppError): RefreshResult {
  if (error.code.startsWith('E_STORE_')) return { kind: 'blocked', error };
  // Signing in again at the company puts this right for all of its servers; a secret that is entered again, for this
  // one.
  return ['E_BAD_INPUT', 'E_SIGN_IN_AGAIN', 'E_SECRET_AGAIN', 'E_HOSTS_UNCONFIRMED'].includes(error.code)
    ? { kind: 'ended', final: false, error }
    : { kind: 'failed', error };
}

function accessOnly({ accessToken }: Credential): RefreshResult {
  return accessToken ? { kind: 'access_only', accessToken } : { kind: 'ended', final: true, error: signInAgain() };
}
