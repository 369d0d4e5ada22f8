import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { isUtf16, readJsonObject } from '../../../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { retryAfterMs } from '../../http/retry-after.ts';
import { Secret } from '../../base/secret.ts';
import { isRefusal, readErrorResponse, type ErrorResponse } from '../error-response.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { TokenVerdict } from '../model.ts';

/** A longer lifetime is an error of the server, and would overflow arithmetic. */
const maxLifeSeconds = 10 * 366 * 24 * 60 * 60;

/**
 * Reads a token response as real servers send it (RFC 6749 5.1, 5.2): null for absent members, numbers as strings, no
 * `token_type`, status 201; errors with status 200, in text/plain, or with a 401 and a challenge. `now`: Unix ms, for
 * Retry-After. `tokensIn`: the member that contains the tokens, if they are nested.
 */
export function readTokenResponse(response: HttpResponse, now: number, tokensIn?: string): TokenVerdict {
  const { status, headers } = response;
  if (status >= 300 && status < 400) return unclear('E_REDIRECTED', 'The token endpoint responded with a redirect.');
  const json = readJsonObject(response.body);
  const isSuccess = status >= 200 && status < 300;
  const tokens = json && (tokensIn === undefined ? json : nestedTokens(json, tokensIn));
  const hasPlainError = text(json?.['error']) !== undefined;
  if (isSuccess && tokens && !hasPlainError && text(tokens['access_token']) !== undefined) return readTokens(tokens);
  const reason = readErrorResponse(response);
  const waitMs = retryAfterMs(headers, now);
  // In a successful response an error code counts only where RFC 6749 puts it.
  if (reason.error !== undefined && (!isSuccess || hasPlainError)) {
    const error = correctedError(reason.error, status);
    return { kind: 'error', error, status, ...defined({ description: reason.description, retryAfterMs: waitMs }) };
  }
  if (!isSuccess) return withoutErrorCode(status, reason, waitMs);
  const what = isUtf16(response.body) ? 'UTF-16 text, but JSON must be UTF-8' : 'something other than JSON';
  const verdict = tokens ? readTokens(tokens) : unclear('E_NOT_JSON', `The token endpoint responded with ${what}.`);
  return verdict.kind === 'unclear' ? { ...verdict, reason } : verdict;
}

function withoutErrorCode(status: number, reason: ErrorResponse, waitMs: number | undefined): TokenVerdict {
  const [code, words] = isRefusal(status)
    ? (['E_TOKEN_REFUSED', `refused the request (status ${status})`] as const)
    : (['E_HTTP_STATUS', `responded with status ${status}`] as const);
  const fault = new AppError(code, `The token endpoint ${words}.`, defined({ retryAfterMs: waitMs }));
  // Other refusals may come from a firewall or gateway, and be temporary.
  const isFinal = waitMs === undefined && (status === 401 || (status === 400 && reason.description !== undefined));
  return { kind: 'unclear', fault, status, reason, ...(isFinal ? { refused: true } : {}) };
}

/** Older servers on the official Python SDK respond to an unknown client with this error (RFC 6749 5.2). */
const correctedError = (error: string, status: number): string =>
  error === 'unauthorized_client' && status === 401 ? 'invalid_client' : error;

function readTokens(json: Readonly<Record<string, unknown>>): TokenVerdict {
  const refreshToken = secret(json['refresh_token']);
  const accessToken = text(json['access_token']);
  const fault = tokenFault(accessToken, json['token_type'] ?? 'bearer');
  if (accessToken === undefined || fault !== undefined)
    return { ...unclear('E_TOKEN_RESPONSE', fault ?? ''), ...defined({ rotated: refreshToken }) };
  return {
    kind: 'tokens',
    tokens: {
      accessToken: new Secret(accessToken),
      ...defined({
        expiresInMs: lifeMs(json['expires_in']),
        refreshToken,
        refreshExpiresInMs: lifeMs(json['refresh_token_expires_in'] ?? json['refresh_expires_in']),
        scopes: scopeList(json['scope']),
        idToken: secret(json['id_token']),
      }),
    },
  };
}

/** Why the access token cannot be used. */
function tokenFault(accessToken: string | undefined, type: unknown): string | undefined {
  if (accessToken === undefined) return 'The token endpoint returned no access token.';
  // An Authorization header allows visible ASCII only (RFC 6750 2.1). The value stays out of the message.
  if (!/^[\x21-\x7e]+$/.test(accessToken))
    return 'The access token contains characters that an HTTP header cannot carry.';
  if (typeof type === 'string' && type.toLowerCase() === 'bearer') return undefined;
  return `The token endpoint returned a token of type "${sanitizeExternalText(type)}". Only Bearer can be used.`;
}

/** A server that nests its tokens may still respond to a refresh without nesting. */
function nestedTokens(json: Readonly<Record<string, unknown>>, member: string): Readonly<Record<string, unknown>> {
  const nested = z.record(z.string(), z.unknown()).safeParse(json[member]).data;
  return text(nested?.['access_token']) === undefined ? json : { ...nested };
}

/** From seconds, as a number or a string. Zero, negative, infinite and absurdly long lifetimes count as not stated. */
function lifeMs(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  if (typeof seconds !== 'number' || !(seconds > 0) || seconds > maxLifeSeconds) return undefined;
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
