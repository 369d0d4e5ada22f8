import { AppError } from '../base/errors.ts';
import { generateSigningKey, type PublicKey } from '../oauth/client-auth/signing-keys.ts';
import type { createUserSecrets } from './user-secrets.ts';
import type { Servers } from '../servers/servers.ts';
import type { Server } from '../servers/server.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';

export interface KeyRequest {
  readonly algorithm: NonNullable<ServerSettings['signingAlgorithm']>;
  /** True: a key that is there already may end. */
  readonly replace: boolean;
  /** As the user named it; see `createUserSecrets`. */
  readonly account: string | undefined;
}

/**
 * Makes the key with which the client of this server proves who it is (`private_key_jwt`, RFC 7523), and puts it to
 * use. Only the public half is given. Throws E_BAD_INPUT when there is a key already, E_STORE_*, E_CONFIG_WRITE.
 */
export async function makeSigningKey(
  deps: {
    readonly servers: Pick<Servers, 'find' | 'update'>;
    readonly keepSecrets: ReturnType<typeof createUserSecrets>;
  },
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
  await deps.keepSecrets(server, { privateKey: secret }, account);
  // A client of the account's own is told by its key; the settings are for all accounts.
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
