import type { Credential } from '../../vault/credential.ts';
import type { TokenClient } from '../model.ts';
import { clientOfCredential } from '../token-endpoint/token-client.ts';
import type { RefreshDeps } from './model.ts';

/**
 * The client at the credential's token endpoint, with the key or secret that is stored apart from it. Throws what
 * `Grants.withClientAuth` and `policyOf` throw.
 */
export async function clientOf(
  { policyOf, grants }: Pick<RefreshDeps, 'policyOf' | 'grants'>,
  credential: Credential,
): Promise<TokenClient> {
  if (credential.grant === 'static_header') return clientOfCredential(credential, []);
  return grants.withClientAuth(credential, clientOfCredential(credential, await policyOf(credential)));
}
