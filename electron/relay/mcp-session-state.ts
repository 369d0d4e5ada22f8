import type { AppError } from '../core/base/errors.ts';
import type { InitializeResult } from './initialize-response.ts';
import type { SessionHeaders } from './request-headers.ts';
import type { PendingRequest } from './model.ts';

/** The host's side of the session, which outlives sessions at the server. */
interface HostSide {
  /** The host's `initialize`, sent again to open each later session. */
  readonly initialize: PendingRequest;
  /** The host's `notifications/initialized`; undefined until then. */
  readonly initialized: Uint8Array | undefined;
  /** Keybridge responded to the host's `initialize`, because the server could not. */
  readonly answeredLocally: boolean;
  /** From the server's last response to `initialize`. */
  readonly capabilities: InitializeResult['capabilities'];
}

/** The session of one host with a server that has sessions (MCP 2025-11-25 and before). */
export type McpSessionState =
  /** The host has sent no `initialize`, or the server rejected it. */
  | { readonly kind: 'none' }
  /** The host's own `initialize` was sent to the server. */
  | (HostSide & { readonly kind: 'opening' })
  | (HostSide & { readonly kind: 'open'; readonly session: SessionHeaders })
  /** There is no session. `error` says why; undefined if the host cancelled its `initialize`. */
  | (HostSide & { readonly kind: 'unavailable'; readonly error: AppError | undefined })
  /** `initialize` was sent again. `session`: the lost session, in which calls in progress may still complete. */
  | (HostSide & {
      readonly kind: 'reopening';
      readonly error: AppError | undefined;
      readonly session: SessionHeaders | undefined;
    })
  /** The new session is open; `notifications/initialized` and the replayed requests are on their way. */
  | (HostSide & { readonly kind: 'finishing'; readonly error: AppError | undefined; readonly session: SessionHeaders });

/** `initialize`: the host's `initialize` that the event belongs to. After a newer one the event is out of date. */
export type McpSessionEvent =
  | { readonly type: 'host_initialize'; readonly initialize: PendingRequest }
  | { readonly type: 'host_initialized'; readonly line: Uint8Array }
  /** The server has opened a session. */
  | { readonly type: 'opened'; readonly initialize: PendingRequest; readonly result: InitializeResult }
  /** The server answered the host's `initialize` with an error. */
  | { readonly type: 'rejected'; readonly initialize: PendingRequest }
  /** The host cancelled its `initialize`. */
  | { readonly type: 'cancelled'; readonly initialize: PendingRequest }
  | { readonly type: 'failed'; readonly initialize: PendingRequest; readonly error: AppError }
  /** Another session is needed. */
  | { readonly type: 'reopen' }
  /** The new session is complete. */
  | { readonly type: 'finished'; readonly session: SessionHeaders };

export const noSession: McpSessionState = { kind: 'none' };

/** Returns the next state. An event that is out of date or does not fit the state changes nothing. */
export function nextSessionState(state: McpSessionState, event: McpSessionEvent): McpSessionState {
  if (event.type === 'host_initialize') return openingWith(event.initialize);
  if (state.kind === 'none') return state;
  if ('initialize' in event && event.initialize !== state.initialize) return state;
  switch (event.type) {
    case 'host_initialized':
      return { ...state, initialized: event.line };
    case 'opened':
      return afterOpened(state, event.result);
    case 'rejected':
      return state.kind === 'opening' ? noSession : state;
    case 'cancelled':
      return state.kind === 'opening' ? { ...hostSide(state), kind: 'unavailable', error: undefined } : state;
    case 'failed':
      return {
        ...hostSide(state),
        kind: 'unavailable',
        answeredLocally: state.kind === 'opening' || state.answeredLocally,
        error: event.error,
      };
    case 'reopen':
      return state.kind === 'open' || state.kind === 'unavailable'
        ? { ...hostSide(state), kind: 'reopening', error: errorOf(state), session: sessionOf(state) }
        : state;
    case 'finished':
      return state.kind === 'finishing' && state.session === event.session
        ? { ...hostSide(state), kind: 'open', session: state.session }
        : state;
  }
}

const openingWith = (initialize: PendingRequest): McpSessionState => ({
  kind: 'opening',
  initialize,
  initialized: undefined,
  answeredLocally: false,
  capabilities: {},
});

function afterOpened(state: Exclude<McpSessionState, { kind: 'none' }>, result: InitializeResult): McpSessionState {
  const host = { ...hostSide(state), capabilities: result.capabilities };
  if (state.kind === 'opening') return { ...host, kind: 'open', session: result.session };
  if (state.kind === 'reopening') return { ...host, kind: 'finishing', error: state.error, session: result.session };
  return state;
}

/** Why the server cannot be used, until a new session is complete. */
export const errorOf = (state: McpSessionState): AppError | undefined => ('error' in state ? state.error : undefined);

/** The session in which calls are sent. */
export const sessionOf = (state: McpSessionState): SessionHeaders | undefined =>
  'session' in state ? state.session : undefined;

const hostSide = ({ initialize, initialized, answeredLocally, capabilities }: HostSide): HostSide => ({
  initialize,
  initialized,
  answeredLocally,
  capabilities,
});
