import type { Secret } from '../core/base/secret.ts';
import type { HttpHead, HttpStream } from '../core/http/http.ts';
import type { Envelope } from '../../shared/json-rpc.ts';

/** One HTTP request to the MCP server, without its credential. */
export interface ServerRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Time limit for the response head, in ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /**
   * The request may run twice. It is sent again after a lost connection, and when a busy server says how long to wait.
   */
  readonly repeatable: boolean;
  /** The request is also sent again when a busy server does not say how long to wait. Defaults to false. */
  readonly persistent?: boolean;
  /**
   * What happens after a 401 to a request without a token. `wait`: waits for a sign-in if the core may start one.
   * `report`: tells the core that a sign-in is needed, and fails. `ignore`: only fails (background requests).
   * Only `wait` also waits for the user after a 403 for missing scopes.
   */
  readonly onChallenge: 'wait' | 'report' | 'ignore';
  /** Longest wait for a token, in ms. Defaults to the core's limit (20 s). */
  readonly tokenWaitMs?: number | undefined;
  /** Describes the call to hold while the user decides about more scopes. Without it the request is never held. */
  readonly hold?: () => HeldCall;
}

/** The server's response, with the token or key that the request was sent with. */
export type ServerResponse = HttpStream & { readonly sent?: Secret | undefined };

/** A call that is held until the user has decided about more scopes. */
export interface HeldCall {
  /** The tool, prompt or resource; otherwise the method. */
  readonly operation: string;
  /** Longest wait, in ms: the host gives up after that. */
  readonly waitMs: number;
  /** Starts to send progress notifications if the host asked for progress. Returns a function that stops them. */
  begin(): () => void;
}

/** Longest message in either direction, in bytes. */
export const maxMessageBytes = 16 * 1024 * 1024;

/** A request of the host that waits for its response, or one that Keybridge sends again. */
export interface PendingRequest {
  readonly line: Uint8Array;
  readonly envelope: Envelope & { readonly id: string; readonly method: string };
}

/** Receives what the server sends in response to one request. */
export interface ResponseHandler {
  /** The response: one line, with the id as the host wrote it. Called at most once. */
  onResponse(line: Buffer, envelope: Envelope, head: HttpHead): void;
  /** A notification or a request of the server. */
  onServerMessage(line: Buffer, envelope: Envelope): void;
  /** Resolves when the host accepts more data; undefined if it does now. */
  drained(): Promise<void> | undefined;
}
