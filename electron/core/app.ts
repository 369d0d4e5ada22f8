import type { Api } from '../../shared/api.ts';
import { createCommands } from './commands.ts';
import { createConnections, type Connection } from './connections.ts';
import { asAppError } from './errors.ts';
import { addressPolicy } from './http/address.ts';
import type { Http } from './http/client.ts';
import { createCompanies } from './oauth/enterprise/companies.ts';
import { companyOf, isCompanyId } from './oauth/enterprise/company.ts';
import { createGrants } from './oauth/grants/grants.ts';
import { discover } from './oauth/discovery.ts';
import { movedFrom } from './oauth/moved-issuer.ts';
import { createSignIns } from './oauth/sign-in.ts';
import { createTokenViews } from './oauth/token-view.ts';
import { createTokenKeeper } from './oauth/tokens.ts';
import type { Ports } from './ports.ts';
import { createServerClients } from './server-clients.ts';
import { createServerNotes } from './server-notes.ts';
import { nameFrom } from './servers/accounts.ts';
import { openServers } from './servers/servers.ts';
import { createStatusBoard, type StatusBoard } from './status-board.ts';
import { createStepUps, learnedScopesOf } from './step-up.ts';
import { openVault, type Credential } from './vault/credentials.ts';

export type { Connection } from './connections.ts';

/** The whole product without a front: window, tray, command line and hosts all reach this one object. */
export interface App {
  readonly api: Api;
  /** The one HTTP client, for the relay. */
  readonly http: Http;
  readonly status: Pick<StatusBoard, 'current' | 'subscribe'>;
  /** A bridge for this server (name or id), for its default account unless another is named. Throws E_SERVER_UNKNOWN, E_ACCOUNT_UNKNOWN. */
  connect(server: string, account?: string): Connection;
  /** Cancels sign-ins, waits until a refresh in flight is stored (5 s at most), ends the store's process. */
  close(): Promise<void>;
}

export interface AppOptions {
  /** A call that needs a sign-in may start one in the browser by itself. Headless only. */
  readonly autoSignIn?: boolean;
}

/** Opens what lies in the data folder and puts the parts together. One per data folder: the caller holds the lock. */
export async function createApp(ports: Ports, options: AppOptions = {}): Promise<App> {
  const { clock, log, http, dataDir, store } = ports;
  const servers = await openServers({ dataDir, clock, log });
  const vault = await openVault({ store, dataDir, installId: servers.installId, clock, log, knownIds: servers.list().flatMap((server) => [server.id, companyOf(server)?.id ?? []].flat()) });
  const clients = createServerClients({ http, servers, vault, clock });
  const notes = createServerNotes();
  const changed = (): void => board.changed();

  const companies = createCompanies({
    ports,
    httpOf: (serverId) => clients.of(serverId),
    servers,
    vault,
    signingIn: (serverId) => signIns.progress(serverId) !== undefined,
    onSignedIn(theirs) {
      for (const { id } of theirs) if (tokens.state(id).kind === 'ended') void tokens.refreshNow(id);
    },
  });
  const reaching = {
    vault,
    clock,
    grants: createGrants({ servers, vault, clock, companies }),
    httpOf: (serverId: string) => clients.of(serverId),
    policyOf: async ({ id }: Pick<Credential, 'id'>) => addressPolicy(http, urlOf(id)),
    serverUrlOf: (id: string) => servers.find(id)?.url,
    async movedFrom(id: string) {
      const [server, issuer] = [servers.find(id), vault.facts(id)?.issuer];
      return server && issuer !== undefined ? movedFrom(server, issuer, clients.of(id)) : undefined;
    },
  };
  const tokens = createTokenKeeper({ ...reaching, http, log, owns: (id) => !isCompanyId(id), onWake: ports.onWake, onChange: changed });
  const signIns = createSignIns({
    ports,
    httpOf: (serverId) => clients.of(serverId),
    servers,
    vault,
    tokens,
    refusedClient(serverId) {
      const state = tokens.state(serverId);
      return state.kind === 'ended' && state.error.code === 'E_CLIENT_REFUSED' ? vault.facts(serverId)?.clientId : undefined;
    },
    companies,
    challengeOf: (serverId) => notes.get(serverId).challenge,
    extraScopes: (serverId) => [...notes.get(serverId).missingScopes, ...learnedScopesOf(servers.find(serverId))],
    onChange: changed,
  });
  const stepUps = createStepUps({
    servers,
    notes,
    clock,
    log,
    async offeredScopes(server, challenge) {
      // What the server offers, not what the user chose of it before.
      const { scopes: _chosen, ...settings } = server.settings;
      const discovery = await discover(new URL(server.url), { http: clients.of(server.id), challenge, settings });
      return discovery.kind === 'protected' ? discovery.scopes : [];
    },
    grantedScopes: (serverId) => vault.facts(serverId)?.grantedScopes ?? [],
    autoSignIn: options.autoSignIn ? (serverId) => signIn(serverId, true) : undefined,
    onChange: changed,
  });
  const connections = createConnections({
    servers,
    tokens,
    httpOf: (serverId) => clients.of(serverId),
    notes,
    stepUps,
    log,
    signIn: (serverId) => signIn(serverId, true),
    autoSignIn: options.autoSignIn ?? false,
    onChange: changed,
  });

  const board = createStatusBoard({ ports, servers, vault, tokens, signIns, notes, connections });

  async function signIn(serverId: string, openBrowser: boolean): Promise<void> {
    notes.set(serverId, { lastFailure: undefined });
    try {
      await signIns.start(serverId, { openBrowser });
      await nameAccount(serverId);
      await stepUps.signInEnded(serverId, undefined);
      notes.clear(serverId);
      connections.signedIn(serverId);
    } catch (error) {
      const failure = asAppError(error, servers.find(serverId)?.name);
      if (failure.code !== 'E_CANCELLED') notes.set(serverId, { lastFailure: failure });
      await stepUps.signInEnded(serverId, failure);
      throw failure;
    } finally {
      changed();
    }
  }

  /** A name of ours gives way to who signed in. */
  async function nameAccount(serverId: string): Promise<void> {
    const server = servers.find(serverId);
    const facts = vault.facts(serverId);
    const claims = facts?.idTokenClaims;
    // A bare `sub` is a name for nobody.
    const who = claims ? (claims['email'] ?? claims['preferred_username'] ?? claims['name']) : facts?.account;
    const name = server && nameFrom(who, server, servers.list());
    if (name !== undefined) await servers.updateAccount(serverId, { name }).catch((error: unknown) => log('account_not_named', { code: asAppError(error).code }));
  }

  function urlOf(serverId: string): URL {
    const server = servers.find(serverId);
    return new URL(server?.url ?? 'https://removed.invalid');
  }

  /** What waited for the store goes on at once. */
  async function unlockStore() {
    const status = await board.lookAtStore(() => store.unlock());
    if (status.state === 'ready') companies.unblock();
    const waiting = servers.list().map(({ id }) => id).filter((id) => tokens.state(id).kind === 'blocked');
    if (status.state === 'ready') for (const id of waiting) void tokens.refreshNow(id);
    return status;
  }

  const api = createCommands({
    ports,
    clients,
    servers,
    vault,
    tokens,
    companies,
    signIns,
    signIn,
    notes,
    connections,
    stepUps,
    statusOf: (serverId) => board.of(serverId),
    current: () => board.current(),
    changed,
    unlockStore,
    views: createTokenViews({ ...reaching, tokens }),
  });

  await Promise.all([tokens.start(), companies.start()]);
  void board.lookAtStore(() => store.probe());

  return {
    api,
    http,
    status: board,
    connect: (server, account) => connections.open(server, account),
    async close() {
      await signIns.close();
      await Promise.all([tokens.close(), companies.close()]);
      await store.close();
      await clients.close();
      await http.close();
    },
  };
}
