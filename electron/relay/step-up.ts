import type { Connection } from '../core/app/connections.ts';
import type { Secret } from '../core/base/secret.ts';
import { scopeNeeded } from '../core/status/server-status.ts';
import type { Challenge } from '../core/oauth/model.ts';
import type { ServerRequest } from './model.ts';

/** The step-up authorization (MCP authorization, Scope Challenge Handling) of one request. */
export interface StepUpState {
  /** Whether a newer token than the one that lacks scopes exists has been checked. */
  tokenChecked: boolean;
  timesHeld: number;
}

/** A server may ask for scopes twice in a row. One that asks more often would never stop. */
const maxTimesHeld = 2;

export interface StepUpDeps {
  readonly connection: Connection;
  readonly currentToken: (signal: AbortSignal | undefined) => Promise<Secret | undefined>;
}

/**
 * Handles a 403 for missing scopes. The function holds the request, if it may be held, until the user has decided.
 * It returns when the request should be sent again with the current token; otherwise it throws E_SCOPE_NEEDED.
 */
export function createStepUp({ connection, currentToken }: StepUpDeps) {
  return async (
    challenge: Challenge,
    refused: Secret,
    { onChallenge, hold, signal }: ServerRequest,
    state: StepUpState,
  ): Promise<void> => {
    const isFirst = !state.tokenChecked;
    state.tokenChecked = true;
    // A sign-in for another call may have replaced the token since this request was sent.
    if (isFirst && (await currentToken(signal))?.reveal() !== refused.reveal()) return;
    const error = scopeNeeded(challenge.scope?.split(' ') ?? []).about(connection.server.name);
    state.timesHeld += 1;
    if (onChallenge === 'ignore' || state.timesHeld > maxTimesHeld) throw error;
    const call = hold?.();
    const waitMs = onChallenge === 'wait' ? (call?.waitMs ?? 0) : 0;
    const release = waitMs > 0 ? call?.begin() : undefined;
    try {
      const refusedCall = { operation: call?.operation ?? 'connect', waitMs, signal };
      if ((await connection.challenged(403, challenge, refusedCall)) === 'refused') throw error;
    } finally {
      release?.();
    }
    state.tokenChecked = false;
  };
}
