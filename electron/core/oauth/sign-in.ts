import type { SignInState } from '../../../shared/model.ts';

/** Progress of one sign-in, for the status. */
export type SignInProgress = Extract<SignInState, { kind: 'signing_in' }>;

/** The LOGIN PATH, one sign-in per server at a time. */
export interface SignIns {
  /**
   * Runs the whole sign-in and resolves when the credential is stored. A second call for the same server joins the first.
   * Throws AppError. `challenge`: scopes that a server asked for (step-up).
   */
  start(serverId: string, options: { readonly openBrowser: boolean }): Promise<void>;
  cancel(serverId: string): void;
  /** Gives a waiting sign-in the address that the browser was sent to. Throws E_REDIRECT_URL, E_SERVER_UNKNOWN. */
  finish(serverId: string, redirectUrl: string): Promise<void>;
  progress(serverId: string): SignInProgress | undefined;
  /** Cancels all. */
  close(): Promise<void>;
}
