import type { AppError } from '../base/errors.ts';
import type { Challenge } from '../oauth/model.ts';

/** A call that the server refused because the token lacks scopes. */
export interface AccessRequest {
  readonly host: string;
  /** The tool, prompt or resource, or else the method. */
  readonly operation: string;
  readonly scopes: readonly string[];
}

/** What is known about one account until the app ends or a sign-in succeeds. */
interface RuntimeNote {
  /** Why the last sign-in failed. */
  lastFailure?: AppError | undefined;
  /** The latest 401 or 403 challenge, with its metadata URL and scopes. */
  challenge?: Challenge;
  /** Scopes that the server asked for and that are not granted. */
  missingScopes: readonly string[];
  /** The calls that asked for them, the newest last. */
  accessRequests: readonly AccessRequest[];
}

export interface RuntimeNotes {
  get(accountKey: string): RuntimeNote;
  set(accountKey: string, change: Partial<RuntimeNote>): void;
  clear(accountKey: string): void;
}

const empty: RuntimeNote = { missingScopes: [], accessRequests: [] };

export function createRuntimeNotes(): RuntimeNotes {
  const notes = new Map<string, RuntimeNote>();
  return {
    get: (accountKey) => notes.get(accountKey) ?? empty,
    set: (accountKey, change) => void notes.set(accountKey, { ...(notes.get(accountKey) ?? empty), ...change }),
    clear: (accountKey) => void notes.delete(accountKey),
  };
}
