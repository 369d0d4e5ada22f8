import { z } from 'zod';
import { readEnvelope } from '../../shared/json-rpc.ts';
import { readJson } from '../../shared/json.ts';
import { retryAfterMs } from '../core/http/retry-after.ts';
import { bearerChallenge } from '../core/oauth/discovery/challenge.ts';
import type { ResponseFacts } from './classify.ts';
import { look, scopesMissing } from './insufficient-scope.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HttpStream } from '../core/http/http.ts';
import type { Challenge } from '../core/oauth/model.ts';

/** Statuses whose body says more than the status. */
const withWords = new Set([400, 403, 429, 500, 502, 503, 504]);

export interface ReadFacts {
  readonly facts: ResponseFacts;
  /** What the server asks for: of the header, and of a 403's body. */
  readonly challenge: Challenge | undefined;
  /** The same response, whole. */
  readonly stream: HttpStream;
}

/** Looks at a response that is no success, as far as its handling depends on it. */
export async function readFacts(stream: HttpStream, clock: Clock): Promise<ReadFacts> {
  const { status, headers } = stream;
  const named = bearerChallenge(headers['www-authenticate']);
  const { text, whole } = withWords.has(status) ? await look(stream, clock) : { text: '', whole: stream };
  const rpcError = text !== '' && readEnvelope(text).hasError;
  const lacking = status === 403 ? scopesMissing(named, rpcError ? '' : text) : undefined;
  const facts = {
    status,
    oauthError: named?.error,
    bodyError: errorIn(text),
    lacksScopes: lacking !== undefined,
    rpcError,
    retryAfterMs: retryAfterMs(headers, clock.now()),
  };
  return { facts, challenge: lacking ?? named, stream: whole };
}

const OauthError = z.object({ error: z.string() });

function errorIn(text: string): string | undefined {
  return text.trimStart().startsWith('{') ? OauthError.safeParse(readJson(text)).data?.error : undefined;
}
