import type { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { isUtf16, readJson } from '../../../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { retryAfterMs } from '../../http/retry-after.ts';
import { displayUrl } from '../endpoint-url.ts';
import type { AddressPolicy, Http, HttpResponse } from '../../http/http.ts';

/** One discovery: all of its requests share one deadline, one address policy and one signal. */
export interface Run {
  readonly http: Http;
  readonly allow: AddressPolicy;
  readonly signal?: AbortSignal;
  /** The remaining time in ms. Throws E_TIMEOUT if there is none. */
  remainingMs(): number;
}

export function startRun(http: Http, allow: AddressPolicy, totalMs: number, signal: AbortSignal | undefined): Run {
  const end = performance.now() + totalMs;
  return {
    http,
    allow,
    ...defined({ signal }),
    remainingMs() {
      const left = end - performance.now();
      if (left <= 0)
        throw new AppError(
          'E_TIMEOUT',
          `Looking up the sign-in metadata took longer than ${Math.round(totalMs / 1000)} s.`,
        );
      return left;
    },
  };
}

const maxDocumentBytes = 256 * 1024;
const maxHops = 3;

/**
 * The result of fetching a metadata URL. `absent`: there is no document. `not_metadata`: something else is there (a web
 * page, a redirect to another origin). `fault`: the server cannot answer now.
 */
export type Document =
  | { readonly kind: 'found'; readonly value: unknown }
  | { readonly kind: 'absent' }
  | { readonly kind: 'not_metadata'; readonly error: AppError }
  | { readonly kind: 'fault'; readonly error: AppError };

/**
 * Fetches a JSON document, following at most three redirects on the same origin. Throws network errors: they concern
 * the host, not just this document.
 */
export async function fetchDocument(run: Run, url: URL): Promise<Document> {
  let at = url;
  for (let hop = 0; ; hop += 1) {
    const response = await run.http.fetch({
      url: at,
      method: 'GET',
      headers: { accept: 'application/json' },
      allow: run.allow,
      timeoutMs: run.remainingMs(),
      maxBytes: maxDocumentBytes,
      ...defined({ signal: run.signal }),
    });
    const next = redirectTarget(response, at);
    if (!next) return readDocument(response, at);
    if (next.origin !== at.origin)
      return { kind: 'not_metadata', error: redirected(at, `to ${sanitizeExternalText(next.origin)}`) };
    if (hop === maxHops) return { kind: 'not_metadata', error: redirected(url, 'in a loop') };
    at = next;
  }
}

/** The target of a 3xx response. Undefined for other responses, or if the location is not a URL. */
export function redirectTarget(
  { status, headers }: Pick<HttpResponse, 'status' | 'headers'>,
  base: URL,
): URL | undefined {
  const location = headers['location'];
  if (status < 300 || status > 399 || location === undefined || !URL.canParse(location, base.href)) return undefined;
  return new URL(location, base);
}

export function redirected(from: URL, where: string): AppError {
  return new AppError(
    'E_REDIRECTED',
    `${displayUrl(from)} redirects ${where}. Keybridge does not follow that redirect.`,
  );
}

function readDocument(response: HttpResponse, url: URL): Document {
  const { status } = response;
  if (status >= 500 || status === 429 || status === 408) return { kind: 'fault', error: statusError(response, url) };
  if (status !== 200) return { kind: 'absent' };
  const value = readJson(response.body);
  if (isErrorObject(value))
    return {
      kind: 'not_metadata',
      error: new AppError('E_METADATA_MISSING', `${displayUrl(url)} returned an error instead of metadata.`),
    };
  if (value !== undefined) return { kind: 'found', value };
  return {
    kind: 'not_metadata',
    error: new AppError('E_METADATA_INVALID', `${displayUrl(url)} returned ${contentKind(response)} instead of JSON.`),
  };
}

export function statusError(response: Pick<HttpResponse, 'status' | 'headers'>, url: URL): AppError {
  return new AppError(
    'E_HTTP_STATUS',
    `${displayUrl(url)} responded with status ${response.status}.`,
    defined({ retryAfterMs: retryAfterMs(response.headers, Date.now()) }),
  );
}

/** Some servers send an error object with status 200. It has no metadata members. */
function isErrorObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('error' in value) || !value.error) return false;
  return !['issuer', 'resource', 'keys'].some((member) => member in value);
}

function contentKind({ headers, body }: HttpResponse): string {
  const html =
    /html/i.test(headers['content-type'] ?? '') || body.subarray(0, 64).toString('latin1').trimStart().startsWith('<');
  if (html) return 'a web page';
  return isUtf16(body) ? 'UTF-16 text' : 'something else';
}

/** Validates metadata. Throws E_METADATA_INVALID, which names the invalid member but not its value. */
export function parseMetadata<Schema extends z.ZodType>(schema: Schema, value: unknown, url: URL): z.output<Schema> {
  const parsed = schema.safeParse(withoutNulls(value));
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.map(String).join('.');
  throw new AppError(
    'E_METADATA_INVALID',
    at
      ? `${displayUrl(url)}: "${sanitizeExternalText(at)}" is missing or invalid.`
      : `${displayUrl(url)} is not a JSON object.`,
  );
}

/** Some servers send null for an absent member. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}
