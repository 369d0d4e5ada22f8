import { defined } from '../../../shared/defined.ts';
import { plainText } from '../../../shared/foreign-text.ts';
import type { IdentityNote } from '../../../shared/identity-note.ts';
import type { ServerDetail, ServerStatus } from '../../../shared/model.ts';
import { presetFor } from '../oauth/providers/presets.ts';
import { scopesInEffect } from '../oauth/tokens/granted-scopes.ts';
import type { TokenView } from '../oauth/inspection/token-view.ts';
import { accountsOf } from '../servers/accounts.ts';
import type { Servers } from '../servers/servers.ts';
import type { Vault } from '../vault/credentials.ts';
import type { Server } from '../servers/server.ts';

export interface ServerDetailDeps {
  readonly servers: Pick<Servers, 'list'>;
  readonly vault: Pick<Vault, 'facts'>;
}

/** Names of claims come from outside too, not only their values. */
const plainClaims = (claims: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(claims).map(([name, value]) => [plainText(name), plainText(value)]));

/** Notes with which a name does not count as verified. */
const unverified: ReadonlySet<IdentityNote> = new Set(['userinfo_alone', 'unknown']);

/** Returns everything that a user may see about one account of a server. Text from outside is made plain. */
export function serverDetail(
  { servers, vault }: ServerDetailDeps,
  server: Server,
  status: ServerStatus,
  view: TokenView,
): ServerDetail {
  const facts = vault.facts(server.id);
  const registration =
    server.registrations.find((one) => one.issuer === facts?.issuer && one.client_id === facts.clientId) ??
    server.registrations[0];
  const preset = facts && presetFor(facts.issuer, server.settings.preset);
  const { accessTokenClaims, introspection } = view;
  const clientId = facts?.clientId ?? registration?.client_id ?? server.clientId;
  return {
    status,
    accounts: accountsOf(servers, server).map(({ id, account: { name, isDefault } }) => ({ id, name, isDefault })),
    ownClient: server.account.ownClient,
    addedAt: server.addedAt,
    requestedScopes: (facts?.requestedScopes ?? []).map(plainText),
    grantedScopes: facts ? scopesInEffect(facts).map(plainText) : [],
    learnedScopes: Object.fromEntries(
      Object.entries(server.learnedScopes).map(([operation, scopes]) => [plainText(operation), scopes.map(plainText)]),
    ),
    allowMissingPkce: server.allowMissingPkce,
    settings: server.settings,
    storedSecrets: [...server.storedSecrets, ...(server.hasClientSecret ? (['clientSecret'] as const) : [])],
    ...(facts
      ? { issuer: plainText(facts.issuer), resource: plainText(facts.resource), signedInAt: facts.signedInAt }
      : {}),
    ...(clientId === undefined
      ? {}
      : { clientId, registration: server.clientId === undefined ? (registration?.how ?? 'dynamic') : 'configured' }),
    ...defined({
      lastRefreshAt: facts?.lastRefreshAt,
      preset: preset?.title,
      // Before there is a registration: what the user was told to register.
      redirectUri: registration?.redirect_uri ?? server.reservedRedirect?.redirect_uri,
      accessTokenClaims: accessTokenClaims && plainClaims(accessTokenClaims),
      introspection: introspection && { active: introspection.active, claims: plainClaims(introspection.claims) },
      idTokenClaims: facts?.idTokenClaims && plainClaims(facts.idTokenClaims),
    }),
    identityVerified:
      facts?.subject !== undefined &&
      facts.idTokenClaims !== undefined &&
      !facts.identityNotes?.some((note) => unverified.has(note)),
    tokenNotes: view.notes.map(plainText),
  };
}
