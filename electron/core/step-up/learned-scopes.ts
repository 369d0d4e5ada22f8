import { asAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { uniqueScopes } from '../oauth/scopes.ts';
import type { Server } from '../servers/server.ts';
import type { Servers } from '../servers/servers.ts';
import type { AccessRequest } from '../status/runtime-notes.ts';
import { maxScopes } from './limits.ts';

interface LearnedScopesDeps {
  readonly servers: Pick<Servers, 'find' | 'updateAccount'>;
  readonly log: Log;
}

/** The newest operations whose scopes are stored. */
const maxOperations = 100;

/** Stores which operation needed which scopes, so that the next sign-in asks for them, and for no others. */
export async function learnScopes(
  { servers, log }: LearnedScopesDeps,
  accountKey: string,
  requests: readonly AccessRequest[],
): Promise<void> {
  const server = servers.find(accountKey);
  if (!server || requests.length === 0) return;
  const learned = new Map(Object.entries(server.learnedScopes));
  for (const { operation, scopes } of requests)
    learned.set(operation, uniqueScopes([...(learned.get(operation) ?? []), ...scopes]).slice(0, maxScopes));
  await servers
    .updateAccount(accountKey, { learnedScopes: Object.fromEntries([...learned].slice(-maxOperations)) })
    .catch((error: unknown) => {
      log('learned_scopes_not_kept', { server: server.name, code: asAppError(error).code });
    });
}

/** Deletes learned scopes: one that the authorization server no longer knows would break every sign-in. */
export async function forgetScopes({ servers }: LearnedScopesDeps, accountKey: string): Promise<void> {
  const server = servers.find(accountKey);
  if (server && Object.keys(server.learnedScopes).length > 0)
    await servers.updateAccount(accountKey, { learnedScopes: {} }).catch(() => {});
}

/** Returns every scope that this account's calls have needed at this server. */
export const learnedScopesOf = (server: Pick<Server, 'learnedScopes'> | undefined): string[] =>
  uniqueScopes(Object.values(server?.learnedScopes ?? {}).flat());
