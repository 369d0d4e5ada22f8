// No packages, no Node: the bridge loads this file.
import { errorPage, type ErrorCode } from './errors.ts';
import { readJson } from './json.ts';
import {
  eachMember,
  elements,
  fail,
  rawText,
  skipSpace,
  skipValue,
  textOf,
  type Cursor,
  type Known,
} from './json-scan.ts';
import { flawOf, newForm, readError } from './json-rpc-form.ts';
import { bridgeErrorCode } from './local-protocol.ts';

declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** What routing needs to know of one JSON-RPC message. The message itself stays the bytes that came. */
export interface Envelope {
  /** `batch`: an array (MCP 2025-03-26 only), to be taken apart with `batchItems`. */
  kind: 'request' | 'notification' | 'response' | 'batch' | 'invalid';
  /** Why it is invalid: no JSON, nested too deep, or JSON that is no JSON-RPC. */
  problem?: 'syntax' | 'depth' | 'shape';
  /** The id as it stands in the text (`1`, `"a"`, `12345678901234567890`): never a number, which would lose digits. */
  id?: string;
  /** Where the id stands, as byte offsets. */
  idAt?: readonly [start: number, end: number];
  method?: string;
  /** What the message is about: `params.name`, or `params.uri` or `params.taskId` by method (the `Mcp-Name` header). */
  name?: string;
  /**
   * `params._meta["io.modelcontextprotocol/protocolVersion"]` (2026-07-28 and later), else `params.protocolVersion`.
   */
  protocolVersion?: string;
  /** The version stands in `_meta`: a message of the generation without `initialize`. */
  stateless: boolean;
  /** `params.requestId` as it stands: what `notifications/cancelled` cancels. */
  cancels?: string;
  hasResult: boolean;
  /** Its `error` is an object: an error of OAuth or HTTP is text. */
  hasError: boolean;
  /**
   * Why a careful reader would not take the message (JSON-RPC 2.0 4 and 5, MCP basic protocol), as what the message
   * does: `has two ids`.
   */
  flaw?: string;
}

/**
 * Reads one message in one pass over its bytes. Of a member that stands there twice the last counts, as in JSON.parse.
 * `known`: what an earlier pass has found of a long one.
 */
export function readEnvelope(message: Uint8Array | string, known?: Known): Envelope {
  const bytes = typeof message === 'string' ? new TextEncoder().encode(message) : message;
  const cursor: Cursor = { bytes, at: 0, fault: undefined, ...(known ? { known } : {}) };
  const found: Envelope = { kind: 'invalid', stateless: false, hasResult: false, hasError: false };
  const first = skipSpace(cursor);
  if (first === 0x7b) readMessage(cursor, found);
  else skipValue(cursor);
  if (skipSpace(cursor) !== undefined) fail(cursor);
  if (cursor.fault) found.problem = cursor.fault;
  else if (first === 0x5b) found.kind = 'batch';
  else if (first === 0x7b) classify(found);
  if (found.kind === 'invalid') found.problem ??= 'shape';
  return found;
}

function classify(found: Envelope): void {
  const answered = found.hasResult || found.hasError;
  if (found.method !== undefined) {
    if (found.id === undefined) found.kind = 'notification';
    else if (found.id !== 'null') found.kind = 'request';
  } else if (answered && found.id !== undefined) found.kind = 'response';
}

interface Names {
  name?: string;
  uri?: string;
  taskId?: string;
}

function readMessage(cursor: Cursor, found: Envelope): void {
  const { bytes } = cursor;
  const form = newForm();
  let names: Names = {};
  eachMember(cursor, (key) => {
    const start = cursor.at;
    const first = bytes[start] ?? 0;
    if (key === 'params' && first === openBrace) {
      names = {};
      delete found.cancels;
      readParams(cursor, found, names);
      return;
    }
    if (key === 'error' && first === openBrace) readError(cursor, form);
    else skipValue(cursor);
    if (key === 'id') {
      readId(cursor, found, start);
      form.ids += 1;
    } else if (key === 'method') {
      found.method = shortText(bytes, start, cursor.at);
      form.badMethod = first !== 0x22;
    } else if (key === 'result') {
      found.hasResult = true;
      form.badResult = first !== openBrace;
    } else if (key === 'error') {
      found.hasError = first === openBrace;
      form.error = true;
    } else if (key === 'params') form.badParams = true;
    else if (key === 'jsonrpc') form.version = cursor.fault ? '' : rawText(bytes, start, cursor.at);
  });
  const { method = '' } = found;
  const name =
    method === 'resources/read' ? names.uri : method.startsWith('tasks/') ? names.taskId : (names.name ?? names.uri);
  if (name !== undefined) found.name = name;
  const flaw = flawOf(found, form);
  if (flaw !== undefined) found.flaw = flaw;
}

const openBrace = 0x7b;
/** No method, name or id that a header could carry is longer. */
const longestText = 64 * 1024;
const shortText = (bytes: Uint8Array, start: number, end: number): string =>
  end - start > longestText ? '' : textOf(bytes, start, end);

/** An id is a string, a number or null; anything else leaves the message without one that could be answered. */
function readId(cursor: Cursor, found: Envelope, start: number): void {
  const first = cursor.bytes[start] ?? 0;
  if (cursor.fault) return;
  const readable = first === 0x22 || first === 0x2d || first === 0x6e || (first >= 0x30 && first <= 0x39);
  const id = readable ? rawText(cursor.bytes, start, cursor.at) : 'null';
  found.id = id;
  found.idAt = [start, cursor.at];
}

function readParams(cursor: Cursor, found: Envelope, names: Names): void {
  eachMember(cursor, (key) => {
    const start = cursor.at;
    if (key === '_meta' && cursor.bytes[start] === 0x7b) return readMeta(cursor, found);
    skipValue(cursor);
    if (key === 'requestId') found.cancels = rawText(cursor.bytes, start, cursor.at);
    else if (key === 'name' || key === 'uri' || key === 'taskId')
      names[key] = shortText(cursor.bytes, start, cursor.at);
    else if (key === 'protocolVersion' && !found.stateless)
      found.protocolVersion = shortText(cursor.bytes, start, cursor.at);
  });
}

function readMeta(cursor: Cursor, found: Envelope): void {
  eachMember(cursor, (key) => {
    const start = cursor.at;
    skipValue(cursor);
    if (key !== 'io.modelcontextprotocol/protocolVersion') return;
    found.protocolVersion = shortText(cursor.bytes, start, cursor.at);
    found.stateless = true;
  });
}

/** Most messages in one batch: each costs memory of its own, and 16 MB have room for millions. */
export const maxBatchItems = 1_000;

/**
 * The messages of a batch, as parts of the same memory; undefined when there are more than `maxBatchItems`. A batch in
 * a batch is no message (JSON-RPC 2.0 6): to take it apart too would cost a pass over its bytes for each level.
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
 * Two ids that are the same value though written differently: a server may have parsed and printed `1e3` or a big
 * integer.
 */
export function sameId(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined || one === 'null' || other === 'null') return false;
  if (one === other) return true;
  const value = readJson(one);
  return value !== undefined && value === readJson(other);
}

/** An id at the end of a message whose beginning is lost: only the `jsonrpc` member may follow. */
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
 * A JSON-RPC error, without the newline. `rawId` is the id as it stood in the request; 'null' when there was none to be
 * read. The text says what happened and what to do, because most hosts show nothing else.
 */
export function errorLine(rawId: string, info: LineError, code: number = bridgeErrorCode): string {
  const about = info.server === undefined || info.message.includes(info.server) ? '' : `${info.server}: `;
  const data: Record<string, unknown> = { code: info.code, remedy: info.remedy, page: errorPage(info.code) };
  if (info.server !== undefined) data['server'] = info.server;
  if (info.retryAfterMs !== undefined) data['retryAfterMs'] = info.retryAfterMs;
  const error = { code, message: `${about}${info.message} ${info.remedy} [${info.code}]`, data };
  return `{"jsonrpc":"2.0","id":${rawId},"error":${JSON.stringify(error)}}`;
}

/** JSON-RPC 2.0 5.1. */
export const parseErrorCode = -32_700;
export const invalidRequestCode = -32_600;
