import type { SignOutReport } from '../../../../shared/model.ts';
import type { Secret } from '../../base/secret.ts';
import type { CredentialRead } from '../../vault/credentials.ts';
import { storeFault } from '../../vault/store-fault.ts';
import { clientOf } from './credential-client.ts';
import type { RefreshDeps } from './model.ts';
import { revokeAll } from './revoke-tokens.ts';

/**
 * Revokes at the server (RFC 7009), then deletes from the store, and says what worked. Deleting does not wait for a
 * server that is away; what cannot be deleted now is deleted as soon as the store allows it.
 */
export async function signOutOf(
  deps: Pick<RefreshDeps, 'vault' | 'http' | 'policyOf' | 'grants' | 'log'>,
  id: string,
  accessToken: Secret | undefined,
): Promise<SignOutReport> {
  const read = await deps.vault.read(id);
  let said = '';
  const revoked = await revokeStored(deps, read, accessToken, (words) => (said ||= words));
  const deleted = await deps.vault.delete(id);
  deps.log('signed_out', { credential: id, revoked, deleted: deleted.kind });
  const report: SignOutReport = { revoked, deleted: deleted.kind === 'done' };
  if (deleted.kind !== 'done') {
    report.detail = `${storeFault(deleted, 'The sign-in is not deleted yet').message} It is not used any more, and goes as soon as the store can be used.`;
  } else if (revoked === 'failed') {
    report.detail = `The authorization server did not confirm it${said === '' ? '' : ` (${said})`}; the old tokens may work until they expire.`;
  }
  return report;
}

async function revokeStored(
  deps: Pick<RefreshDeps, 'http' | 'policyOf' | 'grants'>,
  read: CredentialRead,
  accessToken: Secret | undefined,
  onRefusal: (words: string) => void,
): Promise<SignOutReport['revoked']> {
  if (read.kind === 'absent') return 'nothing_to_revoke';
  if (read.kind !== 'found') return 'failed';
  const { credential } = read;
  if (credential.grant === 'static_header') return 'key_stays';
  const client = await clientOf(deps, credential).catch(() => undefined);
  if (!client) return credential.revocationEndpoint === undefined ? 'not_offered' : 'failed';
  return revokeAll(client, credential.refreshToken, accessToken ?? credential.accessToken, deps.http, onRefusal);
}
