import { clientSecretMethod } from './client-secret.ts';
import type { ClientAuth } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';

/**
 * The client authentication that the user chose for the entered client. A private key of one account implies
 * `private_key_jwt` for that account; the setting is for all accounts.
 */
export function chosenAuth({ settings, storedSecrets, account }: Server): ClientAuth | undefined {
  return account.ownClient && storedSecrets.includes('privateKey') && settings.clientCertificateFile === undefined
    ? 'private_key_jwt'
    : settings.clientAuth;
}

/**
 * What the user chose; else the client certificate if the server accepts it (RFC 8705), then a key, then a secret. A
 * key comes first because it is never sent.
 */
export function clientAuthOf(server: Server, methods: readonly string[] | undefined): ClientAuth {
  const { settings, storedSecrets, hasClientSecret } = server;
  const chosen = chosenAuth(server);
  if (chosen !== undefined) return chosen;
  if (settings.clientCertificateFile !== undefined && methods?.some((method) => method.endsWith('tls_client_auth')))
    return 'tls_client_auth';
  if (storedSecrets.includes('privateKey')) return 'private_key_jwt';
  return hasClientSecret ? clientSecretMethod(methods) : 'none';
}
