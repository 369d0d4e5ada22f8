import { AppError } from '../core/base/errors.ts';
import { isUtf16 } from '../../shared/json.ts';
import { readEnvelope, sameId, type Envelope } from '../../shared/json-rpc.ts';
import { oneLine, withId, withoutByteOrderMark } from './message-bytes.ts';
import { invalidReason, isErrorWithoutId, shortBatchItems } from './message-validity.ts';
import { statusError } from './status-error.ts';
import { readEnvelopeYielding, shortBytes } from './yielding.ts';
import type { HttpHead, HttpStream } from '../core/http/http.ts';
import type { PendingRequest, ResponseHandler, ServerResponse } from './model.ts';

/**
 * What a message turned out to be: the `response`, a `server_message` (notification or request), `dropped` (a response
 * to no running request), or `invalid` (must not go to a host).
 */
export type RouteResult = 'response' | 'server_message' | 'dropped' | 'invalid';

/**
 * Routes one message or batch that arrived on the response stream of a request. Throws E_SERVER_ANSWER for a response
 * to that request that a host could not read.
 */
export function route(
  message: Buffer,
  request: PendingRequest,
  handler: ResponseHandler,
  head: HttpHead,
): RouteResult | Promise<RouteResult> {
  const bytes = withoutByteOrderMark(message);
  if (bytes.length <= shortBytes) return routeRead(bytes, readEnvelope(bytes), request, handler, head);
  return readEnvelopeYielding(bytes).then((envelope) => routeRead(bytes, envelope, request, handler, head));
}

function routeRead(
  bytes: Buffer,
  envelope: Envelope,
  request: PendingRequest,
  handler: ResponseHandler,
  head: HttpHead,
): RouteResult {
  if (envelope.kind !== 'batch') return routeOne(bytes, envelope, request, handler, head);
  const results = shortBatchItems(bytes).map((item) => routeOne(item, readEnvelope(item), request, handler, head));
  const most = (['response', 'invalid'] as const).find((result) => results.includes(result));
  return most ?? results[0] ?? 'invalid';
}

function routeOne(
  bytes: Buffer,
  envelope: Envelope,
  request: PendingRequest,
  handler: ResponseHandler,
  head: HttpHead,
): RouteResult {
  const { id } = request.envelope;
  const invalid = invalidReason(bytes, envelope);
  const isResponse = sameId(envelope.id, id) ? envelope.method === undefined : isErrorWithoutId(envelope);
  if (invalid !== undefined) {
    const isForRequest =
      isResponse || (envelope.problem !== undefined && mentionsId(bytes, id)) || hasIdOfOtherType(envelope, id);
    if (!isForRequest) return 'invalid';
    throw unreadableResponse(request, invalid);
  }
  if (isResponse) {
    handler.onResponse(oneLine(withId(bytes, envelope, id)), envelope, head);
    return 'response';
  }
  if (hasIdOfOtherType(envelope, id)) throw unreadableResponse(request, 'has an id of another type than the request');
  if (envelope.kind !== 'notification' && envelope.kind !== 'request') return 'dropped';
  handler.onServerMessage(oneLine(bytes), envelope);
  return 'server_message';
}

const unreadableResponse = ({ envelope: { method } }: PendingRequest, reason: string) =>
  new AppError('E_SERVER_ANSWER', `The server’s response to ${method} ${reason}.`);

/** A response with the request's id as a string instead of a number, or the other way round. */
const hasIdOfOtherType = (envelope: Envelope, id: string): boolean =>
  envelope.method === undefined &&
  envelope.id !== undefined &&
  (envelope.id === `"${id}"` || `"${envelope.id}"` === id);

/** Whether text that is not JSON has this id near its beginning or end, and is therefore meant as its response. */
function mentionsId(bytes: Buffer, id: string): boolean {
  const ends = `${bytes.toString('latin1', 0, 512)}\n${bytes.toString('latin1', Math.max(0, bytes.length - 512))}`;
  const ids = /"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?[\d.eE+-]+)/g;
  return [...ends.matchAll(ids)].some(([, value]) => value !== undefined && sameId(value, id));
}

/** Routes a whole body as the response. Throws E_NOT_JSON, E_SERVER_ANSWER, or the error for its status. */
export async function routeBody(
  whole: Buffer,
  request: PendingRequest,
  handler: ResponseHandler,
  stream: ServerResponse,
  server: string,
): Promise<void> {
  const body = withoutByteOrderMark(whole);
  const { id, method } = request.envelope;
  const { status } = stream;
  const ok = status >= 200 && status < 300;
  const envelope = await readEnvelopeYielding(body);
  const invalid = invalidReason(body, envelope);
  const isResponse =
    isErrorWithoutId(envelope) || (envelope.kind === 'response' && (envelope.hasError || sameId(envelope.id, id)));
  if (!ok && (invalid !== undefined || !isResponse)) throw statusError(stream, body, request.envelope, server);
  if (!ok && envelope.id !== id) {
    // An error status applies to the whole request, so its error does too, whatever id it has.
    handler.onResponse(oneLine(withId(body, envelope, id)), envelope, stream);
    return;
  }
  if (invalid !== undefined && envelope.problem === 'syntax' && looksLikeHtml(body, stream))
    throw new AppError('E_NOT_JSON', 'The server sent a web page instead of a response.', { server });
  if (routeRead(body, envelope, request, handler, stream) === 'response') return;
  const reason = invalid === undefined || envelope.problem === 'shape' ? 'is not a response to the call' : invalid;
  const text = body.length === 0 ? 'is empty' : isUtf16(body) ? 'is UTF-16 text, but JSON must be UTF-8' : reason;
  throw new AppError('E_SERVER_ANSWER', `The server’s response to ${method} ${text} (status ${status}).`, { server });
}

const looksLikeHtml = (body: Buffer, stream: HttpStream): boolean =>
  /^text\/html\b/i.test(stream.headers['content-type'] ?? '') || /^\s*</.test(body.toString('latin1', 0, 64));

/**
 * The messages of one event that belongs to no request: those that a host can read, each on one line, and the number of
 * others.
 */
export async function readServerMessages(
  message: Buffer,
): Promise<{ readonly lines: readonly Buffer[]; readonly invalid: number }> {
  const bytes = withoutByteOrderMark(message);
  const whole = await readEnvelopeYielding(bytes);
  const items = whole.kind === 'batch' ? shortBatchItems(bytes) : [bytes];
  const valid = items.filter((item) => {
    const envelope = item === bytes ? whole : readEnvelope(item);
    const isServerMessage = envelope.kind === 'notification' || envelope.kind === 'request';
    return isServerMessage && invalidReason(item, envelope) === undefined;
  });
  return { lines: valid.map(oneLine), invalid: items.length - valid.length };
}
