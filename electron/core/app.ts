import type { Api } from '../../shared/api.ts';
import type { Status, StoreStatus } from '../../shared/model.ts';
import { createCommands } from './commands.ts';
import { createConnections, credentialIdOf, serverIdOf, type Connection } from './connections.ts';
import { asAppError } from './errors.ts';
import { addressPolicy } from './http/address.ts';
import type { Http } from './http/client.ts';
import { createGrants } from './oauth/grants/grants.ts';
import { discover } from './oauth/discovery.ts';
import { createSignIns } from './oauth/sign-in.ts';
import { createTokenKeeper } from './oauth/tokens.ts';
import type { Ports } from './ports.ts';
import { createServerClients } from './server-clients.ts';
import { createServerNotes } from './server-notes.ts';
import { openServers } from './servers/servers.ts';
import { serverStatus } from './status.ts';
import { createStepUps, learnedScopesOf } from './step-up.ts';
import { openVault } from './vault/credentials.ts';

export type { Connection } from './connections.ts';

/** The whole product without a front: window, tray, command line and hosts all reach this one object. */
export interface App {
  readonly api: Api;
  /** The one HTTP client, for the relay. */
  readonly http: Http;
  readonly status: {
    current(): Status;
    /** Calls the listener with the current state at once, then after each change. Gives the function that ends this. */
    subscribe(listener: (status: Status) => void): () => void;
  };
  /** A bridge for this server (name or id). Throws E_SERVER_UNKNOWN. */
  connect(server: string): Connection;
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
  const vault = await openVault({ store, dataDir, installId: servers.installId, clock, log, knownIds: servers.list().map(({ id }) => credentialIdOf(id)) });
  const clients = createServerClients({ http, servers, vault, clock });
  const notes = createServerNotes();
  const listeners = new Set<(status: Status) => void>();
  let storeState: StoreStatus['state'] = 'ready';

  const tokens = createTokenKeeper({
    http,
    clock,
    log,
    vault,
    grants: createGrants({ servers, vault, clock }),
    onWake: ports.onWake,
    httpOf: (credentialId) => clients.of(serverIdOf(credentialId)),
    policyOf: async (credential) => addressPolicy(http, urlOf(credential.id)),
    onChange: () => changed(),
  });
  const signIns = createSignIns({
    ports,
    httpOf: (serverId) => clients.of(serverId),
    servers,
    vault,
    tokens,
    challengeOf: (serverId) => notes.get(serverId).challenge,
    extraScopes: (serverId) => [...notes.get(serverId).missingScopes, ...learnedScopesOf(servers.find(serverId))],
    onChange: () => changed(),
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
    grantedScopes,
    autoSignIn: options.autoSignIn ? (serverId) => signIn(serverId, true) : undefined,
    onChange: () => changed(),
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
    onChange: () => changed(),
  });

  async function signIn(serverId: string, openBrowser: boolean): Promise<void> {
    notes.set(serverId, { lastFailure: undefined });
    try {
      await signIns.start(serverId, { openBrowser });
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

  function grantedScopes(serverId: string): readonly string[] {
    return vault.facts(credentialIdOf(serverId))?.grantedScopes ?? [];
  }

  function urlOf(credentialId: string): URL {
    const server = servers.find(serverIdOf(credentialId));
    return new URL(server?.url ?? 'https://removed.invalid');
  }

  function statusOf(serverId: string) {
    const server = servers.find(serverId);
    if (!server) return undefined;
    const credentialId = credentialIdOf(serverId);
    const note = notes.get(serverId);
    return serverStatus({
      server,
      signIn: signIns.progress(serverId),
      lastFailure: note.lastFailure,
      tokens: tokens.state(credentialId),
      needsSignIn: server.signInRequired,
      missingScopes: note.missingScopes,
      grantedScopes: grantedScopes(serverId),
      askedBy: note.askedBy,
      account: vault.facts(credentialId)?.account,
      hosts: connections.hostsOf(serverId),
    });
  }

  function current(): Status {
    const { version, front, runtime } = ports.about;
    const status: Status = {
      version,
      front,
      runtime,
      store: { name: store.name, label: store.label, state: storeState },
      servers: servers.list().flatMap((server) => statusOf(server.id) ?? []),
    };
    if (servers.notice) status.notice = servers.notice.toInfo();
    return status;
  }

  // One snapshot per turn of the event loop, however many parts changed in it.
  let pending = false;
  function changed(): void {
    if (pending) return;
    pending = true;
    queueMicrotask(() => {
      pending = false;
      const status = current();
      for (const listener of listeners) listener(status);
    });
  }

  async function lookAtStore(look: () => ReturnType<typeof store.probe>): Promise<StoreStatus> {
    const answer = await look();
    storeState = answer.kind;
    changed();
    return current().store;
  }

  /** What waited for the store goes on at once. */
  async function unlockStore(): Promise<StoreStatus> {
    const status = await lookAtStore(() => store.unlock());
    const waiting = servers.list().map(({ id }) => credentialIdOf(id)).filter((id) => tokens.state(id).kind === 'blocked');
    if (status.state === 'ready') for (const id of waiting) void tokens.refreshNow(id);
    return status;
  }

  const api = createCommands({
    ports,
    clients,
    servers,
    vault,
    tokens,
    signIns,
    signIn,
    notes,
    connections,
    stepUps,
    statusOf,
    current,
    changed,
    probeStore: () => lookAtStore(() => store.probe()),
    unlockStore,
  });

  await tokens.start();
  void lookAtStore(() => store.probe());

  return {
    api,
    http,
    status: {
      current,
      subscribe(listener) {
        listeners.add(listener);
        listener(current());
        return () => void listeners.delete(listener);
      },
    },
    connect: (server) => connections.open(server),
    async close() {
      await signIns.close();
      await tokens.close();
      await store.close();
      await clients.close();
      await http.close();
    },
  };
}
