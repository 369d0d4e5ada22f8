import type { ServerStatus, Status, StoreStatus } from '../../../shared/model.ts';
import { scopesInEffect } from '../oauth/tokens/granted-scopes.ts';
import type { SignIns } from '../oauth/sign-in/sign-in.ts';
import type { AccessTokens } from '../oauth/tokens/access-tokens.ts';
import type { About } from '../base/about.ts';
import type { RuntimeNotes } from './runtime-notes.ts';
import type { Servers } from '../servers/servers.ts';
import { serverStatus } from './server-status.ts';
import type { SecretStore } from '../vault/secret-store.ts';
import type { Vault } from '../vault/credentials.ts';

export interface StatusStoreDeps {
  readonly about: Pick<About, 'version' | 'front' | 'runtime'>;
  readonly store: SecretStore;
  readonly servers: Servers;
  readonly vault: Pick<Vault, 'facts' | 'notice'>;
  readonly tokens: Pick<AccessTokens, 'state'>;
  readonly signIns: Pick<SignIns, 'progress'>;
  readonly notes: RuntimeNotes;
  /** The names of the hosts that are connected to an account. */
  readonly hostsOf: (accountKey: string) => readonly string[];
}

/** The current status and its listeners. It is computed on demand; only the state of the store is kept. */
export interface StatusStore {
  current(): Status;
  /** Returns the status of one account, or undefined if it does not exist. */
  of(accountKey: string): ServerStatus | undefined;
  /** Tells the listeners that the status may have changed. */
  changed(): void;
  /** Calls the listener with the current status, and after each change. Returns an unsubscribe function. */
  subscribe(listener: (status: Status) => void): () => void;
  /** Updates the state of the store from `probe` or `unlock`. */
  updateStore(query: () => ReturnType<SecretStore['probe']>): Promise<StoreStatus>;
}

export function createStatusStore(deps: StatusStoreDeps): StatusStore {
  const { about, store } = deps;
  const listeners = new Set<(status: Status) => void>();
  let storeState: StoreStatus['state'] = 'ready';
  let pending = false;

  function of(accountKey: string): ServerStatus | undefined {
    const server = deps.servers.find(accountKey);
    if (!server) return undefined;
    const facts = deps.vault.facts(accountKey);
    const { lastFailure, missingScopes, accessRequests } = deps.notes.get(accountKey);
    return serverStatus({
      server,
      lastFailure,
      missingScopes,
      accessRequests,
      signIn: deps.signIns.progress(accountKey),
      tokens: deps.tokens.state(accountKey),
      grantedScopes: facts ? scopesInEffect(facts) : [],
      identity: facts?.account,
      hosts: deps.hostsOf(accountKey),
    });
  }

  function current(): Status {
    const { version, front, runtime } = about;
    const status: Status = {
      version,
      front,
      runtime,
      store: { name: store.name, label: store.label, state: storeState },
      servers: deps.servers.list().flatMap(({ id }) => of(id) ?? []),
    };
    const { setAside } = deps.servers;
    if (setAside.length > 0)
      status.setAside = setAside.map(({ error, ...entry }) => ({ ...entry, error: error.toInfo() }));
    const notice = deps.servers.notice ?? deps.vault.notice;
    if (notice) status.notice = notice.toInfo();
    return status;
  }

  /** Sends one snapshot for all changes in the same turn of the event loop. */
  function changed(): void {
    if (pending) return;
    pending = true;
    queueMicrotask(() => {
      pending = false;
      const status = current();
      for (const listener of listeners) listener(status);
    });
  }

  return {
    current,
    of,
    changed,
    subscribe(listener) {
      listeners.add(listener);
      listener(current());
      return () => void listeners.delete(listener);
    },
    async updateStore(query) {
      const result = await query();
      storeState = result.kind;
      changed();
      return current().store;
    },
  };
}
