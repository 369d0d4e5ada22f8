import { z } from 'zod';
import { defined } from '../../../shared/defined.ts';
import { readJson, readText } from '../../../shared/json.ts';
import { sanitizeExternalText } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import { redactSecrets } from './redact-echo.ts';
import type { HttpResponse } from '../http/http.ts';

/** The reason of a refusal in the server's words, not yet sanitized for display. */
export interface ErrorResponse {
  /** An OAuth error code (RFC 6749 5.2 and extensions). */
  readonly error?: string;
  readonly description?: string;
}

type Members = Readonly<Record<string, unknown>>;

/**
 * Members with a reason in the responses of servers that do not follow RFC 6749 5.2: RFC 9457 and common frameworks.
 */
const reasonMembers = ['error_description', 'detail', 'message', 'error_message', 'title', 'msg', 'reason', 'errors'];
const codeMembers = ['error', 'code', 'type', 'status'];
/** How deep to search for a reason. */
const maxDepth = 4;

/** Codes that are recognized in any member (RFC 6749 5.2, 7591 3.2.2, 8628 3.5, 8707 2). */
const knownCodes: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
  'slow_down',
  'authorization_pending',
  'expired_token',
  'invalid_redirect_uri',
  'invalid_client_metadata',
  'invalid_software_statement',
  'unapproved_software_statement',
]);

/**
 * Reads the reason of a refusal: RFC 6749 5.2, the same in a list, inside `error`, in a form or in plain text, problem
 * details (RFC 9457), and the formats of common frameworks. Returns an empty object for a web page.
 */
export function readErrorResponse({ headers, body }: Pick<HttpResponse, 'headers' | 'body'>): ErrorResponse {
  const text = readText(body).trim();
  const json = readJson(text);
  if (json !== undefined) return fromJson(json, maxDepth);
  if (/^error=|&error=/.test(text)) return fromMembers(Object.fromEntries(new URLSearchParams(text)));
  const page = text.startsWith('<') || /html|xml/i.test(headers['content-type'] ?? '');
  return page || text === '' ? {} : described(text);
}

/** Whether a status is a refusal that is not temporary by its meaning (408, 425 and 429 are). */
export const isRefusal = (status: number): boolean =>
  status >= 400 && status < 500 && ![408, 425, 429].includes(status);

/**
 * "code: reason" on one line of limited length, with secrets redacted; empty if the server gave none. `form`,
 * `secrets`: see `redactSecrets`.
 */
export function errorWords(
  { error, description }: ErrorResponse,
  form: string,
  ...secrets: readonly (Secret | undefined)[]
): string {
  const clean = (words: string | undefined, length: number) =>
    words === undefined ? '' : sanitizeExternalText(redactSecrets(words, form, ...secrets), length);
  return [clean(error, 80), clean(description, 150)].filter((part) => part !== '').join(': ');
}

function fromJson(value: unknown, depth: number): ErrorResponse {
  if (typeof value === 'string') return described(value);
  if (Array.isArray(value))
    return (
      (depth === 0 ? [] : value)
        .map((item) => fromJson(item, depth - 1))
        .find(({ error, description }) => error !== undefined || description !== undefined) ?? {}
    );
  const members = z.record(z.string(), z.unknown()).safeParse(value).data;
  return members ? fromMembers(members) : {};
}

function fromMembers(members: Members): ErrorResponse {
  const { error } = members;
  const description = reasonIn(members, maxDepth) ?? (isText(error) ? undefined : reasonIn(error, maxDepth));
  if (isText(error)) return { error, ...defined({ description }) };
  return description === undefined ? withCode(members, {}) : withCode(members, described(description));
}

/** Adds a known error code from an unusual member. */
function withCode(members: Members, response: ErrorResponse): ErrorResponse {
  const inner = z.record(z.string(), z.unknown()).safeParse(members['error']).data ?? {};
  const code = codeMembers
    .flatMap((name) => [inner[name], members[name]])
    .find((value) => typeof value === 'string' && knownCodes.has(value));
  return typeof code === 'string' ? { ...response, error: code } : response;
}

/** Some servers send the bare code as the description. */
const described = (words: string): ErrorResponse => (knownCodes.has(words) ? { error: words } : { description: words });

function reasonIn(value: unknown, depth: number): string | undefined {
  if (isText(value)) return value;
  if (typeof value !== 'object' || value === null || depth === 0) return undefined;
  const parts: readonly unknown[] = Array.isArray(value)
    ? value
    : reasonMembers.map((name) => (value as Members)[name]);
  for (const part of parts) {
    const reason = reasonIn(part, depth - 1);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
