import { clientSecretMethod } from './client-secret.ts';
import type { ClientAuth } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';

/**
 * How the client that the user entered proves who it is, as far as they have said. A private key of the account's own
 * says it for that account; the setting is for all.
 */
export function chosenAuth({ settings, storedSecrets, account }: Server): ClientAuth | undefined {
  return account.ownClient && storedSecrets.includes('privateKey') && settings.clientCertificateFile === undefined
    ? 'private_key_jwt'
    : settings.clientAuth;
}

/**
 * As the user said; else the client certificate where the server takes it (RFC 8705), and a key before a secret, since
 * it never travels.
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
