import type { Envelope } from '../../shared/json-rpc.ts';

/** On every POST (MCP streamable HTTP). */
const post = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** Session id: visible ASCII (MCP 2025-11-25 transports), of a length that a header can carry. */
export const isSessionId = (value: string): boolean => /^[\x21-\x7e]{1,2048}$/.test(value);

/** A protocol version fit for a header. */
export const isVersion = (value: string | undefined): value is string =>
  value !== undefined && /^[\w.-]{1,32}$/.test(value);

/** What a session adds to each request, once it is open. */
export interface SessionHeaders {
  readonly sessionId: string | undefined;
  readonly version: string | undefined;
  /** There was a sign-in since it was opened. Cleared by the first request that is answered well. */
  suspect: boolean;
  /** A 404 came for which a ping gave no reason. Cleared by the next call that is answered well. */
  unsure: boolean;
}

/** For a message of the generation with `initialize`. Without a session: for `initialize` itself. */
export function sessionRequestHeaders(session: SessionHeaders | undefined): Record<string, string> {
  const headers: Record<string, string> = { ...post };
  addSession(headers, session);
  return headers;
}

/** For GET; `lastEventId` takes up a stream where it broke. */
export function streamHeaders(session: SessionHeaders | undefined, lastEventId?: string): Record<string, string> {
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  addSession(headers, session);
  if (lastEventId !== undefined && isEventId(lastEventId)) headers['last-event-id'] = lastEventId;
  return headers;
}

export function addSession(headers: Record<string, string>, session: SessionHeaders | undefined): void {
  if (session?.sessionId !== undefined) headers['mcp-session-id'] = session.sessionId;
  if (session?.version !== undefined) headers['mcp-protocol-version'] = session.version;
}

/** An event id that a header can carry; another one cannot be asked for. */
export const isEventId = (value: string): boolean => /^[\x20-\x7e]{1,2048}$/.test(value);

/** For a message of the generation without `initialize` (2026-07-28): everything follows from the message. */
export function statelessHeaders({ protocolVersion, method, name }: Envelope): Record<string, string> {
  const headers: Record<string, string> = { ...post };
  if (isVersion(protocolVersion)) headers['mcp-protocol-version'] = protocolVersion;
  if (method !== undefined) headers['mcp-method'] = headerValue(method);
  if (name !== undefined && namedMethods.test(method ?? '')) headers['mcp-name'] = headerValue(name);
  return headers;
}

/** Methods whose subject stands in `Mcp-Name` (2026-07-28 transports; tasks: SEP-2663). */
const namedMethods = /^(?:tools\/call|prompts\/get|resources\/read|tasks\/(?:get|update|cancel))$/;

/** As it is when it is plain ASCII that nobody could misread, else in Base64 between the marks of the specification. */
export function headerValue(text: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !/^=\?base64\?.*\?=$/.test(text);
  return plain ? text : `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}
