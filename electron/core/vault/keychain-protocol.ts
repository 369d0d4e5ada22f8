// The messages between Keybridge and its keychain child: each request gets one response with the same id. Values are
// not encrypted, because the channel is private to the two processes. Parsed by hand, so that the child needs no schema
// library.
import type { StoreFault } from './secret-store.ts';

/** A request without its id. Only `unlock` may prompt the user. */
export type KeychainOperation =
  | { readonly op: 'get' | 'delete'; readonly service: string; readonly account: string }
  | { readonly op: 'set'; readonly service: string; readonly account: string; readonly value: string }
  | { readonly op: 'probe' | 'unlock'; readonly service: string };

export type KeychainRequest = KeychainOperation & { readonly id: number };

export type KeychainResult =
  | { readonly kind: 'found'; readonly value: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'done' }
  | { readonly kind: 'ready' }
  | Pick<StoreFault, 'kind' | 'detail'>
  /** The keychain service was restarted. Only a new process can connect to the new one. */
  | { readonly kind: 'stale' };

export interface KeychainResponse {
  readonly id: number;
  readonly result: KeychainResult;
}

/** Returns undefined for anything else, including a request with an unknown member. */
export function readKeychainRequest(message: unknown): KeychainRequest | undefined {
  if (!isRecord(message)) return undefined;
  const { id, op, service, account, value, ...others } = message;
  if (!isId(id) || !isName(service) || Object.keys(others).length > 0) return undefined;
  switch (op) {
    case 'get':
    case 'delete':
      return isName(account) && value === undefined ? { id, op, service, account } : undefined;
    case 'set':
      return isName(account) && typeof value === 'string' ? { id, op, service, account, value } : undefined;
    case 'probe':
    case 'unlock':
      return account === undefined && value === undefined ? { id, op, service } : undefined;
    default:
      return undefined;
  }
}

/** Returns undefined for anything else. Ignores unknown members. */
export function readKeychainResponse(message: unknown): KeychainResponse | undefined {
  if (!isRecord(message) || !isId(message['id'])) return undefined;
  const result = readResult(message['result']);
  return result && { id: message['id'], result };
}

function readResult(result: unknown): KeychainResult | undefined {
  if (!isRecord(result)) return undefined;
  const { kind, value, detail } = result;
  switch (kind) {
    case 'found':
      return typeof value === 'string' ? { kind, value } : undefined;
    case 'absent':
    case 'done':
    case 'ready':
    case 'stale':
      return { kind };
    case 'locked':
    case 'denied':
    case 'unavailable':
      return typeof detail === 'string' ? { kind, detail } : undefined;
    default:
      return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (value: unknown): value is number => Number.isFinite(value);

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
