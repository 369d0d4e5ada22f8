import type { Api } from '../../../shared/api.ts';
import type { CommandContext } from './command-context.ts';
import { makeSigningKey } from './signing-key.ts';

type AccountCommands = Pick<Api, 'addAccount' | 'updateAccount' | 'removeAccount' | 'generateKey'>;

/** The commands about the accounts of a server, and their keys. */
export function accountCommands({
  servers,
  connections,
  storeSecrets,
  leaving,
  named,
  statusAfter,
  changed,
}: CommandContext): AccountCommands {
  return {
    async addAccount({ server, name }) {
      const account = await servers.addAccount(named({ server }).id, name);
      changed();
      return statusAfter(account);
    },

    async updateAccount(input) {
      const { name, isDefault } = input;
      const server = named(input);
      if (name !== undefined) await servers.updateAccount(server.id, { name, autoNamed: false });
      if (isDefault) await servers.makeDefault(server.id);
      connections.defaultChanged();
      changed();
      return statusAfter(server);
    },

    removeAccount: (input) => leaving.removeAccount(named(input)),

    async generateKey(input) {
      const { algorithm, replace, account } = input;
      const key = await makeSigningKey({ servers, storeSecrets }, named(input), { algorithm, replace, account });
      changed();
      return key;
    },
  };
}
