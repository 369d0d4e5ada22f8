import type { AppError } from '../../base/errors.ts';
import type { Credential } from '../../vault/credential.ts';
import type { RefreshDeps, RefreshResult, RefreshSubject } from './model.ts';
import { signInAgain } from './sign-in-again.ts';

/**
 * After `invalid_grant`: sets the credential aside without deleting it. If another process has stored a newer refresh
 * token meanwhile, that one is tried instead. Call it with the vault lock.
 */
export async function quarantine(
  { vault, clock, log }: RefreshDeps,
  { id, superseded }: RefreshSubject,
  refused: Credential,
  error: AppError,
): Promise<RefreshResult> {
  if (superseded() !== 'no') return { kind: 'superseded' };
  const stored = await vault.read(id);
  if (
    stored.kind === 'found' &&
    stored.credential.refreshToken &&
    refused.refreshToken &&
    !stored.credential.refreshToken.equals(refused.refreshToken)
  ) {
    return { kind: 'failed', error };
  }
  log('credential_quarantined', { credential: id, generation: refused.generation, token: refused.refreshToken });
  const written = await vault.write({ ...refused, quarantinedAt: clock.now() });
  if (written.kind === 'done') await vault.closeJournal(id);
  return { kind: 'ended', final: true, error: signInAgain(error) };
}
