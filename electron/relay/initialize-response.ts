import type { Envelope } from '../../shared/json-rpc.ts';
import { readJson } from '../../shared/json.ts';
import { refusesInitialize } from '../../shared/mcp-methods.ts';
import { AppError } from '../core/base/errors.ts';
import type { HttpHead } from '../core/http/http.ts';
import { isSessionId, isVersion, type SessionHeaders } from './request-headers.ts';

/** The response to `initialize`, unread. */
export interface InitializeResponse {
  readonly line: Buffer;
  readonly envelope: Envelope;
  readonly head: HttpHead;
}

/** What a successful response says. */
export interface InitializeResult {
  readonly session: SessionHeaders;
  readonly capabilities: Readonly<Record<string, unknown>>;
}

interface Message {
  readonly result?: { readonly protocolVersion?: unknown; readonly capabilities?: Record<string, unknown> };
  readonly error?: { readonly code?: unknown; readonly data?: { readonly supported?: unknown } | null };
}

/**
 * Reads the session that a response to `initialize` opens. Throws E_PROTOCOL_ERA if the server does not know
 * `initialize` or the host's version, E_SERVER_ANSWER for every other error.
 */
export function readInitializeResponse(response: InitializeResponse, server: string): InitializeResult {
  const { line, envelope, head } = response;
  const message = readJson(line.toString('utf8')) as Message | undefined;
  if (!message) throw new AppError('E_SERVER_ANSWER', 'The server’s response to initialize is not JSON.', { server });
  if (envelope.hasError) {
    if (refusesInitialize(message.error?.code))
      throw new AppError('E_PROTOCOL_ERA', otherGenerationText(message.error), { server });
    throw new AppError('E_SERVER_ANSWER', 'The server refused to open a session.', { server });
  }
  const sessionId = head.headers['mcp-session-id'];
  if (sessionId !== undefined && !isSessionId(sessionId))
    throw new AppError('E_SERVER_ANSWER', 'The server gave a session id that does not fit into a header.', { server });
  const { protocolVersion, capabilities } = message.result ?? {};
  const version = typeof protocolVersion === 'string' && isVersion(protocolVersion) ? protocolVersion : undefined;
  return { session: { sessionId, version, suspect: false, unsure: false }, capabilities: capabilities ?? {} };
}

/** Unsupported protocol version (MCP 2026-07-28). The error's data lists the versions that the server supports. */
const unsupportedVersion = -32_022;
const maxVersions = 10;

function otherGenerationText(error: Message['error']): string {
  const supported = error?.data?.supported;
  const versions = (Array.isArray(supported) ? supported : [])
    .filter((version): version is string => typeof version === 'string' && isVersion(version))
    .slice(0, maxVersions);
  if (versions.length > 0)
    return `The server does not support the MCP version that the app asked for. It supports: ${versions.join(', ')}.`;
  if (error?.code === unsupportedVersion)
    return 'The server does not support the MCP version that the app asked for, and names none that it does.';
  return 'The server does not know initialize, with which the app begins.';
}
