import type { CallInput } from '../../../shared/api.ts';
import { defined } from '../../../shared/defined.ts';
import { accountsOf } from '../servers/accounts.ts';
import type { Server } from '../servers/server.ts';
import type { CommandContext } from './command-context.ts';

/** Changes settings, client and secrets of a server. Returns it with its new client. */
export async function configureServer(context: CommandContext, input: CallInput<'configureServer'>): Promise<Server> {
  const { servers, storeSecrets } = context;
  const { clientId, clientSecret, allowMissingPkce, settings, secrets } = input;
  const before = context.named(input);
  const server = clientId === undefined ? before : await changeClient(context, before, clientId, input.account);
  // Secrets that come with new settings belong to these settings.
  await storeSecrets(settings ? { ...server, settings } : server, { ...secrets, clientSecret }, input.account);
  // A user who changes the scopes wants exactly these, without those that step-ups have added.
  if (settings && JSON.stringify(settings.scopes) !== JSON.stringify(server.settings.scopes)) {
    for (const { id } of accountsOf(servers, server)) await servers.updateAccount(id, { learnedScopes: {} });
  }
  await servers.update(server.id, defined({ settings, allowMissingPkce }));
  await context.companies.release();
  context.reviewAudiences(server);
  return server;
}

/**
 * Sets or removes (null) the client ID: of the account, if one is named or has its own client, and otherwise of the
 * server, for all accounts without their own.
 */
async function changeClient(
  { servers, storeSecrets }: CommandContext,
  server: Server,
  clientId: string | null,
  account: string | undefined,
): Promise<Server> {
  const ownClient = account !== undefined || server.account.ownClient;
  const replaced = server.clientId !== undefined && server.clientId !== clientId;
  await storeSecrets(server, {
    // The old client's secret must never be sent for the new client, whose issuer may be another.
    ...(replaced && ownClient === server.account.ownClient && server.hasClientSecret ? { clientSecret: null } : {}),
    // Without its own client, an account has no key of its own.
    ...(clientId === null && server.account.ownClient ? { privateKey: null } : {}),
  });
  const change = { clientId: clientId ?? undefined };
  const changed = ownClient ? await servers.updateAccount(server.id, change) : await servers.update(server.id, change);
  // A client ID that is entered again may belong to another issuer.
  for (const { id, registrations } of accountsOf(servers, changed)) {
    const kept = registrations.filter(({ how, client_id }) => how !== 'configured' || client_id !== clientId);
    if (kept.length < registrations.length) await servers.updateAccount(id, { registrations: kept });
  }
  return changed;
}
