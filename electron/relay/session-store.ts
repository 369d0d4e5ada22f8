import type { AppError } from '../core/base/errors.ts';
import {
  errorOf,
  nextSessionState,
  noSession,
  sessionOf,
  type McpSessionEvent,
  type McpSessionState,
} from './mcp-session-state.ts';
import type { SessionHeaders } from './request-headers.ts';

/** The current state of an MCP session, and the one way to change it. */
export interface SessionStore {
  readonly state: McpSessionState;
  /** Why the server cannot be used now. */
  readonly error: AppError | undefined;
  /** The session in which calls are sent. */
  readonly session: SessionHeaders | undefined;
  apply(event: McpSessionEvent): void;
}

export interface SessionStoreOptions {
  /** Called when the server becomes unusable (true) or usable (false). */
  readonly onAway: (away: boolean) => void;
  /** Called after each failure that is not out of date. */
  readonly onFailed: (error: AppError) => void;
}

export function createSessionStore({ onAway, onFailed }: SessionStoreOptions): SessionStore {
  let state = noSession;
  return {
    get state() {
      return state;
    },
    get error() {
      return errorOf(state);
    },
    get session() {
      return sessionOf(state);
    },
    apply(event) {
      const before = errorOf(state);
      state = nextSessionState(state, event);
      const after = errorOf(state);
      if ((before === undefined) !== (after === undefined)) onAway(after !== undefined);
      if (event.type === 'failed' && after === event.error) onFailed(after);
    },
  };
}
