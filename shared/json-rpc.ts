// Must not import packages or Node modules, because the bridge loads it.
import { errorPage, type ErrorCode } from './errors.ts';
import { readJson } from './json.ts';
import { eachMember, elements, fail, rawText, skipSpace, skipValue, textOf, type Cursor } from './json-scan.ts';
import { openBrace, openBracket, quote } from './json-tokens.ts';
import type { KnownValues } from './json-walk.ts';
import { flawOf, newForm, readError } from './json-rpc-form.ts';
import { bridgeErrorCode } from './local-protocol.ts';

declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** What routing needs to know about one JSON-RPC message. The message itself stays as it was received, in bytes. */
export interface Envelope {
  /** `batch`: an array (MCP 2025-03-26 only); `batchItems` splits it. */
  kind: 'request' | 'notification' | 'response' | 'batch' | 'invalid';
  /** Why it is invalid: not JSON, nested too deeply, or JSON that is not JSON-RPC. */
  problem?: 'syntax' | 'depth' | 'shape';
  /** The id as text (`1`, `"a"`, `12345678901234567890`), because a number would lose digits. */
  id?: string;
  /** The byte offsets of the id. */
  idAt?: readonly [start: number, end: number];
  method?: string;
  /** The value of the `Mcp-Name` header: `params.name`, or `params.uri` or `params.taskId`, depending on the method. */
  name?: string;
  /**
   * `params._meta["io.modelcontextprotocol/protocolVersion"]` (2026-07-28 and later), else `params.protocolVersion`.
   */
  protocolVersion?: string;
  /** The version is in `_meta`: a message of the stateless protocol generation. */
  stateless: boolean;
  /** `params.requestId` as text: the request that `notifications/cancelled` cancels. */
  cancels?: string;
  hasResult: boolean;
  /** `error` is an object. In errors of OAuth or HTTP it is a string. */
  hasError: boolean;
  /**
   * The first rule that the message breaks (JSON-RPC 2.0 sections 4 and 5, MCP base protocol), as a predicate:
   * `has two ids`. Strict hosts reject such a message.
   */
  flaw?: string;
}

/**
 * Reads one message in one pass over its bytes. If a member occurs twice, the last one counts, as in JSON.parse.
 * `known`: from an earlier scan of a long message.
 */
export function readEnvelope(message: Uint8Array | string, known?: KnownValues): Envelope {
  const bytes = typeof message === 'string' ? new TextEncoder().encode(message) : message;
  const cursor: Cursor = { bytes, at: 0, fault: undefined, ...(known ? { known } : {}) };
  const envelope: Envelope = { kind: 'invalid', stateless: false, hasResult: false, hasError: false };
  const first = skipSpace(cursor);
  if (first === openBrace) readMessage(cursor, envelope);
  else skipValue(cursor);
  if (skipSpace(cursor) !== undefined) fail(cursor);
  if (cursor.fault) envelope.problem = cursor.fault;
  else if (first === openBracket) envelope.kind = 'batch';
  else if (first === openBrace) setKind(envelope);
  if (envelope.kind === 'invalid') envelope.problem ??= 'shape';
  return envelope;
}

function setKind(envelope: Envelope): void {
  const hasOutcome = envelope.hasResult || envelope.hasError;
  if (envelope.method !== undefined) {
    if (envelope.id === undefined) envelope.kind = 'notification';
    else if (envelope.id !== 'null') envelope.kind = 'request';
  } else if (hasOutcome && envelope.id !== undefined) envelope.kind = 'response';
}

interface Names {
  name?: string;
  uri?: string;
  taskId?: string;
}

function readMessage(cursor: Cursor, envelope: Envelope): void {
  const { bytes } = cursor;
  const form = newForm();
  let names: Names = {};
  eachMember(cursor, (key) => {
    const start = cursor.at;
    const first = bytes[start] ?? 0;
    if (key === 'params' && first === openBrace) {
      names = {};
      delete envelope.cancels;
      readParams(cursor, envelope, names);
      return;
    }
    if (key === 'error' && first === openBrace) readError(cursor, form);
    else skipValue(cursor);
    if (key === 'id') {
      readId(cursor, envelope, start);
      form.ids += 1;
    } else if (key === 'method') {
      envelope.method = shortText(bytes, start, cursor.at);
      form.badMethod = first !== quote;
    } else if (key === 'result') {
      envelope.hasResult = true;
      form.badResult = first !== openBrace;
    } else if (key === 'error') {
      envelope.hasError = first === openBrace;
      form.hasErrorMember = true;
    } else if (key === 'params') form.badParams = true;
    else if (key === 'jsonrpc') form.version = cursor.fault ? '' : rawText(bytes, start, cursor.at);
  });
  const { method = '' } = envelope;
  const name =
    method === 'resources/read' ? names.uri : method.startsWith('tasks/') ? names.taskId : (names.name ?? names.uri);
  if (name !== undefined) envelope.name = name;
  const flaw = flawOf(envelope, form);
  if (flaw !== undefined) envelope.flaw = flaw;
}

/** No method or name that fits into a header is longer. */
const maxTextBytes = 64 * 1024;
const shortText = (bytes: Uint8Array, start: number, end: number): string =>
  end - start > maxTextBytes ? '' : textOf(bytes, start, end);

/** An id is a string, a number or null. Anything else counts as null, because no response could repeat it. */
function readId(cursor: Cursor, envelope: Envelope, start: number): void {
  const first = cursor.bytes[start] ?? 0;
  if (cursor.fault) return;
  const readable = first === quote || first === 0x2d || first === 0x6e || (first >= 0x30 && first <= 0x39);
  const id = readable ? rawText(cursor.bytes, start, cursor.at) : 'null';
  envelope.id = id;
  envelope.idAt = [start, cursor.at];
}

function readParams(cursor: Cursor, envelope: Envelope, names: Names): void {
  eachMember(cursor, (key) => {
    const start = cursor.at;
    if (key === '_meta' && cursor.bytes[start] === openBrace) return readMeta(cursor, envelope);
    skipValue(cursor);
    if (key === 'requestId') envelope.cancels = rawText(cursor.bytes, start, cursor.at);
    else if (key === 'name' || key === 'uri' || key === 'taskId')
      names[key] = shortText(cursor.bytes, start, cursor.at);
    else if (key === 'protocolVersion' && !envelope.stateless)
      envelope.protocolVersion = shortText(cursor.bytes, start, cursor.at);
  });
}

function readMeta(cursor: Cursor, envelope: Envelope): void {
  eachMember(cursor, (key) => {
    const start = cursor.at;
    skipValue(cursor);
    if (key !== 'io.modelcontextprotocol/protocolVersion') return;
    envelope.protocolVersion = shortText(cursor.bytes, start, cursor.at);
    envelope.stateless = true;
  });
}

/** Most messages in one batch: each costs memory, and 16 MB have room for millions. */
export const maxBatchItems = 1_000;

/**
 * Splits a batch into its messages, which share its memory. Undefined if there are more than `maxBatchItems`. A batch
 * inside a batch is not a message (JSON-RPC 2.0 section 6), and is not split: each level would cost a pass over its
 * bytes.
 */
export function batchItems<Bytes extends Uint8Array>(batch: Bytes): Bytes[] | undefined {
  const cursor: Cursor = { bytes: batch, at: 0, fault: undefined };
  const items: Bytes[] = [];
  skipSpace(cursor);
  for (const [start, end] of elements(cursor)) {
    if (items.length === maxBatchItems) return undefined;
    items.push(batch.subarray(start, end) as Bytes);
  }
  return items;
}

/**
 * Whether two ids have the same value. They may be written differently, because servers parse and print them: `1e3`,
 * large integers. False for null.
 */
export function sameId(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === 'null' || b === 'null') return false;
  if (a === b) return true;
  const value = readJson(a);
  return value !== undefined && value === readJson(b);
}

/** The id at the end of a message of which only the end is there. Only the `jsonrpc` member may follow the id. */
export function idAtEnd(tail: string): string | undefined {
  const id = /"id"\s*:\s*(-?\d[\d.eE+-]*|"(?:[^"\\]|\\.)*")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(tail)?.[1];
  return id !== undefined && readJson(id) !== undefined ? id : undefined;
}

export interface LineError {
  code: ErrorCode;
  message: string;
  remedy: string;
  server?: string | undefined;
  retryAfterMs?: number | undefined;
}

/**
 * A JSON-RPC error response, without the newline. `rawId`: the request's id as text, or 'null' if it has none. The
 * message says what happened and what to do, because most hosts show nothing else.
 */
export function errorLine(rawId: string, info: LineError, code: number = bridgeErrorCode): string {
  const prefix = info.server === undefined || info.message.includes(info.server) ? '' : `${info.server}: `;
  const data: Record<string, unknown> = { code: info.code, remedy: info.remedy, page: errorPage(info.code) };
  if (info.server !== undefined) data['server'] = info.server;
  if (info.retryAfterMs !== undefined) data['retryAfterMs'] = info.retryAfterMs;
  const error = { code, message: `${prefix}${info.message} ${info.remedy} [${info.code}]`, data };
  return `{"jsonrpc":"2.0","id":${rawId},"error":${JSON.stringify(error)}}`;
}

/** JSON-RPC 2.0 section 5.1. */
export const parseErrorCode = -32_700;
export const invalidRequestCode = -32_600;
