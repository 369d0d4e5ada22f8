import { atIssuer } from '../../servers/secret-binding.ts';
import type { Server } from '../../servers/server.ts';
import { originOf } from '../../vault/binding.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Vault } from '../../vault/credentials.ts';
import { storeFault } from '../../vault/store-fault.ts';
import { readSigningKey } from '../client-auth/client-assertion.ts';
import { chosenAuth } from '../client-auth/client-auth.ts';
import { enteredSecret, neededSecret } from '../entered-secrets.ts';
import type { TokenClient } from '../model.ts';
import { clientSecretKey } from '../registration/registration-secrets.ts';

/** See `Grants.withClientAuth`. `grant`: undefined for a sign-in by a user. */
export async function withEnteredAuth(
  vault: Pick<Vault, 'readClientSecret'>,
  server: Server,
  grant: Credential['grant'],
  client: TokenClient,
): Promise<TokenClient> {
  const chosen = client.clientId === server.clientId ? chosenAuth(server) : undefined;
  const clientAuth = chosen ?? client.clientAuth;
  const use = atIssuer(server, client.issuer, client.tokenEndpoint);
  if (clientAuth === 'private_key_jwt') {
    const key = await neededSecret(vault, server, 'privateKey', use);
    return { ...client, clientAuth, signingKey: readSigningKey(key, server.settings) };
  }
  // Without a user the secret is only among the entered secrets, so that a new one is used at once.
  if (grant === undefined) return withRenewedSecret(vault, server, { ...client, clientAuth });
  if (clientAuth === 'none' || clientAuth === 'tls_client_auth') return { ...client, clientAuth };
  const clientSecret = await enteredSecret(vault, server, 'clientSecret', use);
  return clientSecret ? { ...client, clientAuth, clientSecret } : { ...client, clientAuth };
}

/** A registration that was renewed may have a newer secret than the stored sign-in. */
async function withRenewedSecret(
  vault: Pick<Vault, 'readClientSecret'>,
  server: Server,
  client: TokenClient,
): Promise<TokenClient> {
  const renewed = server.registrations.find(
    (registration) =>
      registration.how === 'dynamic' &&
      registration.hasSecret &&
      registration.renewedAt !== undefined &&
      registration.issuer === client.issuer &&
      registration.client_id === client.clientId,
  );
  if (!renewed || !client.clientSecret) return client;
  const read = await vault.readClientSecret(clientSecretKey(server.id, renewed), {
    issuer: client.issuer,
    endpoint: originOf(client.tokenEndpoint),
  });
  if (read.kind === 'found') return { ...client, clientSecret: read.value };
  if (read.kind === 'absent' || read.kind === 'elsewhere') return client;
  throw storeFault(read, 'The client secret could not be read');
}
