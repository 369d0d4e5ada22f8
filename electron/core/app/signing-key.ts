import { AppError } from '../base/errors.ts';
import { generateSigningKey, type PublicKey } from '../oauth/client-auth/signing-keys.ts';
import type { StoreSecrets } from './user-secrets.ts';
import type { Servers } from '../servers/servers.ts';
import type { Server } from '../servers/server.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';

export interface KeyRequest {
  readonly algorithm: NonNullable<ServerSettings['signingAlgorithm']>;
  /** Whether an existing key may be replaced. */
  readonly replace: boolean;
  /** The account that the user named; see `StoreSecrets`. */
  readonly account: string | undefined;
}

/**
 * Generates the key with which the client of this server authenticates (`private_key_jwt`, RFC 7523), and configures
 * the server to use it. Returns the public key. Throws E_BAD_INPUT if there is a key already, E_STORE_*,
 * E_CONFIG_WRITE.
 */
export async function makeSigningKey(
  deps: { readonly servers: Pick<Servers, 'find' | 'update'>; readonly storeSecrets: StoreSecrets },
  server: Server,
  { algorithm, replace, account }: KeyRequest,
): Promise<PublicKey> {
  const { name, settings, storedSecrets } = server;
  if (settings.clientCertificateFile !== undefined) {
    throw new AppError('E_BAD_INPUT', `${name} already uses the private key of its client certificate.`, {
      server: name,
      field: 'settings.clientCertificateFile',
    });
  }
  if (storedSecrets.includes('privateKey') && !replace) {
    throw new AppError(
      'E_BAD_INPUT',
      `${name} already has a private key. If you replace it, the server refuses Keybridge until the new key is ` +
        'registered there. To replace it, use --replace.',
      { server: name, field: 'replace' },
    );
  }
  const { secret, ...publicKey } = await generateSigningKey(algorithm);
  await deps.storeSecrets(server, { privateKey: secret }, account);
  // The settings apply to all accounts. An account with its own client is recognized by its key.
  if (!server.account.ownClient)
    await deps.servers.update(server.id, {
      settings: {
        ...(deps.servers.find(server.id)?.settings ?? settings),
        clientAuth: 'private_key_jwt',
        keyId: publicKey.kid,
        signingAlgorithm: algorithm,
      },
    });
  return publicKey;
}
