import { AppError } from '../core/errors.ts';
import type { HttpHead, HttpStream } from '../core/http/client.ts';
import { isUtf16 } from '../../shared/json.ts';
import { batchItems, envelope, sameId, type Envelope } from '../../shared/json-rpc.ts';
import { isRepeatable } from './eras.ts';
import { serverWords } from './server-words.ts';
import type { Answered } from './upstream.ts';

/** Longest message in either direction, in bytes. */
export const maxMessageBytes = 16 * 1024 * 1024;

/** A request of the host (or a replay of one) that waits for its answer. */
export interface Question {
  readonly line: Uint8Array;
  readonly envelope: Envelope & { readonly id: string; readonly method: string };
}

/** What to do with what the server says while it answers. */
export interface Sink {
  /** The answer: one line, with the id as the host wrote it. Called once at most. */
  answer(line: Buffer, found: Envelope, head: HttpHead): void;
  /** A notification or a request of the server. */
  other(line: Buffer, found: Envelope): void;
  /** Resolves when the host takes more; undefined when it does now. */
  drained(): Promise<void> | undefined;
}

/** Takes one message, or a batch, that came for a question. 'dropped': not JSON-RPC, or an answer to nobody. */
export function route(message: Buffer, question: Question, sink: Sink, head: HttpHead): 'answer' | 'other' | 'dropped' {
  const bytes = withoutMark(message);
  const found = envelope(bytes);
  if (found.kind !== 'batch') return routeOne(bytes, found, question, sink, head);
  const results = (batchItems(bytes) ?? []).map((item) => routeOne(item, envelope(item), question, sink, head));
  return results.includes('answer') ? 'answer' : (results[0] ?? 'dropped');
}

function routeOne(bytes: Buffer, found: Envelope, question: Question, sink: Sink, head: HttpHead): 'answer' | 'other' | 'dropped' {
  const { id } = question.envelope;
  if (sameId(found.id, id) ? found.kind === 'response' : isNamelessError(found)) {
    sink.answer(oneLine(withId(bytes, found, id)), found, head);
    return 'answer';
  }
  if (found.kind !== 'notification' && found.kind !== 'request') return 'dropped';
  sink.other(oneLine(bytes), found);
  return 'other';
}

/** An error that names no request: a server that could not, or would not, read the id. */
const isNamelessError = (found: Envelope): boolean =>
  found.hasError && found.method === undefined && (found.id === undefined || found.id === 'null') && found.problem !== 'syntax' && found.problem !== 'depth';

/** A whole body as the answer. Throws E_NOT_JSON, E_SERVER_ANSWER, or what the status says. */
export function routeBody(whole: Buffer, question: Question, sink: Sink, stream: Answered, server: string): void {
  const body = withoutMark(whole);
  const { status } = stream;
  const ok = status >= 200 && status < 300;
  const found = envelope(body);
  if (!ok && !isNamelessError(found) && !(found.kind === 'response' && (found.hasError || sameId(found.id, question.envelope.id)))) throw statusFault(stream, body, question.envelope, server);
  if (!ok && found.id !== question.envelope.id) {
    // A refusal of the whole request belongs to it, whatever id it carries.
    sink.answer(oneLine(withId(body, found, question.envelope.id)), found, stream);
    return;
  }
  if (route(body, question, sink, stream) === 'answer') return;
  if (found.problem === 'syntax' && looksLikeHtml(body, stream)) throw new AppError('E_NOT_JSON', 'A web page came instead of the server’s answer.', { server });
  const what = body.length === 0 ? 'empty' : isUtf16(body) ? 'UTF-16 text, and JSON is UTF-8' : found.problem === 'syntax' ? 'not JSON' : 'not an answer to the call';
  throw new AppError('E_SERVER_ANSWER', `The server’s answer to ${question.envelope.method} is ${what} (status ${status}).`, { server });
}

const looksLikeHtml = (body: Buffer, stream: HttpStream): boolean =>
  /^text\/html\b/i.test(stream.headers['content-type'] ?? '') || /^\s*</.test(body.toString('latin1', 0, 64));

/** A status that came without a JSON-RPC error. */
function statusFault({ status, sent }: Answered, body: Buffer, { method, modern }: Envelope, server: string): AppError {
  const said = `The server answered with status ${status}`;
  if (status === 401 || status === 403) return new AppError('E_SERVER_REFUSED', `${said} to a call with a valid sign-in.${serverWords(body, sent)}`, { server });
  if (status === 429) return new AppError('E_RATE_LIMITED', `${said}: too many calls, without saying how long to wait.`, { server });
  if (mayHaveRun(status) && !isRepeatable(method ?? '')) return new AppError('E_OUTCOME_UNKNOWN', `${said}.`, { server });
  if (status >= 500) return new AppError('E_SERVER_UNREACHABLE', `${said}.`, { server });
  if (modern && [400, 404, 405, 406, 415].includes(status)) return new AppError('E_PROTOCOL_ERA', `${said} to a message of MCP 2026-07-28.`, { server });
  return new AppError('E_HTTP_STATUS', `${said}.`, { server });
}

/** Not by a refusal of the request as such, which comes before the work. 404 and 409 may be about what a tool was looking for. */
const mayHaveRun = (status: number): boolean => status >= 500 || [404, 408, 409, 410, 424, 499].includes(status);

/** Without the byte order mark of UTF-8: hosts do not take one inside of a line. */
const withoutMark = (bytes: Buffer): Buffer => (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes);

/** The message with this id, all other bytes as they are. */
function withId(bytes: Buffer, found: Envelope, id: string): Buffer {
  if (found.id === id) return bytes;
  if (found.idAt) return Buffer.concat([bytes.subarray(0, found.idAt[0]), Buffer.from(id), bytes.subarray(found.idAt[1])]);
  const brace = bytes.indexOf(0x7b) + 1;
  return Buffer.concat([bytes.subarray(0, brace), Buffer.from(`"id":${id},`), bytes.subarray(brace)]);
}

/** CR and LF outside of strings are white space, and inside they are not JSON: as spaces they change nothing. In place. */
export function oneLine(bytes: Buffer): Buffer {
  for (const end of [0x0a, 0x0d]) for (let at = bytes.indexOf(end); at >= 0; at = bytes.indexOf(end, at + 1)) bytes[at] = 0x20;
  return bytes;
}

/** The whole body. Throws E_TOO_LARGE above the cap, and then reads no more. */
export async function readBody(stream: HttpStream, server: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream.body) {
    bytes += chunk.length;
    if (bytes > maxMessageBytes) throw new AppError('E_TOO_LARGE', `The server’s answer has more than ${maxMessageBytes / 1_048_576} MB.`, { server });
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, bytes);
}
