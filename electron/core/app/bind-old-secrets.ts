import { bindingOfOld } from '../servers/secret-binding.ts';
import type { Binding } from '../vault/binding.ts';
import type { Vault } from '../vault/credentials.ts';
import { storeFault } from '../vault/store-fault.ts';
import { secretKeyOf, type Server } from '../servers/server.ts';
import { clientSecretKey, managementTokenKey, managementUse } from '../oauth/registration/registration-secrets.ts';

/**
 * Binds secrets that an older version stored without a binding to the places in the current list of servers. Runs once
 * per data folder, before the list is signed, so that a later edit of the list cannot redirect these secrets. Throws
 * E_STORE_*.
 */
export async function bindOldSecrets(
  vault: Pick<Vault, 'readClientSecret'>,
  servers: readonly Server[],
): Promise<void> {
  const all = new Map(servers.flatMap((server) => [...entered(server), ...registered(server)]));
  for (const [key, binding] of all) {
    const read = await vault.readClientSecret(key, {}, binding);
    if (read.kind === 'locked' || read.kind === 'denied' || read.kind === 'unavailable')
      throw storeFault(read, 'The secrets of the servers could not be read');
  }
}

type Bindings = readonly (readonly [key: string, binding: Binding])[];

function entered(server: Server): Bindings {
  const names = [...server.storedSecrets, ...(server.hasClientSecret ? (['clientSecret'] as const) : [])];
  return names.map((name) => [secretKeyOf(server, name), bindingOfOld(server, name)]);
}

function registered({ id, registrations }: Server): Bindings {
  return registrations
    .filter(({ how }) => how === 'dynamic')
    .flatMap((one): Bindings => {
      const { issuer, hasSecret, registration_client_uri: uri } = one;
      return [
        ...(hasSecret ? [[clientSecretKey(id, one), { issuer }] as const] : []),
        ...(uri === undefined ? [] : [[managementTokenKey(id, one), managementUse(issuer, uri)] as const]),
      ];
    });
}
