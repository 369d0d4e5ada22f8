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
import { quarantine } from './quarantine.ts';
import { classifyFailure, failedBy, renewWithGrant } from './renew-with-grant.ts';
import { revokeAll } from './revoke-tokens.ts';
import { signInAgain } from './sign-in-again.ts';
import { successor } from './stored-credential.ts';

/**
 * The refresh transaction (docs/refresh.md). The refresh token is sent only after the store has proved that it accepts
 * writes, and the new access token is handed out only after its refresh token is stored and read back. An unclear
 * outcome changes nothing: the same token is sent again. Nothing here deletes, and nothing opens a browser.
 */
export async function refreshCredential(deps: RefreshDeps, subject: RefreshSubject): Promise<RefreshResult> {
  // 1. Read the credential again: it may have changed since the last refresh.
  const read = await subject.vaultLock.run(() => deps.vault.read(subject.id));
  if (read.kind === 'absent') return { kind: 'absent' };
  if (read.kind === 'damaged')
    return { kind: 'ended', final: false, error: new AppError('E_STORE_DAMAGED', 'The stored sign-in is damaged.') };
  if (read.kind !== 'found') return { kind: 'blocked', error: storeFault(read, 'The sign-in could not be read') };
  const { credential } = read;
  if (credential.quarantinedAt !== undefined) return { kind: 'ended', final: true, error: signInAgain() };
  const elsewhere = changedAddress(deps, credential);
  if (elsewhere) return { kind: 'ended', final: false, error: elsewhere };
  const { refreshToken, accessToken } = credential;
  if (credential.grant === undefined && refreshToken === undefined)
    return accessToken ? { kind: 'access_only', accessToken } : { kind: 'ended', final: true, error: signInAgain() };

  // 2. Find the endpoint and the client authentication.
  const client = await clientOf(deps, credential).catch((error: unknown) => asAppError(error));
  if (client instanceof AppError) return classifyFailure(client);
  return refreshToken === undefined
    ? renewWithGrant(deps, subject, credential, client)
    : useRefreshToken(deps, subject, client, { ...credential, refreshToken });
}

async function useRefreshToken(
  deps: RefreshDeps,
  subject: RefreshSubject,
  client: TokenClient,
  credential: Credential & { readonly refreshToken: Secret },
): Promise<RefreshResult> {
  const sent = await deps.refreshLimit.run(() => sendRefreshToken(deps, subject, client, credential));
  if (sent === 'superseded') return { kind: 'superseded' };
  switch (sent.kind) {
    case 'locked':
    case 'denied':
    case 'unavailable':
      return { kind: 'blocked', error: storeFault(sent, 'The sign-in cannot be renewed until it can be stored') };
    case 'refreshed': {
      // 5. Store and read back before the token is handed out.
      const { accessToken, expiresInMs, refreshToken } = sent.tokens;
      const next = successor(credential, sent.tokens, deps.clock.now());
      if (next.identityNotes !== credential.identityNotes) deps.log('other_id_token', { credential: next.id });
      if ((await save(deps, subject, client, next, accessToken)) === 'superseded') return { kind: 'superseded' };
      deps.log('refreshed', {
        credential: next.id,
        generation: credential.generation + 1,
        token: refreshToken,
        rotated: refreshToken !== undefined,
      });
      return { kind: 'refreshed', accessToken, expiresInMs };
    }
    case 'unreachable':
      // 6. Unclear: send the same token again later, or its successor if the broken response contained one.
      if (sent.rotated) await save(deps, subject, client, { ...credential, refreshToken: sent.rotated }, undefined);
      return subject.superseded() === 'no' ? failedBy(sent) : { kind: 'superseded' };
    case 'client_refused':
      return { kind: 'client_refused', error: sent.error };
    case 'rejected':
      // 7. `invalid_grant`.
      return subject.vaultLock.run(() => quarantine(deps, subject, credential, sent.error));
  }
}

async function sendRefreshToken(
  { vault, log, http, clock, readResponse }: RefreshDeps,
  { vaultLock, superseded }: RefreshSubject,
  client: TokenClient,
  credential: Credential & { readonly refreshToken: Secret },
): Promise<RefreshOutcome | StoreFault | 'superseded'> {
  const { id, generation, refreshToken } = credential;
  // 3. Open the journal: it proves that the store accepts writes, and tells the next start if this process dies.
  const journal = await vaultLock.run(async () =>
    superseded() === 'no' ? vault.openJournal(id, generation) : ('superseded' as const),
  );
  if (journal === 'superseded' || journal.kind !== 'done') return journal;
  // 4. The one request. Not cancellable: the token may already be rotated.
  log('refresh_sent', { credential: id, generation, token: refreshToken });
  return refresh(
    client,
    refreshToken,
    credential.quirks?.scopeOnRefresh ? { scopes: credential.requestedScopes } : {},
    { http, clock, ...defined({ readResponse: readResponse?.(credential) }) },
  );
}

/** Retries every second until the store accepts it: the old token is used up, and the new one is only in memory. */
async function save(
  { vault, clock, http, log }: RefreshDeps,
  subject: RefreshSubject,
  client: TokenClient,
  next: Credential,
  accessToken: Secret | undefined,
): Promise<'saved' | 'superseded'> {
  for (;;) {
    const written = await subject.vaultLock.run(async () =>
      subject.superseded() === 'no' ? vault.write(next) : ('superseded' as const),
    );
    if (written === 'superseded') {
      // After a sign-out the late tokens must not stay valid at the server.
      if (subject.superseded() === 'signed_out') await revokeAll(client, next.refreshToken, accessToken, http);
      return 'superseded';
    }
    if (written.kind === 'done') return 'saved';
    log('refresh_not_stored', { credential: next.id, kind: written.kind });
    const { message } = storeFault(written, 'The renewed sign-in could not be stored yet');
    subject.onUnsaved(new AppError('E_STORE_WRITE', message));
    if (subject.closing()) return 'superseded';
    await new Promise<void>((resolve) => void clock.after(1_000, resolve));
  }
}
