import type { z } from 'zod';
import { isUtf16, readJson } from '../../../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { retryAfterMs } from '../../http/retry-after.ts';
import { displayUrl } from '../endpoint-url.ts';
import type { AddressPolicy, Http, HttpResponse } from '../../http/http.ts';

/** One discovery: everything it does shares one deadline, one address policy and one signal. */
export interface Run {
  readonly http: Http;
  readonly allow: AddressPolicy;
  readonly signal?: AbortSignal;
  /** Time that is left, in ms. Throws E_TIMEOUT when there is none. */
  remainingMs(): number;
}

export function startRun(http: Http, allow: AddressPolicy, totalMs: number, signal: AbortSignal | undefined): Run {
  const end = performance.now() + totalMs;
  return {
    http,
    allow,
    ...(signal ? { signal } : {}),
    remainingMs() {
      const left = end - performance.now();
      if (left <= 0)
        throw new AppError('E_TIMEOUT', `Finding out how to sign in took longer than ${Math.round(totalMs / 1000)} s.`);
      return left;
    },
  };
}

const maxDocumentBytes = 256 * 1024;
const maxHops = 3;

/**
 * What lies at a metadata URL. `absent`: the server says that there is nothing. `strange`: it answered with something
 * else than metadata (a page, a redirect to elsewhere). `fault`: it could not answer now.
 */
export type Document =
  | { readonly kind: 'found'; readonly value: unknown }
  | { readonly kind: 'absent' }
  | { readonly kind: 'strange'; readonly error: AppError }
  | { readonly kind: 'fault'; readonly error: AppError };

/**
 * Fetches a JSON document, following at most three redirects on the same origin. Faults of the network are thrown:
 * they say something about the host, not about this one document.
 */
export async function fetchDocument(run: Run, url: URL): Promise<Document> {
  let at = url;
  for (let hop = 0; ; hop += 1) {
    const answer = await run.http.fetch({
      url: at,
      method: 'GET',
      headers: { accept: 'application/json' },
      allow: run.allow,
      timeoutMs: run.remainingMs(),
      maxBytes: maxDocumentBytes,
      ...(run.signal ? { signal: run.signal } : {}),
    });
    const next = redirectTarget(answer, at);
    if (!next) return readDocument(answer, at);
    if (next.origin !== at.origin)
      return { kind: 'strange', error: redirected(at, `to ${sanitizeExternalText(next.origin)}`) };
    if (hop === maxHops) return { kind: 'strange', error: redirected(url, 'in a circle') };
    at = next;
  }
}

/** Where a 3xx answer points. */
export function redirectTarget(
  { status, headers }: Pick<HttpResponse, 'status' | 'headers'>,
  base: URL,
): URL | undefined {
  const location = headers['location'];
  if (status < 300 || status > 399 || location === undefined || !URL.canParse(location, base.href)) return undefined;
  return new URL(location, base);
}

export function redirected(from: URL, where: string): AppError {
  return new AppError('E_REDIRECTED', `${displayUrl(from)} redirects ${where}, which is not followed.`);
}

function readDocument(answer: HttpResponse, url: URL): Document {
  const { status } = answer;
  if (status >= 500 || status === 429 || status === 408) return { kind: 'fault', error: statusError(answer, url) };
  if (status !== 200) return { kind: 'absent' };
  const value = readJson(answer.body);
  if (isErrorAnswer(value))
    return {
      kind: 'strange',
      error: new AppError('E_METADATA_MISSING', `${displayUrl(url)} answered with an error instead of metadata.`),
    };
  if (value !== undefined) return { kind: 'found', value };
  return {
    kind: 'strange',
    error: new AppError('E_METADATA_INVALID', `${displayUrl(url)} answered with ${kindOf(answer)} instead of JSON.`),
  };
}

export function statusError(answer: Pick<HttpResponse, 'status' | 'headers'>, url: URL): AppError {
  const wait = retryAfterMs(answer.headers, Date.now());
  return new AppError(
    'E_HTTP_STATUS',
    `${displayUrl(url)} answered with status ${answer.status}.`,
    wait === undefined ? {} : { retryAfterMs: wait },
  );
}

/** An error object with status 200 and no metadata members beside it. */
function isErrorAnswer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('error' in value) || !value.error) return false;
  return !['issuer', 'resource', 'keys'].some((member) => member in value);
}

function kindOf({ headers, body }: HttpResponse): string {
  const html =
    /html/i.test(headers['content-type'] ?? '') || body.subarray(0, 64).toString('latin1').trimStart().startsWith('<');
  if (html) return 'a web page';
  return isUtf16(body) ? 'UTF-16 text' : 'something else';
}

/** Metadata that has been read; what does not fit is an error that names the member, never its value. */
export function parseMetadata<Schema extends z.ZodType>(schema: Schema, value: unknown, url: URL): z.output<Schema> {
  const parsed = schema.safeParse(withoutNulls(value));
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.map(String).join('.');
  throw new AppError(
    'E_METADATA_INVALID',
    at
      ? `${displayUrl(url)}: "${sanitizeExternalText(at)}" is missing or not valid.`
      : `${displayUrl(url)} is not a JSON object.`,
  );
}

/** Servers write null for what they do not have. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}
