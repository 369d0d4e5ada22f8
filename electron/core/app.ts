import type { Api } from '../../shared/api.ts';
import type { Status } from '../../shared/model.ts';
import type { Challenge } from './oauth/discovery.ts';
import type { TokenAnswer } from './oauth/tokens.ts';
import type { Secret } from './secret.ts';
import type { Server } from './servers/servers.ts';

/** What one bridge connection needs from the core. */
export interface Connection {
  readonly server: Server;
  /** The host's own name for itself, from `initialize`; shown in the status. */
  setHost(name: string): void;
  accessToken(options?: { readonly rejected?: Secret; readonly signal?: AbortSignal }): Promise<TokenAnswer>;
  /**
   * The server answered 401 to a call without a token, or 403 with a scope challenge. 'retry': a sign-in took place
   * meanwhile (only with automatic sign-in), call again; 'refused': tell the host.
   */
  challenged(status: 401 | 403, challenge: Challenge | undefined): Promise<'retry' | 'refused'>;
  /** Calls the listener each time a sign-in to this server has been completed. */
  onSignedIn(listener: () => void): void;
  /** Calls the listener when the server is removed from the list. */
  onRemoved(listener: () => void): void;
  close(): void;
}

export interface App {
  readonly api: Api;
  readonly status: {
    current(): Status;
    /** Calls the listener with the current state at once, then after each change. Gives the function that ends this. */
    subscribe(listener: (status: Status) => void): () => void;
  };
  /** A bridge for this server (name or id). Throws E_SERVER_UNKNOWN. */
  connect(server: string): Connection;
  close(): Promise<void>;
}
