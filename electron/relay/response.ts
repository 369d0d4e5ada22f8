import { isUtf8 } from 'node:buffer';
import { AppError } from '../core/base/errors.ts';
import { isUtf16 } from '../../shared/json.ts';
import { createByteBuilder } from '../core/http/byte-builder.ts';
import { batchItems, readEnvelope, sameId, type Envelope } from '../../shared/json-rpc.ts';
import { isRepeatable } from '../../shared/mcp-methods.ts';
import { isVersion } from './request-headers.ts';
import { serverErrorText } from './server-error-text.ts';
import { readEnvelopeYielding, shortBytes } from './yielding.ts';
import type { HttpHead, HttpStream } from '../core/http/http.ts';
import type { RelayResponse } from './model.ts';

/** Longest message in either direction, in bytes. */
export const maxMessageBytes = 16 * 1024 * 1024;

/** A request of the host (or a replay of one) that waits for its answer. */
export interface PendingRequest {
  readonly line: Uint8Array;
  readonly envelope: Envelope & { readonly id: string; readonly method: string };
}

/** What to do with what the server says while it answers. */
export interface ResponseHandler {
  /** The answer: one line, with the id as the host wrote it. Called once at most. */
  onResponse(line: Buffer, found: Envelope, head: HttpHead): void;
  /** A notification or a request of the server. */
  onServerMessage(line: Buffer, found: Envelope): void;
  /** Resolves when the host takes more; undefined when it does now. */
  drained(): Promise<void> | undefined;
}

/**
 * What became of a message: `dropped` means that it is nobody's answer, `invalid` that it is not what may go to a host.
 */
export type RouteResult = 'answer' | 'other' | 'dropped' | 'invalid';

/**
 * Takes one message, or a batch, that came for a question. Throws E_SERVER_ANSWER for an answer to it that a host could
 * not read.
 */
export function route(
  message: Buffer,
  request: PendingRequest,
  handler: ResponseHandler,
  head: HttpHead,
): RouteResult | Promise<RouteResult> {
  const bytes = withoutByteOrderMark(message);
  if (bytes.length <= shortBytes) return routeRead(bytes, readEnvelope(bytes), request, handler, head);
  return readEnvelopeYielding(bytes).then((found) => routeRead(bytes, found, request, handler, head));
}

/** The same for a message that has been read. */
function routeRead(
  bytes: Buffer,
  found: Envelope,
  request: PendingRequest,
  handler: ResponseHandler,
  head: HttpHead,
): RouteResult {
  if (found.kind !== 'batch') return routeOne(bytes, found, request, handler, head);
  const results = (bytes.length > longestBatch ? [] : (batchItems(bytes) ?? [])).map((item) =>
    routeOne(item, readEnvelope(item), request, handler, head),
  );
  return (['answer', 'invalid'] as const).find((one) => results.includes(one)) ?? results[0] ?? 'invalid';
}

/** Only one old revision of MCP has batches, and none of a server's is long. */
const longestBatch = 1024 * 1024;

function routeOne(
  bytes: Buffer,
  found: Envelope,
  request: PendingRequest,
  handler: ResponseHandler,
  head: HttpHead,
): RouteResult {
  const { id } = request.envelope;
  const invalid = invalidReason(bytes, found);
  const ours = sameId(found.id, id) ? found.method === undefined : isErrorWithoutId(found);
  if (invalid !== undefined) {
    if (!ours && !(found.problem !== undefined && saysId(bytes, id)) && !isOtherType(found, id)) return 'invalid';
    throw unreadable(request, invalid);
  }
  if (ours) {
    handler.onResponse(oneLine(withId(bytes, found, id)), found, head);
    return 'answer';
  }
  if (isOtherType(found, id)) throw unreadable(request, 'has the id as another type than it was sent');
  if (found.kind !== 'notification' && found.kind !== 'request') return 'dropped';
  handler.onServerMessage(oneLine(bytes), found);
  return 'other';
}

const unreadable = ({ envelope: { method } }: PendingRequest, why: string) =>
  new AppError('E_SERVER_ANSWER', `The server’s answer to ${method} ${why}.`);

/** Why a message may not go to a host, as what it does; undefined: it may. */
function invalidReason(bytes: Buffer, found: Envelope): string | undefined {
  if (found.problem === 'syntax') return 'is not JSON';
  if (found.problem === 'depth') return 'is nested too deep';
  if (!isUtf8(bytes)) return 'is not UTF-8';
  return found.flaw ?? (found.kind === 'invalid' && !isErrorWithoutId(found) ? 'is not a JSON-RPC message' : undefined);
}

/**
 * What a server says on its own: the messages in it that a host can read, each on one line, and how many others there
 * were.
 */
export async function readServerMessages(
  message: Buffer,
): Promise<{ readonly lines: readonly Buffer[]; readonly invalid: number }> {
  const bytes = withoutByteOrderMark(message);
  const whole = await readEnvelopeYielding(bytes);
  const items = whole.kind === 'batch' ? (bytes.length > longestBatch ? [] : (batchItems(bytes) ?? [])) : [bytes];
  const fit = items.filter((item) => {
    const found = item === bytes ? whole : readEnvelope(item);
    return (found.kind === 'notification' || found.kind === 'request') && invalidReason(item, found) === undefined;
  });
  return { lines: fit.map(oneLine), invalid: items.length - fit.length };
}

/** The id of the call, between quotes or without the quotes that it had. */
const isOtherType = (found: Envelope, id: string): boolean =>
  found.method === undefined && found.id !== undefined && (found.id === `"${id}"` || `"${found.id}"` === id);

/** Whether what is no JSON has this id at its beginning or its end: then nobody else waits for it. */
function saysId(bytes: Buffer, id: string): boolean {
  const ends = `${bytes.toString('latin1', 0, 512)}\n${bytes.toString('latin1', Math.max(0, bytes.length - 512))}`;
  const said = /"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?[\d.eE+-]+)/g;
  return [...ends.matchAll(said)].some(([, one]) => one !== undefined && sameId(one, id));
}

/** An error that names no request: a server that could not, or would not, read the id. */
export const isErrorWithoutId = (found: Envelope): boolean =>
  found.hasError &&
  found.method === undefined &&
  (found.id === undefined || found.id === 'null') &&
  found.problem !== 'syntax' &&
  found.problem !== 'depth';

/** A whole body as the answer. Throws E_NOT_JSON, E_SERVER_ANSWER, or what the status says. */
export async function routeBody(
  whole: Buffer,
  request: PendingRequest,
  handler: ResponseHandler,
  stream: RelayResponse,
  server: string,
): Promise<void> {
  const body = withoutByteOrderMark(whole);
  const { status } = stream;
  const ok = status >= 200 && status < 300;
  const found = await readEnvelopeYielding(body);
  const invalid = invalidReason(body, found);
  const isAnswer =
    isErrorWithoutId(found) || (found.kind === 'response' && (found.hasError || sameId(found.id, request.envelope.id)));
  if (!ok && (invalid !== undefined || !isAnswer)) throw statusFault(stream, body, request.envelope, server);
  if (!ok && found.id !== request.envelope.id) {
    // A refusal of the whole request belongs to it, whatever id it carries.
    handler.onResponse(oneLine(withId(body, found, request.envelope.id)), found, stream);
    return;
  }
  if (invalid !== undefined && found.problem === 'syntax' && looksLikeHtml(body, stream))
    throw new AppError('E_NOT_JSON', 'A web page came instead of the server’s answer.', { server });
  const routed = routeRead(body, found, request, handler, stream);
  if (routed === 'answer') return;
  const what =
    body.length === 0
      ? 'is empty'
      : isUtf16(body)
        ? 'is UTF-16 text, and JSON is UTF-8'
        : invalid === undefined || found.problem === 'shape'
          ? 'is not an answer to the call'
          : invalid;
  throw new AppError(
    'E_SERVER_ANSWER',
    `The server’s answer to ${request.envelope.method} ${what} (status ${status}).`,
    { server },
  );
}

const looksLikeHtml = (body: Buffer, stream: HttpStream): boolean =>
  /^text\/html\b/i.test(stream.headers['content-type'] ?? '') || /^\s*</.test(body.toString('latin1', 0, 64));

/** A status that came without a JSON-RPC error. */
function statusFault(
  { status, sent }: RelayResponse,
  body: Buffer,
  { method, stateless, protocolVersion }: Envelope,
  server: string,
): AppError {
  const said = `The server answered with status ${status}`;
  if (status === 401 || status === 403)
    return new AppError('E_SERVER_REFUSED', `${said} to a call with a valid sign-in.${serverErrorText(body, sent)}`, {
      server,
    });
  if (status === 429)
    return new AppError('E_RATE_LIMITED', `${said}: too many calls, without saying how long to wait.`, { server });
  if (mayHaveRun(status) && !isRepeatable(method ?? ''))
    return new AppError('E_OUTCOME_UNKNOWN', `${said}.`, { server });
  if (status >= 500) return new AppError('E_SERVER_UNREACHABLE', `${said}.`, { server });
  if (stateless && [400, 404, 405, 406, 415].includes(status))
    return new AppError(
      'E_PROTOCOL_ERA',
      `${said} to a message of MCP ${isVersion(protocolVersion) ? protocolVersion : 'without sessions'}.`,
      { server },
    );
  return new AppError('E_HTTP_STATUS', `${said}.`, { server });
}

/**
 * Not by a refusal of the request as such, which comes before the work. 404 and 409 may be about what a tool was
 * looking for.
 */
const mayHaveRun = (status: number): boolean => status >= 500 || [404, 408, 409, 410, 424, 499].includes(status);

/** Without the byte order mark of UTF-8: hosts do not take one inside of a line. */
const withoutByteOrderMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;

/** The message with this id, all other bytes as they are. */
function withId(bytes: Buffer, found: Envelope, id: string): Buffer {
  if (found.id === id) return bytes;
  if (found.idAt)
    return Buffer.concat([bytes.subarray(0, found.idAt[0]), Buffer.from(id), bytes.subarray(found.idAt[1])]);
  const brace = bytes.indexOf(0x7b) + 1;
  return Buffer.concat([bytes.subarray(0, brace), Buffer.from(`"id":${id},`), bytes.subarray(brace)]);
}

/** CR and LF as spaces, in place: of valid JSON that changes nothing, because they stand between values only. */
function oneLine(bytes: Buffer): Buffer {
  const [lf, cr] = [bytes.indexOf(0x0a), bytes.indexOf(0x0d)];
  if (lf < 0 && cr < 0) return bytes;
  for (let at = lf < 0 || cr < 0 ? Math.max(lf, cr) : Math.min(lf, cr); at < bytes.length; at += 1)
    if (bytes[at] === 0x0a || bytes[at] === 0x0d) bytes[at] = 0x20;
  return bytes;
}

/** The whole body. Throws E_TOO_LARGE above the cap, and then reads no more. */
export async function readBody(stream: HttpStream, server: string): Promise<Buffer> {
  const all = createByteBuilder();
  for await (const chunk of stream.body) {
    if (all.bytes + chunk.length > maxMessageBytes)
      throw new AppError('E_TOO_LARGE', `The server’s answer has more than ${maxMessageBytes / 1_048_576} MB.`, {
        server,
      });
    all.add(chunk);
  }
  return all.take();
}
