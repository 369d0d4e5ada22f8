import { z } from 'zod';
import { readEnvelope } from '../../shared/json-rpc.ts';
import { readJson } from '../../shared/json.ts';
import { retryAfterMs } from '../core/http/retry-after.ts';
import { bearerChallenge } from '../core/oauth/discovery/challenge.ts';
import type { ResponseFacts } from './classify.ts';
import { insufficientScope } from './insufficient-scope.ts';
import { peekBody } from './peek-body.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HttpStream } from '../core/http/http.ts';
import type { Challenge } from '../core/oauth/model.ts';

/** Statuses whose body decides what happens next. */
const statusesWithDetails = new Set([400, 403, 429, 500, 502, 503, 504]);

export interface ReadFacts {
  readonly facts: ResponseFacts;
  /** From the header, with the scopes that the body of a 403 names. */
  readonly challenge: Challenge | undefined;
  /** The response with its whole body still unread. */
  readonly stream: HttpStream;
}

/** Reads the parts of a response that `classify` needs. */
export async function readFacts(stream: HttpStream, clock: Clock): Promise<ReadFacts> {
  const { status, headers } = stream;
  const challenge = bearerChallenge(headers['www-authenticate']);
  const { text, whole } = statusesWithDetails.has(status) ? await peekBody(stream, clock) : { text: '', whole: stream };
  const rpcError = text !== '' && readEnvelope(text).hasError;
  const scopeChallenge = status === 403 ? insufficientScope(challenge, rpcError ? '' : text) : undefined;
  const facts = {
    status,
    oauthError: challenge?.error,
    bodyError: errorIn(text),
    lacksScopes: scopeChallenge !== undefined,
    rpcError,
    retryAfterMs: retryAfterMs(headers, clock.now()),
  };
  return { facts, challenge: scopeChallenge ?? challenge, stream: whole };
}

const OauthError = z.object({ error: z.string() });

function errorIn(text: string): string | undefined {
  return text.trimStart().startsWith('{') ? OauthError.safeParse(readJson(text)).data?.error : undefined;
}
