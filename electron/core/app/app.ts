import type { Api } from '../../../shared/api.ts';
import { within } from '../base/async.ts';
import type { Companies } from '../oauth/enterprise/companies.ts';
import type { RegistrationRenewal } from '../oauth/registration/registration-renewal.ts';
import type { SignIns } from '../oauth/sign-in/sign-in.ts';
import type { AccessTokens } from '../oauth/tokens/access-tokens.ts';
import { createRuntimeNotes } from '../status/runtime-notes.ts';
import { createStatusStore, type StatusStore } from '../status/status-store.ts';
import type { Http } from '../http/http.ts';
import { createAccountClients, type AccountClients } from './account-clients.ts';
import { createAppEvents } from './app-events.ts';
import {
  buildAccessTokens,
  buildOAuthParts,
  buildRegistrationRenewal,
  buildTokenViews,
  type OAuthParts,
} from './build-oauth.ts';
import { buildSignIn } from './build-sign-in.ts';
import { createCommands } from './commands.ts';
import { createConnections, type Connection } from './connections.ts';
import { openStorage, type Storage } from './open-storage.ts';
import type { Ports } from './ports.ts';
import { createServerNetworks } from './server-network.ts';
import { reviewAudiences } from './sign-in-flow.ts';

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

/**
 * Opens what lies in the data folder and puts the parts together, from the bottom up: each part is given those that
 * stand before it, and tells those after it by events. One per data folder: the caller holds the lock.
 */
export async function createApp(ports: Ports, { autoSignIn = false }: AppOptions = {}): Promise<App> {
  const { clock, log, http } = ports;
  const events = createAppEvents();
  const changed = (): void => events.changed.emit();
  const storage = await openStorage(ports, events);
  const { servers, vault, store, checkList } = storage;
  const clients = createAccountClients({ http, servers, vault, clock });
  const httpOf = (accountKey: string): Http => clients.of(accountKey);
  const notes = createRuntimeNotes();
  const networks = createServerNetworks({ clients, servers, log });

  const oauth = buildOAuthParts({ ports, servers, vault, clients, networks, notes, events });
  const { companies } = oauth;
  const tokens = buildAccessTokens(oauth);
  const { signIns, stepUps, signIn, signInByBrowser } = buildSignIn(oauth, tokens, autoSignIn);

  const connections = createConnections({
    servers,
    tokens,
    httpOf,
    notes,
    stepUps,
    log,
    clock,
    signIn: signInByBrowser,
    autoSignIn,
    onChange: changed,
  });
  events.usable.add((accountKey) => connections.signedIn(accountKey));
  events.removed.add((accountKey) => connections.removed(accountKey));

  const renewal = buildRegistrationRenewal(oauth);
  const hostsOf = (accountKey: string): readonly string[] => connections.hostsOf(accountKey);
  const board = createStatusStore({ about: ports.about, store, servers, vault, tokens, signIns, notes, hostsOf });
  events.changed.add(() => board.changed());

  const api = createCommands({
    ports,
    clients,
    networkOf: (server) => networks.networkOf(server),
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
    reviewAudiences: (server) => reviewAudiences({ servers, tokens, notes, events }, server),
    unlockStore: () => unlockStore(storage, { board, tokens, companies }),
    views: buildTokenViews(oauth, tokens),
  });

  // A keychain that does not answer must not keep the app from starting: nothing is read from it before the list is
  // checked.
  if (servers.unchecked) await within(clock, firstCheckMs, checkList());
  await Promise.all([tokens.start(), companies.start()]);
  void board.lookAtStore(() => store.probe());
  renewal.start();

  return {
    api,
    http,
    status: board,
    connect: (server, account) => connections.open(server, account),
    close: () => close(oauth, { storage, clients, tokens, signIns, renewal }),
  };
}

interface Closed {
  readonly storage: Storage;
  readonly clients: AccountClients;
  readonly tokens: AccessTokens;
  readonly signIns: SignIns;
  readonly renewal: RegistrationRenewal;
}

/** Ends the parts from the top down. */
async function close({ ports, companies }: OAuthParts, parts: Closed): Promise<void> {
  const { storage, clients, tokens, signIns, renewal } = parts;
  renewal.stop();
  await signIns.close();
  await Promise.all([tokens.close(), companies.close()]);
  await storage.store.close();
  await clients.close();
  await ports.http.close();
  // What a response taught us last is written too: the folder may be gone, or another broker's, afterwards.
  await storage.servers.idle();
}

/** Asks for the keychain to be unlocked; what waited for it continues at once. */
async function unlockStore(
  { servers, store, checkList }: Storage,
  { board, tokens, companies }: { board: StatusStore; tokens: AccessTokens; companies: Companies },
) {
  const status = await board.lookAtStore(() => store.unlock());
  if (status.state !== 'ready') return status;
  if (servers.unchecked) await checkList();
  companies.unblock();
  for (const { id } of servers.list()) if (tokens.state(id).kind === 'blocked') void tokens.refreshNow(id);
  return status;
}
