import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { isUtf16, readText } from '../../shared/json.ts';
import { AppError, asAppError, sanitizeExternalText } from '../core/base/errors.ts';
import type { Terminal } from '../platform/terminal.ts';
import type { Options } from './options.ts';

/** The client secret, from the file that the option names or from the environment. Throws E_BAD_INPUT. */
export async function readClientSecret(
  { 'client-secret-file': file }: Options,
  { env, stdin }: Pick<Terminal, 'env' | 'stdin'>,
): Promise<string | undefined> {
  if (file === undefined) return env['KEYBRIDGE_CLIENT_SECRET'] || undefined;
  return readSecretFile(file, 'client secret', stdin);
}

/**
 * A secret from a file, without a leading byte order mark and without the last line break. If `stdin` is given, `-`
 * stands for it. `what` names the secret in errors. Throws E_BAD_INPUT, with the name of the file and none of its
 * content.
 */
export async function readSecretFile(file: string, what: string, stdin?: Readable): Promise<string> {
  const invalid = (why: string, cause?: unknown) =>
    new AppError('E_BAD_INPUT', `The file with the ${what} ${why}: ${sanitizeExternalText(file, 200)}.`, { cause });
  const bytes = await (stdin && file === '-' ? buffer(stdin) : readFile(file)).catch((error: unknown) => {
    throw invalid('cannot be read', asAppError(error));
  });
  // Windows calls UTF-16 "Unicode". Read as UTF-8 it would be a different secret.
  if (isUtf16(bytes)) throw invalid('is UTF-16 text; save it as UTF-8');
  const secret = readText(bytes).replace(/\r?\n$/, '');
  if (secret === '') throw invalid('is empty');
  return secret;
}
