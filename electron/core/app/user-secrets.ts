import { withoutByteOrderMark } from '../../../shared/json.ts';
import { AppError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import { bindingAtEntry, refuseWithoutCompany } from '../servers/secret-binding.ts';
import { belongsToAccount, secretKeyOf, type Server } from '../servers/server.ts';
import { type Servers } from '../servers/servers.ts';
import type { Vault } from '../vault/credentials.ts';
import { storeFault } from '../vault/store-fault.ts';
import type { SecretName } from '../../../shared/server-settings.ts';

export interface UserSecretsDeps {
  readonly servers: Pick<Servers, 'update' | 'updateAccount'>;
  readonly vault: Pick<Vault, 'writeClientSecret' | 'deleteClientSecret'>;
}

/** By name: the new value, or null to delete the secret. Names that are absent or undefined stay as they are. */
type SecretChanges = Readonly<Partial<Record<SecretName, string | Secret | null | undefined>>>;
type Change = readonly [name: SecretName, value: string | Secret | null];

/**
 * Stores or deletes secrets that the user entered, bound to the places in the settings of `server`. If a secret cannot
 * be stored, the server stays unchanged. `account`: the account that the user named; the secrets must then be its own.
 * Throws E_STORE_*, E_BAD_INPUT, E_CONFIG_WRITE.
 */
export type StoreSecrets = (server: Server, changes: SecretChanges, account?: string) => Promise<void>;

export function createUserSecrets({ servers, vault }: UserSecretsDeps): StoreSecrets {
  return async (server, secrets, account) => {
    const changes = Object.entries(secrets).filter(
      (change): change is [Change[0], Change[1]] => change[1] !== undefined,
    );
    const { ownClient } = server.account;
    if (account !== undefined) refuseShared(server, changes);
    refuseWithoutCompany(
      server.settings,
      changes.flatMap(([name, value]) => (value === null ? [] : [name])),
    );
    for (const ofAccount of [true, false]) {
      const group = changes.filter(([name]) => belongsToAccount(name, ownClient) === ofAccount);
      if (group.length === 0) continue;
      for (const change of group) await writeSecret(vault, server, change);
      const names = server.storedSecrets.filter((name) => belongsToAccount(name, ownClient) === ofAccount);
      const hasSecret = group.find(([name]) => name === 'clientSecret')?.[1];
      const stored = {
        storedSecrets: storedAfter(names, group),
        ...(belongsToAccount('clientSecret', ownClient) === ofAccount
          ? { hasClientSecret: hasSecret === undefined ? server.hasClientSecret : hasSecret !== null }
          : {}),
      };
      // A token that is entered again may be meant for another issuer.
      const issuer = secrets.initialAccessToken === undefined ? {} : { initialAccessTokenIssuer: undefined };
      if (ofAccount) await servers.updateAccount(server.id, stored);
      else await servers.update(server.id, { ...stored, ...issuer });
    }
  };
}

/** An account without its own client uses the server's secrets, which must not be changed in its name. */
function refuseShared({ name: server, account }: Server, changes: readonly Change[]): void {
  const [name] = changes.find(([secret]) => !belongsToAccount(secret, account.ownClient)) ?? [];
  if (name === undefined) return;
  throw new AppError(
    'E_BAD_INPUT',
    `The secret ${name} is shared by all accounts of the server. Enter it without an account, or give the ` +
      'account its own client ID.',
    { server, field: name === 'clientSecret' ? name : `secrets.${name}` },
  );
}

async function writeSecret(vault: UserSecretsDeps['vault'], server: Server, [name, value]: Change): Promise<void> {
  const key = secretKeyOf(server, name);
  const written =
    value === null
      ? await vault.deleteClientSecret(key)
      : await vault.writeClientSecret(
          key,
          value instanceof Secret ? value : new Secret(withoutByteOrderMark(value)),
          bindingAtEntry(server, name),
        );
  if (written.kind !== 'done') throw storeFault(written, 'The secret could not be stored').about(server.name);
}

/** The list of stored secrets does not contain `clientSecret`, which has a member of its own. */
function storedAfter(before: Server['storedSecrets'], changes: readonly Change[]): Server['storedSecrets'][number][] {
  const names = new Set(before);
  for (const [name, value] of changes) {
    if (name === 'clientSecret') continue;
    if (value === null) names.delete(name);
    else names.add(name);
  }
  return [...names];
}
