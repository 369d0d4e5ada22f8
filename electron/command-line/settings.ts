import { readJson } from '../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../core/base/errors.ts';
import { readSecretFile } from './secret-file.ts';
import { secretNames, ServerSettings, type SecretName } from '../../shared/server-settings.ts';

/**
 * Applies `--set NAME=VALUE` options to settings. A value is JSON, or text if it is not valid JSON. `NAME=` removes the
 * setting. Returns all settings. Throws E_BAD_INPUT.
 */
export function readSettings(before: ServerSettings, changes: readonly string[]): ServerSettings {
  const settings: Record<string, unknown> = { ...before };
  for (const change of changes) {
    const { name, text } = split(change);
    if (text === undefined || !Object.hasOwn(ServerSettings.shape, name))
      throw unknownName('setting', name, Object.keys(ServerSettings.shape));
    if (text === '') delete settings[name];
    else settings[name] = valueOf(text);
  }
  const parsed = ServerSettings.safeParse(settings);
  if (parsed.success) return parsed.data;
  const name = String(parsed.error.issues[0]?.path[0] ?? 'a setting');
  throw new AppError('E_BAD_INPUT', `The value of ${name} is not valid.`);
}

/** Reads the secrets of `--secret-file NAME=FILE` options. Throws E_BAD_INPUT. */
export async function readSecrets(files: readonly string[]): Promise<Partial<Record<SecretName, string>>> {
  const secrets: Partial<Record<SecretName, string>> = {};
  for (const option of files) {
    const { name, text: file } = split(option);
    const known = secretNames.find((one) => one === name);
    if (known === undefined || file === undefined) throw unknownName('secret', name, secretNames);
    secrets[known] = await readSecretFile(file, `secret ${known}`);
  }
  return secrets;
}

function valueOf(text: string): unknown {
  const value = readJson(text);
  return value === undefined ? text : value;
}

/** `text` is undefined without an equals sign. */
function split(option: string): { readonly name: string; readonly text: string | undefined } {
  const at = option.indexOf('=');
  return at < 0 ? { name: option, text: undefined } : { name: option.slice(0, at), text: option.slice(at + 1) };
}

function unknownName(what: string, name: string, known: readonly string[]): AppError {
  return new AppError(
    'E_BAD_INPUT',
    `There is no ${what} "${sanitizeExternalText(name, 40)}". Use one of: ${known.join(', ')}.`,
  );
}
