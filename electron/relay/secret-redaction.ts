import { AppError } from '../core/base/errors.ts';
import type { Connection } from '../core/app/connections.ts';
import type { Log } from '../core/base/log.ts';
import { formsOf, partsOf } from '../core/oauth/secret-forms.ts';
import type { Secret } from '../core/base/secret.ts';
import { findMatches, searchPattern, type Match, type SearchPattern } from './secret-search.ts';
import { readEnvelope, errorLine } from '../../shared/json-rpc.ts';

/**
 * Removes the tokens and keys that were sent to a server from what it sends back, because hosts write everything to
 * transcripts.
 */
export interface SecretRedaction {
  /** Takes a token or key that is sent to the server from now on. */
  learn(secret: Secret): void;
  /** Returns the line for the host: the same object if it contains no secret. */
  clean(line: Uint8Array | string): Uint8Array | string;
}

/** Replaces a secret in any encoding. */
const replacement = '[removed by Keybridge]';
/**
 * The current secret and the one before, because calls with that one may still be running. Each costs a search of every
 * line.
 */
const maxSecrets = 2;

export function createSecretRedaction(log: Log, server: string): SecretRedaction {
  /** By secret; the newest is last. */
  const known = new Map<string, readonly SearchPattern[]>();
  let latest: Secret | undefined;

  const errorInstead = (line: Buffer): Buffer => {
    const { id, method } = readEnvelope(line);
    const error = new AppError(
      'E_SERVER_ANSWER',
      'The server repeated the sign-in in its response, which was therefore not passed on.',
      { server },
    );
    return Buffer.from(errorLine(method === undefined ? (id ?? 'null') : 'null', error.toInfo()));
  };

  /** A key of digits may be in the text as a number, which only another number can replace. */
  const redact = (line: Buffer, matches: readonly Match[]): Buffer => {
    for (const text of [replacement, '0']) {
      const bytes = replaceMatches(line, matches, text);
      const { problem } = readEnvelope(bytes);
      if (problem === undefined || problem === 'shape') return bytes;
    }
    return errorInstead(line);
  };

  return {
    learn(secret) {
      if (secret === latest) return;
      latest = secret;
      const value = secret.reveal();
      const forms =
        known.get(value) ??
        partsOf(value)
          .flatMap(formsOf)
          .map((form) => searchPattern(Buffer.from(form)));
      known.delete(value);
      known.set(value, forms);
      for (const [oldest] of known) if (known.size > maxSecrets) known.delete(oldest);
    },
    clean(line) {
      if (known.size === 0) return line;
      const bytes =
        typeof line === 'string' ? Buffer.from(line) : Buffer.from(line.buffer, line.byteOffset, line.byteLength);
      const matches = findMatches([...known.values()].flat(), bytes);
      if (matches.length === 0) return line;
      log('secret_removed', { server, count: matches === 'too many' ? undefined : matches.length });
      return matches === 'too many' ? errorInstead(bytes) : redact(bytes, matches);
    },
  };
}

function replaceMatches(line: Buffer, matches: readonly Match[], text: string): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const [start, end] of matches) {
    pieces.push(line.subarray(from, start), Buffer.from(text));
    from = end;
  }
  return Buffer.concat([...pieces, line.subarray(from)]);
}

/** The same connection, which adds each access token that it returns to `redaction`. */
export const learningToken = (connection: Connection, redaction: SecretRedaction): Connection => ({
  ...connection,
  async accessToken(options) {
    const result = await connection.accessToken(options);
    if (result.kind === 'token') redaction.learn(result.token);
    return result;
  },
});
