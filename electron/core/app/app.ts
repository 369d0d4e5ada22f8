import type { Api } from '../../../shared/api.ts';
import { createCommands } from './commands.ts';
import { createConnections, type Connection } from './connections.ts';
import { asAppError } from '../base/errors.ts';
import { createCompanies } from '../oauth/enterprise/companies.ts';
import { companyOf, isCompanyId } from '../oauth/enterprise/company.ts';
import { createGrants } from '../oauth/grants/grants.ts';
import { discover } from '../oauth/discovery/discovery.ts';
import { movedFrom } from '../oauth/tokens/issuer-moved.ts';
import { scopesInEffect } from '../oauth/tokens/granted-scopes.ts';
import { createRegistrationRenewal } from '../oauth/registration/registration-renewal.ts';
import { createSignIns } from '../oauth/sign-in/sign-in.ts';
import { createTokenViews } from '../oauth/inspection/token-view.ts';
import { audienceFault, knownAudiences } from '../oauth/tokens/audience.ts';
import { createAccessTokens } from '../oauth/tokens/access-tokens.ts';
import { bindOldSecrets } from './bind-old-secrets.ts';
import type { Ports } from './ports.ts';
import { createAccountClients } from './account-clients.ts';
import { createServerNetworks } from './server-network.ts';
import { createRuntimeNotes } from '../status/runtime-notes.ts';
import { accountsOf, nameFrom } from '../servers/accounts.ts';
import type { Secret } from '../base/secret.ts';
import { knownNetwork } from '../servers/networks.ts';
import { openServers } from '../servers/servers.ts';
import { createStatusStore, type StatusStore } from '../status/status-store.ts';
import { createStepUps, learnedScopesOf } from '../step-up/step-up.ts';
import { createCheckedStore } from '../vault/checked-store.ts';
import { openVault } from '../vault/credentials.ts';
import { createListMacs } from '../vault/list-macs.ts';
import type { StoreFault } from '../vault/secret-store.ts';
import type { Http } from '../http/http.ts';
import type { Credential } from '../vault/credential.ts';
import type { Server } from '../servers/server.ts';

/** The whole product without a front: window, tray, command line and hosts all reach this one object. */
export interface App {
  readonly api: Api;
  /** The one HTTP client, for the relay. */
  readonly http: Http;
  readonly status: Pick<StatusStore, 'current' | 'subscribe'>;
  /**
   * A bridge for this server (name or id), for its default account unless another is named. Throws E_SERVER_UNKNOWN,
   * E_ACCOUNT_UNKNOWN.
   */
  connect(server: string, account?: string): Connection;
  /** Cancels sign-ins, waits until a refresh in flight is stored (5 s at most), ends the store's process. */
  close(): Promise<void>;
}

export interface AppOptions {
  /** A call that needs a sign-in may start one in the browser by itself. Headless only. */
  readonly autoSignIn?: boolean;
}

/** Longest wait at the start for the key that the list of servers is checked with. */
const firstCheckMs = 3_000;

/** Opens what lies in the data folder and puts the parts together. One per data folder: the caller holds the lock. */
export async function createApp(ports: Ports, options: AppOptions = {}): Promise<App> {
  const { clock, log, http, dataDir } = ports;
  const servers = await openServers({
    dataDir,
    clock,
    log,
    macs: ports.store.name === 'memory' ? undefined : (installId) => createListMacs(ports.store, installId, dataDir),
  });
  /** What an older version stored was for these: from now on programs can change them by commands. */
  const asRead = servers.list();
  const checkedStore = createCheckedStore(
    ports.store,
    () => !servers.unchecked,
    () => checkList(),
  );
  const { store } = checkedStore;
  // What the index has lost is looked for; nothing of it is used yet.
  const vault = await checkedStore.unchecked(() =>
    openVault({
      store,
      dataDir,
      installId: servers.installId,
      clock,
      log,
      knownIds: servers.list().flatMap((server) => [server.id, companyOf(server)?.id ?? []].flat()),
    }),
  );
  const clients = createAccountClients({ http, servers, vault, clock });
  const notes = createRuntimeNotes();
  const changed = (): void => board.changed();
  let checking: Promise<{ readonly kind: 'done' } | StoreFault> | undefined;

  const companies = createCompanies({
    ports,
    servers,
    vault,
    signingIn: (accountKey) => signIns.progress(accountKey) !== undefined,
    onSignedIn(theirs) {
      for (const { id } of theirs) if (tokens.state(id).kind === 'ended') void tokens.refreshNow(id);
    },
  });
  const reach = createServerNetworks({ clients, servers, log });
  const reaching = {
    vault,
    clock,
    grants: createGrants({ servers, vault, clock, companies }),
    httpOf: (accountKey: string) => clients.of(accountKey),
    policyOf: (credential: Credential) => reach.policyOf(credential),
    serverUrlOf: (id: string) => servers.find(id)?.url,
    audienceFault(id: string, token: Secret) {
      const server = servers.find(id);
      return server && audienceFault(token, knownAudiences(server, vault.facts(id)));
    },
    async movedFrom(id: string) {
      const [server, issuer] = [servers.find(id), vault.facts(id)?.issuer];
      return server && issuer !== undefined ? movedFrom(server, issuer, clients.of(id)) : undefined;
    },
  };
  const tokens = createAccessTokens({
    ...reaching,
    http,
    log,
    owns: (id) => !isCompanyId(id),
    onWake: ports.onWake,
    onRecovered: (id) => connections.signedIn(id),
    onChange: changed,
  });
  const signIns = createSignIns({
    ports,
    httpOf: (accountKey) => clients.of(accountKey),
    servers,
    vault,
    tokens,
    refusedClient(accountKey) {
      const state = tokens.state(accountKey);
      return state.kind === 'ended' && state.error.code === 'E_CLIENT_REFUSED'
        ? vault.facts(accountKey)?.clientId
        : undefined;
    },
    companies,
    challengeOf: (accountKey) => notes.get(accountKey).challenge,
    extraScopes: (accountKey) => [...notes.get(accountKey).missingScopes, ...learnedScopesOf(servers.find(accountKey))],
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
      const discovery = await discover(new URL(server.url), {
        http: clients.of(server.id),
        challenge,
        settings,
        network: knownNetwork(server, server.url),
      });
      return discovery.kind === 'protected' ? discovery.scopes : [];
    },
    grantedScopes(accountKey) {
      const facts = vault.facts(accountKey);
      return facts ? scopesInEffect(facts) : [];
    },
    autoSignIn: options.autoSignIn ? (accountKey) => signIn(accountKey, { openBrowser: true }) : undefined,
    onChange: changed,
  });
  const connections = createConnections({
    servers,
    tokens,
    httpOf: (accountKey) => clients.of(accountKey),
    notes,
    stepUps,
    log,
    clock,
    signIn: (accountKey) => signIn(accountKey, { openBrowser: true }),
    autoSignIn: options.autoSignIn ?? false,
    onChange: changed,
  });

  const renewal = createRegistrationRenewal({
    servers,
    vault,
    clock,
    log,
    httpOf: (accountKey) => clients.of(accountKey),
    policyOf: (server) => reach.networkOf(server),
  });
  const board = createStatusStore({
    about: ports.about,
    store: ports.store,
    servers,
    vault,
    tokens,
    signIns,
    notes,
    hostsOf: (accountKey) => connections.hostsOf(accountKey),
  });

  async function signIn(
    accountKey: string,
    how: { readonly openBrowser: boolean; readonly canAsk?: boolean },
  ): Promise<void> {
    // Nobody should go through a sign-in that cannot be stored.
    if (vault.notice) throw vault.notice;
    notes.set(accountKey, { lastFailure: undefined });
    try {
      await signIns.start(accountKey, how);
      await nameAccount(accountKey);
      await stepUps.signInEnded(accountKey, undefined);
      notes.clear(accountKey);
      connections.signedIn(accountKey);
    } catch (error) {
      const failure = asAppError(error, servers.find(accountKey)?.name);
      // The sign-in worked; only its token is held back.
      if (failure.code === 'E_TOKEN_AUDIENCE') await nameAccount(accountKey);
      // An open server can be used: that there was nothing to sign in to is no failure of its own.
      if (failure.code !== 'E_CANCELLED' && failure.code !== 'E_NO_SIGN_IN')
        notes.set(accountKey, { lastFailure: failure });
      await stepUps.signInEnded(accountKey, failure);
      throw failure;
    } finally {
      changed();
    }
  }

  /** The settings of a server are others: a token that was kept back for its audience may be usable now. */
  function reviewAudiences(server: Server): void {
    for (const { id } of accountsOf(servers, server)) {
      if (!tokens.reviewAudience(id)) continue;
      notes.set(id, { lastFailure: undefined });
      connections.signedIn(id);
    }
  }

  /** A name of ours gives way to who signed in. */
  async function nameAccount(accountKey: string): Promise<void> {
    const server = servers.find(accountKey);
    const facts = vault.facts(accountKey);
    const claims = facts?.idTokenClaims;
    // A bare `sub` is a name for nobody.
    const who = claims ? (claims['email'] ?? claims['preferred_username'] ?? claims['name']) : facts?.account;
    const name = server && nameFrom(who, server, accountsOf(servers, server));
    if (name !== undefined)
      await servers
        .updateAccount(accountKey, { name })
        .catch((error: unknown) => log('account_not_named', { code: asAppError(error).code }));
  }

  /**
   * Checks the MAC of each entry, and sets aside those that another program changed. If the store fails, this is done
   * later.
   */
  async function lookWhoWrote(): Promise<{ readonly kind: 'done' } | StoreFault> {
    try {
      const looked = await servers.check(() => checkedStore.unchecked(() => bindOldSecrets(vault, asRead)));
      if (looked.kind === 'done') for (const id of looked.gone ?? []) connections.removed(id);
      changed();
      return looked;
    } catch (error) {
      // The list could not be signed; each secret is still bound to what it was entered for.
      log('list_not_signed', { code: asAppError(error).code });
      return { kind: 'done' };
    }
  }
  function checkList(): Promise<{ readonly kind: 'done' } | StoreFault> {
    checking ??= lookWhoWrote().finally(() => (checking = undefined));
    return checking;
  }

  /** What waited for the store goes on at once. */
  async function unlockStore() {
    const status = await board.lookAtStore(() => store.unlock());
    if (status.state === 'ready' && servers.unchecked) await checkList();
    if (status.state === 'ready') companies.unblock();
    const waiting = servers
      .list()
      .map(({ id }) => id)
      .filter((id) => tokens.state(id).kind === 'blocked');
    if (status.state === 'ready') for (const id of waiting) void tokens.refreshNow(id);
    return status;
  }

  const api = createCommands({
    ports,
    clients,
    networkOf: (server) => reach.networkOf(server),
    servers,
    vault,
    tokens,
    companies,
    signIns,
    signIn,
    notes,
    connections,
    stepUps,
    statusOf: (accountKey) => board.of(accountKey),
    current: () => board.current(),
    changed,
    reviewAudiences,
    unlockStore,
    views: createTokenViews({ ...reaching, tokens }),
  });

  // A keychain that does not answer must not keep the app from starting: nothing is read from it before the list is
  // checked.
  if (servers.unchecked)
    await Promise.race([checkList(), new Promise<void>((resolve) => void clock.after(firstCheckMs, resolve))]);
  await Promise.all([tokens.start(), companies.start()]);
  void board.lookAtStore(() => store.probe());
  renewal.start();

  return {
    api,
    http,
    status: board,
    connect: (server, account) => connections.open(server, account),
    async close() {
      renewal.stop();
      await signIns.close();
      await Promise.all([tokens.close(), companies.close()]);
      await store.close();
      await clients.close();
      await http.close();
      // What an answer taught us last is written too: the folder may be gone, or another broker's, afterwards.
      await servers.idle();
    },
  };
}
