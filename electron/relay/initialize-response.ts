import type { Envelope } from '../../shared/json-rpc.ts';
import { readJson } from '../../shared/json.ts';
import { AppError } from '../core/base/errors.ts';
import { refusesInitialize } from '../../shared/mcp-methods.ts';
import { isSessionId, isVersion, type SessionHeaders } from './request-headers.ts';
import type { HttpHead } from '../core/http/http.ts';

/** What came for an `initialize`. */
export interface InitializeResponse {
  readonly line: Buffer;
  readonly found: Envelope;
  readonly head: HttpHead;
}

export interface InitializeResult {
  readonly session: SessionHeaders;
  readonly capabilities: Readonly<Record<string, unknown>>;
}

interface Said {
  readonly result?: { readonly protocolVersion?: unknown; readonly capabilities?: Record<string, unknown> };
  readonly error?: { readonly code?: unknown; readonly data?: { readonly supported?: unknown } | null };
}

/**
 * The session that the answer to `initialize` opens. Throws E_PROTOCOL_ERA where the server knows no `initialize`, else
 * E_SERVER_ANSWER.
 */
export function readInitializeResponse({ line, found, head }: InitializeResponse, server: string): InitializeResult {
  const said = readJson(line.toString('utf8')) as Said | undefined;
  if (!said) throw new AppError('E_SERVER_ANSWER', 'The server’s answer to initialize is not JSON.', { server });
  if (found.hasError) {
    if (refusesInitialize(said.error?.code))
      throw new AppError('E_PROTOCOL_ERA', otherGeneration(said.error), { server });
    throw new AppError('E_SERVER_ANSWER', 'The server refused to open a session.', { server });
  }
  const sessionId = head.headers['mcp-session-id'];
  if (sessionId !== undefined && !isSessionId(sessionId))
    throw new AppError('E_SERVER_ANSWER', 'The server gave a session id that cannot be sent back.', { server });
  const version = typeof said.result?.protocolVersion === 'string' ? said.result.protocolVersion : undefined;
  return {
    session: { sessionId, version: isVersion(version) ? version : undefined, suspect: false, unsure: false },
    capabilities: said.result?.capabilities ?? {},
  };
}

const unsupportedVersion = -32_022;
const mostVersions = 10;

/** What is known of the server's generation: the versions that it names (-32022), and nothing that it does not say. */
function otherGeneration(error: Said['error']): string {
  const named = error?.data?.supported;
  const versions = (Array.isArray(named) ? named : [])
    .filter((one): one is string => typeof one === 'string' && isVersion(one))
    .slice(0, mostVersions);
  if (versions.length > 0)
    return `The server does not take the version of MCP that the app asked for. It names: ${versions.join(', ')}.`;
  if (error?.code === unsupportedVersion)
    return 'The server does not take the version of MCP that the app asked for, and names none that it does.';
  return 'The server does not know initialize, with which the app begins.';
}
