import { AppError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { formsOf, partsOf } from '../core/oauth/client/secret-forms.ts';
import type { Secret } from '../core/secret.ts';
import { envelope, errorLine } from '../../shared/json-rpc.ts';

/** Removes the credentials that were sent to a server from what it sends back, because hosts write everything to transcripts. */
export interface SecretRemoval {
  /** A token or key that goes to the server from now on. */
  learn(secret: Secret): void;
  /** The line as the host may have it: the same one where none of the secrets is in it. */
  clean(line: Uint8Array | string): Uint8Array | string;
}

/** What stands in the place of a secret, or of a part of a text that holds it in another encoding. */
const mark = '[removed by Keybridge]';
/** The present one, and the one before: calls that it was sent with may still be running. Each costs a search of every line. */
const mostKnown = 2;

export function createSecretRemoval(log: Log, server: string): SecretRemoval {
  /** The newest last. */
  const known = new Map<string, readonly Buffer[]>();
  let latest: Secret | undefined;

  const withMark = (line: Buffer, text: string): { bytes: Buffer; count: number } => {
    let count = 0;
    let bytes = line;
    for (const form of [...known.values()].flat()) {
      const pieces: Buffer[] = [];
      let from = 0;
      for (let at = bytes.indexOf(form); at >= 0; at = bytes.indexOf(form, from)) {
        pieces.push(bytes.subarray(from, at), Buffer.from(text));
        from = at + form.length;
      }
      if (from === 0) continue;
      count += pieces.length / 2;
      bytes = Buffer.concat([...pieces, bytes.subarray(from)]);
    }
    return { bytes, count };
  };

  /** A key of digits may stand there as a number, in whose place no words can stand. */
  const fit = (line: Buffer): Buffer => {
    for (const text of [mark, '0']) {
      const { bytes } = withMark(line, text);
      const { problem } = envelope(bytes);
      if (problem === undefined || problem === 'shape') return bytes;
    }
    const { id, method } = envelope(line);
    const error = new AppError('E_SERVER_ANSWER', 'The server repeated the sign-in in its answer, which was therefore not passed on.', { server });
    return Buffer.from(errorLine(method === undefined ? (id ?? 'null') : 'null', error.toInfo()));
  };

  return {
    learn(secret) {
      if (secret === latest) return;
      latest = secret;
      const value = secret.reveal();
      const forms = known.get(value) ?? partsOf(value).flatMap(formsOf).map((form) => Buffer.from(form));
      known.delete(value);
      known.set(value, forms);
      for (const [oldest] of known) if (known.size > mostKnown) known.delete(oldest);
    },
    clean(line) {
      if (known.size === 0) return line;
      const bytes = typeof line === 'string' ? Buffer.from(line) : Buffer.from(line.buffer, line.byteOffset, line.byteLength);
      if (![...known.values()].some((forms) => forms.some((form) => form.length <= bytes.length && bytes.includes(form)))) return line;
      log('secret_removed', { server, count: withMark(bytes, mark).count });
      return fit(bytes);
    },
  };
}
