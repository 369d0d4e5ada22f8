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

/** Null: to be deleted. Absent or undefined: stays as it is. */
type Entered = Readonly<Partial<Record<SecretName, string | Secret | null | undefined>>>;

/**
 * Stores or deletes what the user entered; a secret that could not be kept leaves the server as it was. `named`: the
 * account that the user named, whose own the secrets then must be. What each is for, the settings of `server` say.
 * Throws E_STORE_*, E_BAD_INPUT, E_CONFIG_WRITE.
 */
export function createUserSecrets({
  servers,
  vault,
}: UserSecretsDeps): (server: Server, secrets: Entered, named?: string) => Promise<void> {
  return async (server, secrets, named) => {
    const entered = Object.entries(secrets).filter(
      (one): one is [SecretName, string | Secret | null] => one[1] !== undefined,
    );
    const { ownClient } = server.account;
    const shared = entered.find(([name]) => !belongsToAccount(name, ownClient));
    if (named !== undefined && shared)
      throw new AppError(
        'E_BAD_INPUT',
        `The secret ${shared[0]} is shared by all accounts of the server. Enter it without an account, or give the ` +
          'account its own client ID.',
        { server: server.name, field: shared[0] === 'clientSecret' ? shared[0] : `secrets.${shared[0]}` },
      );
    refuseWithoutCompany(
      server.settings,
      entered.flatMap(([name, value]) => (value === null ? [] : [name])),
    );
    for (const byAccount of [true, false]) {
      const those = entered.filter(([name]) => belongsToAccount(name, ownClient) === byAccount);
      if (those.length === 0) continue;
      const stored = new Set(server.storedSecrets.filter((name) => belongsToAccount(name, ownClient) === byAccount));
      let { hasClientSecret } = server;
      for (const [name, value] of those) {
        const key = secretKeyOf(server, name);
        const done =
          value === null
            ? await vault.deleteClientSecret(key)
            : await vault.writeClientSecret(
                key,
                value instanceof Secret ? value : new Secret(withoutByteOrderMark(value)),
                bindingAtEntry(server, name),
              );
        if (done.kind !== 'done') throw storeFault(done, 'The secret could not be stored').about(server.name);
        if (name === 'clientSecret') hasClientSecret = value !== null;
        else if (value === null) stored.delete(name);
        else stored.add(name);
      }
      const client = belongsToAccount('clientSecret', ownClient) === byAccount ? { hasClientSecret } : {};
      const change = { storedSecrets: [...stored], ...client };
      // Entered anew, it may be meant for another issuer.
      const anew = secrets.initialAccessToken === undefined ? {} : { initialAccessTokenIssuer: undefined };
      if (byAccount) await servers.updateAccount(server.id, change);
      else await servers.update(server.id, { ...change, ...anew });
    }
  };
}
