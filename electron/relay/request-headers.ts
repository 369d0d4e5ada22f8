import type { Envelope } from '../../shared/json-rpc.ts';

/** For every POST (MCP Streamable HTTP). */
const post = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** Visible ASCII (MCP 2025-11-25 transports), and short enough for a header. */
export const isSessionId = (value: string): boolean => /^[\x21-\x7e]{1,2048}$/.test(value);

/** Whether a protocol version fits into a header. */
export const isVersion = (value: string | undefined): value is string =>
  value !== undefined && /^[\w.-]{1,32}$/.test(value);

/** An open session, and what is in doubt about it. */
export interface SessionHeaders {
  readonly sessionId: string | undefined;
  readonly version: string | undefined;
  /** There was a sign-in since the session was opened. Cleared by the first success. */
  suspect: boolean;
  /** The last call got a 404 although a ping succeeded. Cleared by the next successful call. */
  unsure: boolean;
}

/** For a message of the generation with sessions; without a session for `initialize` itself. */
export function sessionRequestHeaders(session: SessionHeaders | undefined): Record<string, string> {
  const headers: Record<string, string> = { ...post };
  addSession(headers, session);
  return headers;
}

/** For GET. `lastEventId`: where to resume the stream. */
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

/** Whether an event id fits into `Last-Event-ID`. */
export const isEventId = (value: string): boolean => /^[\x20-\x7e]{1,2048}$/.test(value);

/** For a message of the stateless generation (2026-07-28): all headers follow from the message. */
export function statelessHeaders({ protocolVersion, method, name }: Envelope): Record<string, string> {
  const headers: Record<string, string> = { ...post };
  if (isVersion(protocolVersion)) headers['mcp-protocol-version'] = protocolVersion;
  if (method !== undefined) headers['mcp-method'] = headerValue(method);
  if (name !== undefined && namedMethods.test(method ?? '')) headers['mcp-name'] = headerValue(name);
  return headers;
}

/** Methods with an `Mcp-Name` header (2026-07-28 transports; tasks: SEP-2663). */
const namedMethods = /^(?:tools\/call|prompts\/get|resources\/read|tasks\/(?:get|update|cancel))$/;

/** The text itself if it is unambiguous printable ASCII; otherwise Base64 in the form `=?base64?...?=` (2026-07-28). */
export function headerValue(text: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !/^=\?base64\?.*\?=$/.test(text);
  return plain ? text : `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}
