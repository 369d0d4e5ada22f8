import { bindingOfOld } from '../servers/secret-binding.ts';
import type { Binding } from '../vault/binding.ts';
import type { Vault } from '../vault/credentials.ts';
import { storeFault } from '../vault/store-fault.ts';
import { secretKeyOf, type Server } from '../servers/server.ts';
import { clientSecretKey, managementTokenKey, managementUse } from '../oauth/registration/registration-secrets.ts';

/**
 * Binds what an older version stored, which did not say what it was for, to what the list of servers says. Once per
 * data folder, before the list is signed: whoever changes the list later cannot take these secrets along. Throws
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

type Old = readonly (readonly [key: string, binding: Binding])[];

function entered(server: Server): Old {
  const names = [...server.storedSecrets, ...(server.hasClientSecret ? (['clientSecret'] as const) : [])];
  return names.map((name) => [secretKeyOf(server, name), bindingOfOld(server, name)]);
}

function registered({ id, registrations }: Server): Old {
  return registrations
    .filter(({ how }) => how === 'dynamic')
    .flatMap((one): Old => {
      const { issuer, hasSecret, registration_client_uri: uri } = one;
      return [
        ...(hasSecret ? [[clientSecretKey(id, one), { issuer }] as const] : []),
        ...(uri === undefined ? [] : [[managementTokenKey(id, one), managementUse(issuer, uri)] as const]),
      ];
    });
}
