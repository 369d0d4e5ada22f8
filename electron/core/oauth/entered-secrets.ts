import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { readTextFile } from '../base/atomic-file.ts';
import { Secret } from '../base/secret.ts';
import { bindingOfOld } from '../servers/secret-binding.ts';
import { belongsToAccount, secretKeyOf, type Server } from '../servers/server.ts';
import type { Binding, BoundElsewhere } from '../vault/binding.ts';
import type { Vault } from '../vault/credentials.ts';
import { storeFault } from '../vault/store-fault.ts';
import { displayUrl } from './endpoint-url.ts';
import type { SecretName } from '../../../shared/server-settings.ts';

/** Much longer than any real assertion. */
const maxAssertionLength = 64 * 1024;

/**
 * The secret that the user entered for this server, for the given use; undefined when none is stored. Throws E_STORE_*,
 * and E_SECRET_AGAIN for a secret that was entered for another issuer or origin.
 */
export async function enteredSecret(
  vault: Pick<Vault, 'readClientSecret'>,
  server: Server,
  name: SecretName,
  use: Binding,
): Promise<Secret | undefined> {
  const read = await vault.readClientSecret(secretKeyOf(server, name), use, bindingOfOld(server, name));
  if (read.kind === 'found') return read.value;
  if (read.kind === 'absent') return undefined;
  if (read.kind === 'elsewhere') throw enterAgain(server, name, read);
  throw storeFault(read, 'A secret of this server could not be read');
}

/** Like `enteredSecret`, but throws E_BAD_INPUT when none is stored. */
export async function neededSecret(
  vault: Pick<Vault, 'readClientSecret'>,
  server: Server,
  name: SecretName,
  use: Binding,
): Promise<Secret> {
  const found = await enteredSecret(vault, server, name, use);
  if (found) return found;
  throw new AppError(
    'E_BAD_INPUT',
    `The secret ${name} is missing. Enter it with: keybridge configure ${server.name} --secret-file ${name}=FILE`,
    { field: fieldOf(name) },
  );
}

/**
 * The workload's own JWT: from the file that its platform renews, else the entered one. Throws E_BAD_INPUT,
 * E_SECRET_AGAIN, E_STORE_*.
 */
export async function workloadAssertion(
  vault: Pick<Vault, 'readClientSecret'>,
  server: Server,
  use: Binding,
): Promise<Secret> {
  const { assertionFile } = server.settings;
  if (assertionFile === undefined) return neededSecret(vault, server, 'assertion', use);
  const text = await readTextFile(assertionFile).catch((error: unknown) => {
    if (error instanceof AppError) throw error;
    return '';
  });
  const assertion = text.trim();
  if (assertion === '' || assertion.length > maxAssertionLength)
    throw new AppError('E_BAD_INPUT', `The file ${sanitizeExternalText(assertionFile, 120)} contains no assertion.`, {
      field: 'settings.assertionFile',
    });
  return new Secret(assertion);
}

/** The error for a secret that was entered for another place and so was not sent. */
export function enterAgain(
  { name: server, account }: Server,
  name: SecretName,
  { was, now }: BoundElsewhere,
): AppError {
  const [before, after] = [was, now].map((where) =>
    URL.canParse(where) ? displayUrl(new URL(where)) : sanitizeExternalText(where),
  );
  const whose = belongsToAccount(name, account.ownClient) && !account.alone ? ` --account ${account.name}` : '';
  const how = `keybridge configure ${server}${whose} --secret-file ${name}=FILE`;
  return new AppError(
    'E_SECRET_AGAIN',
    `The secret ${name} was entered for ${before}, so it was not sent to ${after}. ` +
      `To use it there, enter it again: ${how}`,
    { sent: false, server, field: fieldOf(name) },
  );
}

const fieldOf = (name: SecretName): string => (name === 'clientSecret' ? name : `secrets.${name}`);
