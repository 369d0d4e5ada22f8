import { reportMessages } from '../../../../shared/messages/en/reports.ts';
import { translator } from '../../../../shared/messages/translator.ts';
import type { SignOutReport } from '../../../../shared/model.ts';
import type { Secret } from '../../base/secret.ts';
import type { CredentialRead } from '../../vault/credentials.ts';
import { storeFault } from '../../vault/store-fault.ts';
import { clientOf } from './credential-client.ts';
import type { RefreshDeps } from './model.ts';
import { revokeAll } from './revoke-tokens.ts';

const { t } = translator(reportMessages);

/**
 * Revokes at the authorization server (RFC 7009), then deletes from the store, and reports what worked. An unreachable
 * server does not prevent the deletion; what cannot be deleted now is deleted as soon as the store can be used.
 */
export async function signOutOf(
  deps: Pick<RefreshDeps, 'vault' | 'http' | 'policyOf' | 'grants' | 'log'>,
  id: string,
  accessToken: Secret | undefined,
): Promise<SignOutReport> {
  const read = await deps.vault.read(id);
  let refusal = '';
  const revoked = await revokeStored(deps, read, accessToken, (words) => (refusal ||= words));
  const deleted = await deps.vault.delete(id);
  deps.log('signed_out', { credential: id, revoked, deleted: deleted.kind });
  const report: SignOutReport = { revoked, deleted: deleted.kind === 'done' };
  if (deleted.kind !== 'done') {
    const { message } = storeFault(deleted, 'The sign-in could not be deleted yet');
    report.detail = `${message} ${t('signOut.deletedLater')}`;
  } else if (revoked === 'failed') {
    report.detail = refusal === '' ? t('signOut.notConfirmed') : t('signOut.notConfirmedBecause', { reason: refusal });
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
