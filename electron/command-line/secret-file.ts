import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { isUtf16, readText } from '../../shared/json.ts';
import { AppError, asAppError, sanitizeExternalText } from '../core/base/errors.ts';

/**
 * A secret from a file; `-` is `stdin`, where that is given. Neither a byte order mark in front nor the last line break
 * is part of it. `what`: the secret, for the error. Throws E_BAD_INPUT, which names the file and nothing in it.
 */
export async function readSecretFile(file: string, what: string, stdin?: Readable): Promise<string> {
  const bad = (why: string, cause?: unknown) =>
    new AppError('E_BAD_INPUT', `The file with the ${what} ${why}: ${sanitizeExternalText(file, 200)}.`, { cause });
  const bytes = await (stdin && file === '-' ? buffer(stdin) : readFile(file)).catch((error: unknown) => {
    throw bad('cannot be read', asAppError(error));
  });
  // What Windows calls "Unicode" would become a secret of other characters.
  if (isUtf16(bytes)) throw bad('is UTF-16 text; save it as UTF-8');
  const secret = readText(bytes).replace(/\r?\n$/, '');
  if (secret === '') throw bad('is empty');
  return secret;
}
