import { asAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { SignIns } from '../oauth/sign-in/sign-in.ts';
import type { AccessTokens } from '../oauth/tokens/access-tokens.ts';
import { accountsOf, nameFrom } from '../servers/accounts.ts';
import type { Server } from '../servers/server.ts';
import type { Servers } from '../servers/servers.ts';
import type { RuntimeNotes } from '../status/runtime-notes.ts';
import type { StepUps } from '../step-up/step-up.ts';
import type { Vault } from '../vault/credentials.ts';
import type { AppEvents } from './app-events.ts';

interface SignInOptions {
  readonly openBrowser: boolean;
  /** Whether a user can answer the step `confirm`. */
  readonly canAsk?: boolean;
}

/** Signs in, then names the account, updates the notes, and releases held calls and bridges. Throws AppError. */
export type SignInFlow = (accountKey: string, options: SignInOptions) => Promise<void>;

export interface SignInFlowDeps {
  readonly servers: Pick<Servers, 'list' | 'find' | 'updateAccount'>;
  readonly vault: Pick<Vault, 'facts' | 'notice'>;
  readonly signIns: Pick<SignIns, 'start'>;
  readonly stepUps: Pick<StepUps, 'signInEnded'>;
  readonly notes: RuntimeNotes;
  readonly events: Pick<AppEvents, 'changed' | 'usable'>;
  readonly log: Log;
}

export function createSignInFlow(deps: SignInFlowDeps): SignInFlow {
  const { servers, vault, signIns, stepUps, notes, events } = deps;
  return async (accountKey, options) => {
    // Fail before the user signs in, since the result could not be stored.
    if (vault.notice) throw vault.notice;
    notes.set(accountKey, { lastFailure: undefined });
    try {
      await signIns.start(accountKey, options);
      await nameAccount(deps, accountKey);
      await stepUps.signInEnded(accountKey, undefined);
      notes.clear(accountKey);
      events.usable.emit(accountKey);
    } catch (error) {
      const failure = asAppError(error, servers.find(accountKey)?.name);
      // The sign-in itself succeeded; only its token is withheld.
      if (failure.code === 'E_TOKEN_AUDIENCE') await nameAccount(deps, accountKey);
      // A server that requires no sign-in works, so this is not a failure to show.
      if (failure.code !== 'E_CANCELLED' && failure.code !== 'E_NO_SIGN_IN')
        notes.set(accountKey, { lastFailure: failure });
      await stepUps.signInEnded(accountKey, failure);
      throw failure;
    } finally {
      events.changed.emit();
    }
  };
}

/** Replaces an automatic account name by the name of the user who signed in. */
async function nameAccount({ servers, vault, log }: SignInFlowDeps, accountKey: string): Promise<void> {
  const server = servers.find(accountKey);
  const facts = vault.facts(accountKey);
  const claims = facts?.idTokenClaims;
  // With claims, `facts.account` may be a bare `sub`, which means nothing to a user.
  const who = claims ? (claims['email'] ?? claims['preferred_username'] ?? claims['name']) : facts?.account;
  const name = server && nameFrom(who, server, accountsOf(servers, server));
  if (name !== undefined)
    await servers
      .updateAccount(accountKey, { name })
      .catch((error: unknown) => log('account_not_named', { code: asAppError(error).code }));
}

/** After a change of a server's settings: releases tokens that were withheld for an audience that is now accepted. */
export function reviewAudiences(
  {
    servers,
    tokens,
    notes,
    events,
  }: Pick<SignInFlowDeps, 'notes' | 'events'> & {
    readonly servers: Pick<Servers, 'list'>;
    readonly tokens: Pick<AccessTokens, 'reviewAudience'>;
  },
  server: Server,
): void {
  for (const { id } of accountsOf(servers, server)) {
    if (!tokens.reviewAudience(id)) continue;
    notes.set(id, { lastFailure: undefined });
    events.usable.emit(id);
  }
}
