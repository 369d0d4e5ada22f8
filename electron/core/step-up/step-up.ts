import { asAppError, sanitizeExternalText, type AppError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Challenge } from '../oauth/model.ts';
import { readScopes, uniqueScopes } from '../oauth/scopes.ts';
import type { Server } from '../servers/server.ts';
import type { Servers } from '../servers/servers.ts';
import type { AccessRequest, RuntimeNotes } from '../status/runtime-notes.ts';
import { createAttemptLimits } from './attempt-limits.ts';
import { createHeldCalls, type StepUpOutcome } from './held-calls.ts';
import { forgetScopes, learnScopes } from './learned-scopes.ts';
import { maxAccessRequests, maxScopes } from './limits.ts';

/** A call that the server refused because its token lacks scopes (RFC 6750 3.1, MCP Step-Up Authorization Flow). */
export interface RefusedCall {
  /** The tool, prompt or resource, or else the method. Attempts are counted by it. */
  readonly operation: string;
  /** How long the call may be held, in ms. With 0 the request for access is only shown. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Holds calls that need more access until the user signs in again or declines. */
export interface StepUps {
  /**
   * Shows the request for access in the status and holds the call. Resolves to 'granted' after a successful sign-in:
   * the call can be repeated. Resolves to 'refused' if the user declines, the time or the attempts are used up, or the
   * host cancels. Opens no browser, unless `autoSignIn` is set.
   */
  ask(server: Server, host: string, challenge: Challenge, call: RefusedCall): Promise<StepUpOutcome>;
  /** Call when a sign-in to this account has ended, with the failure if any, and before the notes are cleared. */
  signInEnded(accountKey: string, failure: AppError | undefined): Promise<void>;
  /** The user declines: held calls get their error, and the same operations do not ask again for a while. */
  dismiss(accountKey: string): void;
  forget(accountKey: string): void;
}

export interface StepUpDeps {
  readonly servers: Pick<Servers, 'find' | 'updateAccount'>;
  readonly notes: RuntimeNotes;
  readonly clock: Clock;
  readonly log: Log;
  /** The scopes that a sign-in after this challenge would ask for, if the challenge itself names none. */
  readonly offeredScopes: (server: Server, challenge: Challenge) => Promise<readonly string[]>;
  readonly grantedScopes: (accountKey: string) => readonly string[];
  /** Starts the sign-in automatically (headless only, off by default). */
  readonly autoSignIn: ((accountKey: string) => Promise<void>) | undefined;
  readonly onChange: () => void;
}

export function createStepUps(deps: StepUpDeps): StepUps {
  const { notes, clock, log } = deps;
  const held = createHeldCalls(clock);
  const limits = createAttemptLimits(clock);
  /** Several sign-ins can end for the same requests, but each request counts once. */
  const counted = new WeakSet<AccessRequest>();

  function note(accountKey: string, request: AccessRequest, challenge: Challenge): void {
    const { missingScopes, accessRequests } = notes.get(accountKey);
    const others = accessRequests.filter(
      ({ host, operation }) => host !== request.host || operation !== request.operation,
    );
    notes.set(accountKey, {
      challenge,
      missingScopes: uniqueScopes([...missingScopes, ...request.scopes]).slice(0, maxScopes),
      accessRequests: [...others, request].slice(-maxAccessRequests),
    });
    deps.onChange();
  }

  function dismiss(accountKey: string): void {
    limits.dismissed(accountKey, notes.get(accountKey).accessRequests);
    notes.set(accountKey, { missingScopes: [], accessRequests: [] });
    held.release(accountKey, 'refused');
    deps.onChange();
  }

  return {
    async ask(server, host, challenge, call) {
      const scopes = (await missingScopesOf(deps, server, challenge)).slice(0, maxScopes);
      const request: AccessRequest = { host, operation: sanitizeExternalText(call.operation, 120), scopes };
      if (scopes.length === 0 || limits.reached(server.id, request)) return 'refused';
      note(server.id, request, challenge);
      const { operation } = request;
      log('call_needs_access', { server: server.name, operation, scopes: scopes.length, held: call.waitMs > 0 });
      const outcome = held.hold(server.id, call);
      if (deps.autoSignIn) {
        log('sign_in_started_by_call', { server: server.name, status: 403 });
        // Its end is reported to `signInEnded`.
        void deps.autoSignIn(server.id).catch(() => {});
      }
      return outcome;
    },

    async signInEnded(accountKey, failure) {
      const { accessRequests } = notes.get(accountKey);
      if (failure && isRefusal(failure)) return dismiss(accountKey);
      limits.tried(
        accountKey,
        accessRequests.filter((request) => !counted.has(request)),
      );
      for (const request of accessRequests) counted.add(request);
      if (!failure) await learnScopes(deps, accountKey, accessRequests);
      else if (failure.code === 'E_AUTHORIZATION_ERROR') await forgetScopes(deps, accountKey);
      held.release(accountKey, failure ? 'refused' : 'granted');
    },

    dismiss,

    forget(accountKey) {
      limits.forget(accountKey);
      held.release(accountKey, 'refused');
    },
  };
}

/** Whether the user declined, in Keybridge or at the authorization server. */
const isRefusal = ({ code }: AppError): boolean => code === 'E_CANCELLED' || code === 'E_SIGN_IN_DENIED';

/** The scopes that the challenge names, or else those that the server offers and that were not granted. */
async function missingScopesOf(
  { grantedScopes, offeredScopes, log }: StepUpDeps,
  server: Server,
  challenge: Challenge,
): Promise<readonly string[]> {
  const named = readScopes(challenge.scope ?? '');
  if (named.length > 0) return named;
  const granted = new Set(grantedScopes(server.id));
  const offered = await offeredScopes(server, challenge).catch((error: unknown) => {
    log('scopes_not_found', { server: server.name, code: asAppError(error).code });
    return [];
  });
  return offered.filter((scope) => !granted.has(scope));
}
