import { defined } from '../../../../shared/defined.ts';
import type { Clock } from '../../base/clock.ts';
import { AppError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Http } from '../../http/http.ts';
import { keepNetwork, knownNetwork } from '../../servers/networks.ts';
import { keepSeen } from '../../servers/seen.ts';
import type { Server } from '../../servers/server.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { needsConfirmation, withConfirmed } from '../authorization/endpoint-hosts.ts';
import { discover } from '../discovery/discovery.ts';
import type { Challenge, Discovery } from '../model.ts';
import { uniqueScopes } from '../scopes.ts';
import type { SignInHosts } from '../../../../shared/sign-in-state.ts';

export type ProtectedServer = Extract<Discovery, { kind: 'protected' }>;

export interface DiscoverServerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly httpOf: (accountKey: string) => Http;
  readonly servers: Pick<Servers, 'find' | 'update' | 'unchecked'>;
  readonly vault: Pick<Vault, 'facts'>;
  /** The latest challenge in the server's response to a call. */
  readonly challengeOf: (accountKey: string) => Challenge | undefined;
  /** Scopes that the server required for a call and the token did not have (step-up). */
  readonly extraScopes: (accountKey: string) => readonly string[];
}

/**
 * Runs discovery for a sign-in. Saves what it finds out (network, whether a sign-in is needed, DPoP) in the server's
 * entry.
 * Throws E_NO_SIGN_IN if the server needs no sign-in, and the errors of `discover`.
 */
export async function discoverForSignIn(
  deps: DiscoverServerDeps,
  server: Server,
  signal: AbortSignal,
): Promise<ProtectedServer> {
  const { servers, log, clock } = deps;
  const discovery = await discover(new URL(server.url), {
    http: deps.httpOf(server.id),
    signal,
    settings: server.settings,
    network: knownNetwork(server, server.url),
    ...defined({ challenge: deps.challengeOf(server.id) }),
  });
  await keepNetwork({ servers, log }, server.id, discovery.allow);
  await keepSeen(servers, server, discovery.kind === 'open' ? 'open' : 'sign_in', clock.now());
  if (discovery.kind === 'open') throw new AppError('E_NO_SIGN_IN', `${server.name} does not require a sign-in.`);
  // Kept in the settings, where the user sees it and can turn it off. The refresh needs it too.
  if (discovery.dpopRequired && server.settings.dpop === undefined)
    await servers.update(server.id, { settings: { ...current(deps, server.id).settings, dpop: true } });
  return discovery;
}

/**
 * Asks the user to confirm the hosts that the sign-in leads to, where that is necessary, before anything is sent to
 * them. Stores the confirmation, which is valid for this server and exactly these hosts. Throws the errors of
 * `Attempt.confirm`.
 */
export async function confirmHosts(
  deps: Pick<DiscoverServerDeps, 'servers'>,
  { id, settings: { preset } }: Server,
  { issuerNamed: named }: ProtectedServer,
  attempt: Attempt,
  hosts: SignInHosts,
): Promise<void> {
  if (!needsConfirmation(hosts, { named, preset, confirmed: current(deps, id).confirmedHosts })) return;
  await attempt.confirm(hosts);
  await deps.servers.update(id, { confirmedHosts: withConfirmed(current(deps, id).confirmedHosts, hosts) });
}

/** The scopes to request. A step-up includes those of the last sign-in, because the new token replaces the old one. */
export function scopesFor(
  { extraScopes, vault }: Pick<DiscoverServerDeps, 'extraScopes' | 'vault'>,
  server: Server,
  discovery: ProtectedServer,
): readonly string[] {
  const extra = extraScopes(server.id);
  if (extra.length === 0) return discovery.scopes;
  const before = vault.facts(server.id)?.requestedScopes ?? [];
  return uniqueScopes([...before, ...discovery.scopes, ...extra]);
}

/** The current entry of the server. Throws E_SERVER_UNKNOWN. */
export function current({ servers }: { readonly servers: Pick<Servers, 'find'> }, accountKey: string): Server {
  const server = servers.find(accountKey);
  if (!server) throw new AppError('E_SERVER_UNKNOWN', 'There is no such server.');
  return server;
}
