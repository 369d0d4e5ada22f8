import { readFile } from 'node:fs/promises';
import type { SecretName } from '../../../../shared/model.ts';
import { AppError, foreign } from '../../errors.ts';
import { Secret } from '../../secret.ts';
import { secretKeyOf, type Server } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import { storeFault } from '../../vault/store-fault.ts';

/** Far more than any assertion has. */
const longestAssertion = 64 * 1024;

/** A secret that the user entered for this server; undefined: none is stored. Throws E_STORE_*. */
export async function enteredSecret(vault: Pick<Vault, 'readClientSecret'>, server: Server, name: SecretName): Promise<Secret | undefined> {
  const read = await vault.readClientSecret(secretKeyOf(server, name));
  if (read.kind === 'found') return read.value;
  if (read.kind === 'absent') return undefined;
  throw storeFault(read, 'A secret of this server cannot be read');
}

/** The same, where the grant cannot do without it. Throws E_BAD_INPUT too. */
export async function neededSecret(vault: Pick<Vault, 'readClientSecret'>, server: Server, name: SecretName): Promise<Secret> {
  const found = await enteredSecret(vault, server, name);
  if (found) return found;
  throw new AppError('E_BAD_INPUT', `The secret ${name} is missing: keybridge configure ${server.name} --secret-file ${name}=FILE`, { field: name === 'clientSecret' ? name : `secrets.${name}` });
}

/** The workload's own JWT: from the file that its platform renews, else as entered. Throws E_BAD_INPUT, E_STORE_*. */
export async function workloadAssertion(vault: Pick<Vault, 'readClientSecret'>, server: Server): Promise<Secret> {
  const { assertionFile } = server.settings;
  if (assertionFile === undefined) return neededSecret(vault, server, 'assertion');
  const text = await readFile(assertionFile, 'utf8').catch(() => '');
  const assertion = text.trim();
  if (assertion === '' || assertion.length > longestAssertion) throw new AppError('E_BAD_INPUT', `There is no assertion in ${foreign(assertionFile, 120)}.`, { field: 'settings.assertionFile' });
  return new Secret(assertion);
}
