import type { Secret } from '../core/base/secret.ts';
import type { HttpStream } from '../core/http/http.ts';

export interface ServerRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Until the head is there, in ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /**
   * May be carried out twice: it is sent again after a lost connection, and when a busy server says when to come again.
   */
  readonly repeatable: boolean;
  /** It is also repeated when a busy server says nothing about that; false when absent. */
  readonly persistent?: boolean;
  /**
   * What a 401 without a stored sign-in does: `ask` waits for a sign-in where the core may start one by itself; `tell`
   * lets the core know; `quiet` neither (background work). A 403 for want of scopes is waited for with `ask`.
   */
  readonly onChallenge: 'ask' | 'tell' | 'quiet';
  /** How long it may wait for a token, in ms; absent: as long as the core lets a call wait (20 s). */
  readonly tokenWaitMs?: number | undefined;
  /** How the request can be held meanwhile; absent: not at all. */
  readonly hold?: () => HeldCall;
}

/** An answer; of a refusal also the token or key that the request went out with. */
export type RelayResponse = HttpStream & { readonly sent?: Secret | undefined };

/** A call that waits until its user has decided about more access. */
export interface HeldCall {
  /** Tool, prompt or resource, else the method. */
  readonly operation: string;
  /** How long it is worth waiting, in ms: until the host would give up. */
  readonly waitMs: number;
  /**
   * Tells the host from now on that the call is alive, where it asked to be told. Returns an unsubscribe function.
   */
  begin(): () => void;
}
