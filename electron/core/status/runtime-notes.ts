import type { AppError } from '../base/errors.ts';
import type { Challenge } from '../oauth/model.ts';

/** A host's call that the server refused for want of scopes. */
export interface AccessAsk {
  readonly host: string;
  /** Tool, prompt or resource, else the method. */
  readonly operation: string;
  readonly scopes: readonly string[];
}

/** What this run of the app has learned about one account. Gone at the end, and with each new sign-in. */
interface RuntimeNote {
  /** Why the last sign-in failed. */
  lastFailure?: AppError | undefined;
  /** The newest 401 or 403 challenge: where its metadata is, which scopes it wants. */
  challenge?: Challenge;
  /** Scopes that the server asked for and that were not granted. */
  missingScopes: readonly string[];
  /** Whose calls asked for them, newest last. */
  askedBy: readonly AccessAsk[];
}

export interface RuntimeNotes {
  get(accountKey: string): RuntimeNote;
  set(accountKey: string, change: Partial<RuntimeNote>): void;
  clear(accountKey: string): void;
}

const nothing: RuntimeNote = { missingScopes: [], askedBy: [] };

export function createRuntimeNotes(): RuntimeNotes {
  const notes = new Map<string, RuntimeNote>();
  return {
    get: (accountKey) => notes.get(accountKey) ?? nothing,
    set: (accountKey, change) => void notes.set(accountKey, { ...(notes.get(accountKey) ?? nothing), ...change }),
    clear: (accountKey) => void notes.delete(accountKey),
  };
}
