import { secretNames, ServerSettings, type SecretName } from '../../shared/model.ts';
import { readJson } from '../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../core/base/errors.ts';
import { readSecretFile } from './secret-file.ts';

/**
 * `--set name=value`, once per setting: the value is JSON, or text where it is none. `--set name=` takes the setting
 * back. Returns all settings: those that were there and those that were given. Throws E_BAD_INPUT.
 */
export function readSettings(before: ServerSettings, given: readonly string[]): ServerSettings {
  const settings: Record<string, unknown> = { ...before };
  for (const one of given) {
    const at = one.indexOf('=');
    const name = at < 0 ? one : one.slice(0, at);
    if (at < 0 || !Object.hasOwn(ServerSettings.shape, name))
      throw unknown('setting', name, Object.keys(ServerSettings.shape));
    const text = one.slice(at + 1);
    if (text === '') delete settings[name];
    else settings[name] = valueOf(text);
  }
  const parsed = ServerSettings.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new AppError(
    'E_BAD_INPUT',
    `The value of ${String(parsed.error.issues[0]?.path[0] ?? 'a setting')} is not one that it takes.`,
  );
}

/** `--secret-file name=FILE`, once per secret. Throws E_BAD_INPUT. */
export async function readSecrets(given: readonly string[]): Promise<Partial<Record<SecretName, string>>> {
  const secrets: Partial<Record<SecretName, string>> = {};
  for (const one of given) {
    const at = one.indexOf('=');
    const name = secretNames.find((known) => known === one.slice(0, at));
    if (!name) throw unknown('secret', at < 0 ? one : one.slice(0, at), secretNames);
    secrets[name] = await readSecretFile(one.slice(at + 1), `secret ${name}`);
  }
  return secrets;
}

function valueOf(text: string): unknown {
  const value = readJson(text);
  return value === undefined ? text : value;
}

function unknown(what: string, name: string, known: readonly string[]): AppError {
  return new AppError(
    'E_BAD_INPUT',
    `There is no ${what} "${sanitizeExternalText(name, 40)}". There are: ${known.join(', ')}.`,
  );
}
