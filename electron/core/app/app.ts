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

/** The product without a user interface. Window, tray, command line and hosts all use this one object. */
export interface App {
  readonly api: Api;
  /** The shared HTTP client, for the relay. */
  readonly http: Http;
  readonly status: Pick<StatusStore, 'current' | 'subscribe'>;
  /**
   * Connects a bridge to a server, by name or id. `account` defaults to the server's default account. Throws
   * E_SERVER_UNKNOWN, E_ACCOUNT_UNKNOWN, and E_CONFIG_CHANGED or E_CONFIG_ENTRY for an entry that is set aside.
   */
  connect(server: string, account?: string): Connection;
  /** Cancels sign-ins, waits up to 5 s until a running refresh is stored, and ends the keychain process. */
  close(): Promise<void>;
}

export interface AppOptions {
  /** Whether a call that needs a sign-in may start one in the browser. Headless only; defaults to false. */
  readonly autoSignIn?: boolean;
}

/** How long to wait at start for the first check of the list of servers. */
const firstCheckMs = 3_000;

/**
 * Opens the data folder and builds the app from the bottom up: each part gets the parts above it in this function, and
 * reaches later ones through events. The caller must hold the lock of the data folder.
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
  const status = createStatusStore({ about: ports.about, store, servers, vault, tokens, signIns, notes, hostsOf });
  events.changed.add(() => status.changed());

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
    statusOf: (accountKey) => status.of(accountKey),
    current: () => status.current(),
    changed,
    reviewAudiences: (server) => reviewAudiences({ servers, tokens, notes, events }, server),
    unlockStore: () => unlockStore(storage, { status, tokens, companies }),
    views: buildTokenViews(oauth, tokens),
  });

  // A keychain that hangs must not keep the app from starting. Until the list is checked, the store reads nothing.
  if (servers.unchecked) await within(clock, firstCheckMs, checkList());
  await Promise.all([tokens.start(), companies.start()]);
  void status.updateStore(() => store.probe());
  renewal.start();

  return {
    api,
    http,
    status,
    connect: (server, account) => connections.open(server, account),
    close: () => close(oauth, { storage, clients, tokens, signIns, renewal }),
  };
}

interface PartsToClose {
  readonly storage: Storage;
  readonly clients: AccountClients;
  readonly tokens: AccessTokens;
  readonly signIns: SignIns;
  readonly renewal: RegistrationRenewal;
}

/** Closes the parts from the top down. */
async function close({ ports, companies }: OAuthParts, parts: PartsToClose): Promise<void> {
  const { storage, clients, tokens, signIns, renewal } = parts;
  renewal.stop();
  await signIns.close();
  await Promise.all([tokens.close(), companies.close()]);
  await storage.store.close();
  await clients.close();
  await ports.http.close();
  // Wait for pending writes: once the lock is released, the folder may belong to another broker.
  await storage.servers.idle();
}

/** Asks the system to unlock the keychain, then retries everything that waited for it. */
async function unlockStore(
  { servers, store, checkList }: Storage,
  { status, tokens, companies }: { status: StatusStore; tokens: AccessTokens; companies: Companies },
) {
  const storeStatus = await status.updateStore(() => store.unlock());
  if (storeStatus.state !== 'ready') return storeStatus;
  if (servers.unchecked) await checkList();
  companies.unblock();
  for (const { id } of servers.list()) if (tokens.state(id).kind === 'blocked') void tokens.refreshNow(id);
  return storeStatus;
}
