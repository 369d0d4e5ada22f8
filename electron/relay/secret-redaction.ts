import { AppError } from '../core/base/errors.ts';
import type { Connection } from '../core/app/connections.ts';
import type { Log } from '../core/base/log.ts';
import { formsOf, partsOf } from '../core/oauth/secret-forms.ts';
import type { Secret } from '../core/base/secret.ts';
import { placesOf, soughtFor, type Place, type Sought } from './secret-search.ts';
import { readEnvelope, errorLine } from '../../shared/json-rpc.ts';

/**
 * Removes the credentials that were sent to a server from what it sends back, because hosts write everything to
 * transcripts.
 */
export interface SecretRedaction {
  /** A token or key that goes to the server from now on. */
  learn(secret: Secret): void;
  /** The line as the host may have it: the same one where none of the secrets is in it. */
  clean(line: Uint8Array | string): Uint8Array | string;
}

/** What stands in the place of a secret, or of a part of a text that holds it in another encoding. */
const mark = '[removed by Keybridge]';
/**
 * The present one, and the one before: calls that it was sent with may still be running. Each costs a search of every
 * line.
 */
const mostKnown = 2;

export function createSecretRedaction(log: Log, server: string): SecretRedaction {
  /** The newest last. */
  const known = new Map<string, readonly Sought[]>();
  let latest: Secret | undefined;

  const refusal = (line: Buffer): Buffer => {
    const { id, method } = readEnvelope(line);
    const error = new AppError(
      'E_SERVER_ANSWER',
      'The server repeated the sign-in in its answer, which was therefore not passed on.',
      { server },
    );
    return Buffer.from(errorLine(method === undefined ? (id ?? 'null') : 'null', error.toInfo()));
  };

  /** A key of digits may stand there as a number, in whose place no words can stand. */
  const fit = (line: Buffer, places: readonly Place[]): Buffer => {
    for (const text of [mark, '0']) {
      const bytes = withText(line, places, text);
      const { problem } = readEnvelope(bytes);
      if (problem === undefined || problem === 'shape') return bytes;
    }
    return refusal(line);
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
          .map((form) => soughtFor(Buffer.from(form)));
      known.delete(value);
      known.set(value, forms);
      for (const [oldest] of known) if (known.size > mostKnown) known.delete(oldest);
    },
    clean(line) {
      if (known.size === 0) return line;
      const bytes =
        typeof line === 'string' ? Buffer.from(line) : Buffer.from(line.buffer, line.byteOffset, line.byteLength);
      const places = placesOf([...known.values()].flat(), bytes);
      if (places.length === 0) return line;
      log('secret_removed', { server, count: places === 'too many' ? undefined : places.length });
      return places === 'too many' ? refusal(bytes) : fit(bytes, places);
    },
  };
}

function withText(line: Buffer, places: readonly Place[], text: string): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const [start, end] of places) {
    pieces.push(line.subarray(from, start), Buffer.from(text));
    from = end;
  }
  return Buffer.concat([...pieces, line.subarray(from)]);
}

/** The connection's access token, which is removed from now on from everything that the server sends to a host. */
export async function learnedToken(
  connection: Connection,
  redaction: SecretRedaction,
  options: Parameters<Connection['accessToken']>[0],
): ReturnType<Connection['accessToken']> {
  const answer = await connection.accessToken(options);
  if (answer.kind === 'token') redaction.learn(answer.token);
  return answer;
}
