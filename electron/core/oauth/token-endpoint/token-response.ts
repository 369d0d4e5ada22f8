import { z } from 'zod';
import { isUtf16, readJsonObject } from '../../../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { retryAfterMs } from '../../http/retry-after.ts';
import { Secret } from '../../base/secret.ts';
import { isRefusal, readErrorResponse } from '../error-response.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { TokenVerdict } from '../model.ts';

/** More is nonsense, and would overflow arithmetic. */
const longestLifeSeconds = 10 * 366 * 24 * 60 * 60;

/**
 * Reads a token answer as it comes from real servers: null for absent, numbers as strings, no `token_type`, 201,
 * errors inside 200, in text/plain, or behind a 401 with a challenge. `now`: Unix ms, for Retry-After. `tokensIn`: the
 * member that holds the tokens, where they do not lie in the answer itself.
 */
export function readTokenResponse(answer: HttpResponse, now: number, tokensIn?: string): TokenVerdict {
  const { status, headers } = answer;
  if (status >= 300 && status < 400) return unclear('E_REDIRECTED', 'The token endpoint responded with a redirect.');
  const json = readJsonObject(answer.body);
  const wait = retryAfterMs(headers, now);
  const good = status >= 200 && status < 300;
  const given = json && (tokensIn === undefined ? json : inner(json, tokensIn));
  const plainError = text(json?.['error']) !== undefined;
  if (good && given && !plainError && text(given['access_token']) !== undefined) return readTokens(given);
  const said = readErrorResponse(answer);
  const { error, description } = said;
  // Next to tokens an error code counts only where RFC 6749 puts it.
  if (error !== undefined && (!good || plainError)) {
    return {
      kind: 'error',
      error: errorAsMeant(error, status),
      status,
      ...(description === undefined ? {} : { description }),
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    };
  }
  if (!good) {
    const [code, words] = isRefusal(status)
      ? (['E_TOKEN_REFUSED', `refused the request (status ${status})`] as const)
      : (['E_HTTP_STATUS', `responded with status ${status}`] as const);
    const fault = new AppError(code, `The token endpoint ${words}.`, wait === undefined ? {} : { retryAfterMs: wait });
    // Firewalls and gateways refuse in other ways, and only for a while.
    const final = wait === undefined && (status === 401 || (status === 400 && description !== undefined));
    return { kind: 'unclear', fault, status, said, ...(final ? { refused: true } : {}) };
  }
  const verdict = given
    ? readTokens(given)
    : unclear(
        'E_NOT_JSON',
        `The token endpoint responded with ${isUtf16(answer.body) ? 'UTF-16 text, but JSON must be UTF-8' : 'something other than JSON'}.`,
      );
  return verdict.kind === 'unclear' ? { ...verdict, said } : verdict;
}

/**
 * Older servers on the official Python SDK call an unknown client this, with the status that is for `invalid_client`
 * (RFC 6749 5.2).
 */
const errorAsMeant = (error: string, status: number): string =>
  error === 'unauthorized_client' && status === 401 ? 'invalid_client' : error;

function readTokens(json: Readonly<Record<string, unknown>>): TokenVerdict {
  const refreshToken = secret(json['refresh_token']);
  const idToken = secret(json['id_token']);
  const accessToken = text(json['access_token']);
  const type = json['token_type'] ?? 'bearer';
  const spent = refreshToken ? { rotated: refreshToken } : {};
  if (accessToken === undefined)
    return { ...unclear('E_TOKEN_RESPONSE', 'The token endpoint returned no access token.'), ...spent };
  // Visible ASCII is all that an Authorization header can carry (RFC 6750 2.1); the value stays out of the message.
  if (!/^[\x21-\x7e]+$/.test(accessToken)) {
    return {
      ...unclear('E_TOKEN_RESPONSE', 'The access token contains characters that an HTTP header cannot carry.'),
      ...spent,
    };
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    return {
      ...unclear(
        'E_TOKEN_RESPONSE',
        `The token endpoint returned a token of type "${sanitizeExternalText(type)}". Only Bearer can be used.`,
      ),
      ...spent,
    };
  }
  const expiresInMs = life(json['expires_in']);
  const refreshExpiresInMs = life(json['refresh_token_expires_in'] ?? json['refresh_expires_in']);
  const scopes = scopeList(json['scope']);
  return {
    kind: 'tokens',
    tokens: {
      accessToken: new Secret(accessToken),
      ...(expiresInMs === undefined ? {} : { expiresInMs }),
      ...(refreshToken ? { refreshToken } : {}),
      ...(refreshExpiresInMs === undefined ? {} : { refreshExpiresInMs }),
      ...(scopes ? { scopes } : {}),
      ...(idToken ? { idToken } : {}),
    },
  };
}

/** A server that nests its tokens may still answer a refresh in the plain way. */
function inner(json: Readonly<Record<string, unknown>>, member: string): Readonly<Record<string, unknown>> {
  const nested = z.record(z.string(), z.unknown()).safeParse(json[member]).data;
  return text(nested?.['access_token']) === undefined ? json : { ...nested };
}

/** Seconds as a number or a string of one; nonsense (zero, negative, not finite, centuries) counts as not said. */
function life(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  if (typeof seconds !== 'number' || !(seconds > 0) || seconds > longestLifeSeconds) return undefined;
  return Math.round(seconds * 1000);
}

function scopeList(value: unknown): readonly string[] | undefined {
  const list = typeof value === 'string' ? value.split(/[\s,]+/) : value;
  const parsed = z.array(z.string()).safeParse(list);
  const scopes = parsed.data?.filter((scope) => scope !== '');
  return scopes && scopes.length > 0 ? scopes : undefined;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function secret(value: unknown): Secret | undefined {
  const plain = text(value);
  return plain === undefined ? undefined : new Secret(plain);
}

const unclear = (code: 'E_REDIRECTED' | 'E_NOT_JSON' | 'E_TOKEN_RESPONSE', message: string) =>
  ({ kind: 'unclear', fault: new AppError(code, message) }) as const;
