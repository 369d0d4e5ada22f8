import { readJson } from '../../shared/json.ts';
import type { AppError } from '../core/base/errors.ts';
import { initializeVersions } from '../../shared/mcp-methods.ts';

export interface HostInfo {
  readonly protocolVersion: string;
  /** The name that the host gives itself. */
  readonly client: string;
}

/**
 * Reads a host's `initialize` or a message of 2026-07-28. The result is text from outside: sanitize it before showing.
 */
export function readHostInfo(line: Uint8Array): HostInfo {
  const message = readJson(Buffer.from(line).toString('utf8')) as { params?: Record<string, unknown> } | undefined;
  const { protocolVersion, clientInfo, _meta } = (message?.params ?? {}) as {
    protocolVersion?: unknown;
    clientInfo?: Named;
    _meta?: Record<string, Named | undefined>;
  };
  const name = (clientInfo ?? _meta?.['io.modelcontextprotocol/clientInfo'])?.name;
  return {
    protocolVersion: typeof protocolVersion === 'string' ? protocolVersion : '',
    client: typeof name === 'string' ? name : '',
  };
}
type Named = { name?: unknown } | null;

/**
 * The response to `initialize` while the server cannot be used. An error would not do: hosts drop a server whose
 * `initialize` fails, and would not learn of its tools after the sign-in. Declares `listChanged` for every list, so
 * that the host asks again when it is notified.
 */
export function offlineInitializeResponse(
  id: string,
  hostInfo: HostInfo,
  server: string,
  version: string,
  error: AppError,
): string {
  const protocolVersion = initializeVersions.find((known) => known === hostInfo.protocolVersion);
  const result = {
    protocolVersion: protocolVersion ?? initializeVersions[0],
    capabilities: { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { listChanged: true } },
    serverInfo: { name: server, title: `${server} (Keybridge)`, version },
    instructions: `${server} has no tools yet. ${error.message} ${error.toInfo().remedy}`,
  };
  return `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`;
}

const emptyLists = new Map([
  ['tools/list', { capability: 'tools', result: '{"tools":[]}' }],
  ['prompts/list', { capability: 'prompts', result: '{"prompts":[]}' }],
  ['resources/list', { capability: 'resources', result: '{"resources":[]}' }],
  ['resources/templates/list', { capability: 'resources', result: '{"resourceTemplates":[]}' }],
]);

/** Whether the method gets an empty list while the server cannot be used. */
export const isListMethod = (method: string): boolean => emptyLists.has(method);

/**
 * The response while the server cannot be used: an empty list, or the result of `ping`. Undefined for other methods.
 */
export function offlineResponse(id: string, method: string): string | undefined {
  const result = method === 'ping' ? '{}' : emptyLists.get(method)?.result;
  return result === undefined ? undefined : `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
}

/** An empty list, if the local `initialize` has promised one that the real server does not offer. */
export function unofferedListResponse(
  id: string,
  method: string,
  capabilities: Readonly<Record<string, unknown>>,
): string | undefined {
  const list = emptyLists.get(method);
  return list && capabilities[list.capability] === undefined ? offlineResponse(id, method) : undefined;
}

/** Tells the host that the lists are no longer the empty ones of `offlineResponse`. */
export function listChangedNotifications(capabilities: Readonly<Record<string, unknown>>): string[] {
  const changed = ['tools', 'prompts', 'resources'].filter(
    (list) => list === 'tools' || capabilities[list] !== undefined,
  );
  return changed.map((list) => `{"jsonrpc":"2.0","method":"notifications/${list}/list_changed"}`);
}
