import { asAppError, sanitizeExternalText, type AppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { readScopes, uniqueScopes } from '../oauth/scopes.ts';
import type { AccessAsk, RuntimeNotes } from '../status/runtime-notes.ts';
import type { Servers } from '../servers/servers.ts';
import { createAttemptLimits } from './attempt-limits.ts';
import type { Clock } from '../base/clock.ts';
import type { Challenge } from '../oauth/model.ts';
import type { Server } from '../servers/server.ts';

/** A call that the server refused because its token lacks scopes (RFC 6750 3.1, MCP Step-Up Authorization Flow). */
export interface RefusedCall {
  /** Tool, prompt or resource, else the method: attempts are counted by it. */
  readonly operation: string;
  /** How long it can be held, in ms; 0: it only makes the need known. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Holds calls that need more access until the user has signed in again, or does not want to. */
export interface StepUps {
  /**
   * Makes the need known, and holds the call. 'granted': a sign-in has ended well, call again; 'refused': the user said
   * no, the time or the tries are over, or the host wants no answer any more. Opens no browser by itself.
   */
  ask(server: Server, host: string, challenge: Challenge, call: RefusedCall): Promise<'granted' | 'refused'>;
  /** A sign-in to this server has ended; `failure` when it did not end well. Calls before the notes are cleared. */
  signInEnded(accountKey: string, failure: AppError | undefined): Promise<void>;
  /** The user does not want it now: held calls get their error, and the same is not asked again for a while. */
  dismiss(accountKey: string): void;
  forget(accountKey: string): void;
}

export interface StepUpDeps {
  readonly servers: Pick<Servers, 'find' | 'updateAccount'>;
  readonly notes: RuntimeNotes;
  readonly clock: Clock;
  readonly log: Log;
  /** What a sign-in after this challenge would ask for, where the challenge itself names no scope. */
  readonly offeredScopes: (server: Server, challenge: Challenge) => Promise<readonly string[]>;
  readonly grantedScopes: (accountKey: string) => readonly string[];
  /** Starts the sign-in by itself (headless, off by default). */
  readonly autoSignIn: ((accountKey: string) => Promise<void>) | undefined;
  readonly onChange: () => void;
}

interface Held {
  readonly accountKey: string;
  readonly end: (how: 'granted' | 'refused') => void;
}

/** A server may ask for no more than this at once. */
const mostScopes = 100;
const mostAsks = 20;

export function createStepUps(deps: StepUpDeps): StepUps {
  const { notes, clock, log } = deps;
  const held = new Set<Held>();
  const limits = createAttemptLimits(clock);
  const counted = new WeakSet<AccessAsk>();

  const release = (accountKey: string, how: 'granted' | 'refused') => {
    for (const one of held) if (one.accountKey === accountKey) one.end(how);
  };

  function hold(accountKey: string, { waitMs, signal }: RefusedCall): Promise<'granted' | 'refused'> {
    if (waitMs <= 0 || signal?.aborted) return Promise.resolve('refused');
    return new Promise((resolve) => {
      const end = (how: 'granted' | 'refused') => {
        held.delete(one);
        stop();
        signal?.removeEventListener('abort', abort);
        resolve(how);
      };
      const abort = () => end('refused');
      const one: Held = { accountKey, end };
      const stop = clock.after(waitMs, abort);
      signal?.addEventListener('abort', abort, { once: true });
      held.add(one);
    });
  }

  /** The scopes of the challenge; where it names none, what the server lists and was not granted. */
  async function wantedScopes(server: Server, challenge: Challenge): Promise<readonly string[]> {
    const named = readScopes(challenge.scope ?? '');
    if (named.length > 0) return named;
    const granted = new Set(deps.grantedScopes(server.id));
    const listed = await deps.offeredScopes(server, challenge).catch((error: unknown) => {
      log('scopes_not_found', { server: server.name, code: asAppError(error).code });
      return [];
    });
    return listed.filter((scope) => !granted.has(scope));
  }

  function note(accountKey: string, ask: AccessAsk, challenge: Challenge): void {
    const { missingScopes, askedBy } = notes.get(accountKey);
    const others = askedBy.filter(({ host, operation }) => host !== ask.host || operation !== ask.operation);
    notes.set(accountKey, {
      challenge,
      missingScopes: uniqueScopes([...missingScopes, ...ask.scopes]).slice(0, mostScopes),
      askedBy: [...others, ask].slice(-mostAsks),
    });
    deps.onChange();
  }

  function dismiss(accountKey: string): void {
    limits.dismissed(accountKey, notes.get(accountKey).askedBy);
    notes.set(accountKey, { missingScopes: [], askedBy: [] });
    release(accountKey, 'refused');
    deps.onChange();
  }

  return {
    async ask(server, host, challenge, call) {
      const wanted = (await wantedScopes(server, challenge)).slice(0, mostScopes);
      const ask: AccessAsk = { host, operation: sanitizeExternalText(call.operation, 120), scopes: wanted };
      if (wanted.length === 0 || limits.reached(server.id, ask)) return 'refused';
      note(server.id, ask, challenge);
      log('call_needs_access', {
        server: server.name,
        operation: ask.operation,
        scopes: wanted.length,
        held: call.waitMs > 0,
      });
      const waiting = hold(server.id, call);
      if (deps.autoSignIn) {
        log('sign_in_started_by_call', { server: server.name, status: 403 });
        // How it ends is told to `signInEnded`.
        void deps.autoSignIn(server.id).catch(() => {});
      }
      return waiting;
    },
    async signInEnded(accountKey, failure) {
      const { askedBy } = notes.get(accountKey);
      if (failure && wasRefused(failure)) return dismiss(accountKey);
      // Several may have waited for the same sign-in, and each tells of its end.
      limits.tried(
        accountKey,
        askedBy.filter((ask) => !counted.has(ask)),
      );
      for (const ask of askedBy) counted.add(ask);
      if (!failure) await learn(deps, accountKey, askedBy);
      else if (failure.code === 'E_AUTHORIZATION_ERROR') await unlearn(deps, accountKey);
      release(accountKey, failure ? 'refused' : 'granted');
    },
    dismiss,
    forget(accountKey) {
      limits.forget(accountKey);
      release(accountKey, 'refused');
    },
  };
}

/** The user said no: in Keybridge, or to the authorization server. */
const wasRefused = ({ code }: AppError): boolean => code === 'E_CANCELLED' || code === 'E_SIGN_IN_DENIED';

/** Keeps which tool needed what, so that the next sign-in asks for it at once, and for no more. */
async function learn({ servers, log }: StepUpDeps, accountKey: string, asks: readonly AccessAsk[]): Promise<void> {
  const server = servers.find(accountKey);
  if (!server || asks.length === 0) return;
  const known = new Map(Object.entries(server.learnedScopes));
  for (const { operation, scopes } of asks)
    known.set(operation, uniqueScopes([...(known.get(operation) ?? []), ...scopes]).slice(0, mostScopes));
  await servers
    .updateAccount(accountKey, { learnedScopes: Object.fromEntries([...known].slice(-100)) })
    .catch((error: unknown) => {
      log('learned_scopes_not_kept', { server: server.name, code: asAppError(error).code });
    });
}

/** A scope that the server knows no more must not stand in the way of every sign-in. */
async function unlearn({ servers }: StepUpDeps, accountKey: string): Promise<void> {
  const server = servers.find(accountKey);
  if (server && Object.keys(server.learnedScopes).length > 0)
    await servers.updateAccount(accountKey, { learnedScopes: {} }).catch(() => {});
}

/** Every scope that this user's tools have needed at this server. */
export const learnedScopesOf = (server: Pick<Server, 'learnedScopes'> | undefined): string[] =>
  uniqueScopes(Object.values(server?.learnedScopes ?? {}).flat());
