import type { Connection } from '../core/app/connections.ts';
import type { Secret } from '../core/base/secret.ts';
import { scopeNeeded } from '../core/status/server-status.ts';
import type { Challenge } from '../core/oauth/model.ts';
import type { ServerRequest } from './model.ts';

/** What one request has been through for want of scopes. */
export interface StepUpAttempt {
  /** It was looked whether there is a newer token than the one that lacks scopes. */
  looked: boolean;
  /** How often it was held. */
  held: number;
}

/** A server may ask for one thing after the other; more than this is no asking. */
const mostHeld = 2;

export interface StepUpRequestDeps {
  readonly connection: Connection;
  readonly tokenNow: (signal: AbortSignal | undefined) => Promise<Secret | undefined>;
}

/**
 * For a request whose token lacks scopes: waits, where the request allows it, until its user has decided. Returns when
 * another token is there; else throws E_SCOPE_NEEDED.
 */
export function createStepUpRequest({ connection, tokenNow }: StepUpRequestDeps) {
  return async (
    challenge: Challenge,
    refused: Secret,
    { onChallenge, hold, signal }: ServerRequest,
    turn: StepUpAttempt,
  ): Promise<void> => {
    const first = !turn.looked;
    turn.looked = true;
    // A sign-in for another call may have ended since.
    if (first && (await tokenNow(signal))?.reveal() !== refused.reveal()) return;
    const refusal = scopeNeeded(challenge.scope?.split(' ') ?? []).about(connection.server.name);
    turn.held += 1;
    if (onChallenge === 'quiet' || turn.held > mostHeld) throw refusal;
    const held = hold?.();
    const waitMs = onChallenge === 'ask' ? (held?.waitMs ?? 0) : 0;
    const stop = waitMs > 0 ? held?.begin() : undefined;
    try {
      if (
        (await connection.challenged(403, challenge, { operation: held?.operation ?? 'connect', waitMs, signal })) ===
        'refused'
      )
        throw refusal;
    } finally {
      stop?.();
    }
    turn.looked = false;
  };
}
