import { readJson } from '../../shared/json.ts';
import type { AppError } from '../core/base/errors.ts';
import { initializeVersions } from '../../shared/mcp-methods.ts';

/** What a host's `initialize` says, as far as we look at it. */
export interface HostInfo {
  readonly protocolVersion: string;
  /** The host's own name. */
  readonly client: string;
}

/** Reads a host's `initialize` or a message of 2026-07-28. Foreign: to be cleaned before it is shown. */
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
 * The answer to `initialize` while the server cannot be used: a host drops a server whose `initialize` fails, and would
 * never hear of its tools after the sign-in. Promises changes of every list, so that the host asks again when we say
 * so.
 */
export function offlineInitializeResponse(
  id: string,
  hostInfo: HostInfo,
  server: string,
  version: string,
  why: AppError,
): string {
  const known = initializeVersions.find((one) => one === hostInfo.protocolVersion) ?? initializeVersions[0];
  const result = {
    protocolVersion: known,
    capabilities: { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { listChanged: true } },
    serverInfo: { name: server, title: `${server} (Keybridge)`, version },
    instructions: `${server} has no tools yet. ${why.message} ${why.toInfo().remedy}`,
  };
  return `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`;
}

const emptyLists = new Map([
  ['tools/list', { capability: 'tools', result: '{"tools":[]}' }],
  ['prompts/list', { capability: 'prompts', result: '{"prompts":[]}' }],
  ['resources/list', { capability: 'resources', result: '{"resources":[]}' }],
  ['resources/templates/list', { capability: 'resources', result: '{"resourceTemplates":[]}' }],
]);

/** A list that has a stand-in while the server cannot be used. */
export const isListMethod = (method: string): boolean => emptyLists.has(method);

/** The answer while the server cannot be used: lists are empty, `ping` is answered. Undefined: the call must fail. */
export function offlineResponse(id: string, method: string): string | undefined {
  const result = method === 'ping' ? '{}' : emptyLists.get(method)?.result;
  return result === undefined ? undefined : `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
}

/** An empty list that the local `initialize` has promised and the real server does not offer. */
export function unofferedListResponse(
  id: string,
  method: string,
  capabilities: Readonly<Record<string, unknown>>,
): string | undefined {
  const list = emptyLists.get(method);
  return list && capabilities[list.capability] === undefined ? offlineResponse(id, method) : undefined;
}

/** What tells the host that the lists are no longer those of `offlineResponse`. */
export function listChangedNotifications(capabilities: Readonly<Record<string, unknown>>): string[] {
  const changed = ['tools', 'prompts', 'resources'].filter(
    (list) => list === 'tools' || capabilities[list] !== undefined,
  );
  return changed.map((list) => `{"jsonrpc":"2.0","method":"notifications/${list}/list_changed"}`);
}
