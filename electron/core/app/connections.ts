import { createAccountBridges, type AccountBridge } from './account-bridges.ts';
import { AppError, asAppError, sanitizeExternalText } from '../base/errors.ts';
import type { AccessTokens } from '../oauth/tokens/access-tokens.ts';
import type { Log } from '../base/log.ts';
import type { Secret } from '../base/secret.ts';
import type { RuntimeNotes } from '../status/runtime-notes.ts';
import { keepNetwork } from '../servers/networks.ts';
import { keepSeen } from '../servers/seen.ts';
import type { Servers } from '../servers/servers.ts';
import type { RefusedCall, StepUps } from '../step-up/step-up.ts';
import type { Clock } from '../base/clock.ts';
import type { Http, ServerNetwork } from '../http/http.ts';
import type { Challenge, TokenResult } from '../oauth/model.ts';
import type { Server } from '../servers/server.ts';

/** What one bridge connection needs from the core. */
export interface Connection extends Pick<AccountBridge, 'setAway' | 'onWake'> {
  /** The server took a request that went out with this token. Cheap: called for each answer. */
  served(token: Secret | undefined): void;
  /**
   * After a 401 to this token: how long to wait before it is sent again, because the server may not know it yet, in ms.
   */
  newTokenPauseMs(token: Secret): number | undefined;
  /** The server refused in a way that may or may not be for this token. `said`: it named the token as the reason. */
  doubtToken(token: Secret, said: boolean): void;
  readonly server: Server;
  /** The client with this server's certificates; absent: the one for all. */
  readonly http?: Http;
  /** The host's own name for itself, from `initialize`; shown in the status. */
  setHost(name: string): void;
  /** Finds out by a request in which network the server lies, and stores that with the server. */
  found(network: ServerNetwork): void;
  accessToken(options?: {
    readonly rejected?: Secret;
    readonly signal?: AbortSignal;
    readonly waitMs?: number;
  }): Promise<TokenResult>;
  /**
   * The server answered 401 to a call without a token, or 403 to one whose token lacks scopes, which is then held until
   * the user decides. 'retry': a sign-in took place meanwhile, call again; 'refused': tell the host.
   */
  challenged(status: 401 | 403, challenge: Challenge | undefined, call?: RefusedCall): Promise<'retry' | 'refused'>;
  /** The server has answered a request of MCP. Without a sign-in that shows that it needs none. */
  answered(): void;
  /** Calls the listener each time a sign-in to this server has been completed. */
  onSignedIn(listener: () => void): void;
  /** Calls the listener when the server, or its account, is removed from the list. */
  onRemoved(listener: () => void): void;
  /** Calls the listener when this connection, which named no account, belongs to another one from now on. */
  onMoved(listener: () => void): void;
  close(): void;
}

export interface Connections {
  /** Throws E_SERVER_UNKNOWN, E_ACCOUNT_UNKNOWN. */
  open(server: string, account?: string): Connection;
  /** Names of the hosts connected to an account now. */
  hostsOf(accountKey: string): readonly string[];
  /** Another account is the default one now. */
  defaultChanged(): void;
  signedIn(accountKey: string): void;
  /** A person wants this account to be tried now: its bridges stop waiting. */
  tryNow(accountKey: string): void;
  removed(accountKey: string): void;
}

export interface ConnectionsDeps {
  readonly servers: Servers;
  readonly tokens: AccessTokens;
  readonly httpOf: (accountKey: string) => Http;
  readonly signIn: (accountKey: string) => Promise<void>;
  readonly notes: RuntimeNotes;
  readonly stepUps: StepUps;
  readonly log: Log;
  readonly clock: Clock;
  /** A call that needs a sign-in may start one in the browser by itself (headless, off by default). */
  readonly autoSignIn: boolean;
  readonly onChange: () => void;
}

type Event = 'signedIn' | 'removed' | 'moved';

interface Open {
  readonly accountKey: string;
  /** The host named no account. */
  readonly byDefault: boolean;
  host: string;
  readonly signedIn: (() => void)[];
  readonly removed: (() => void)[];
  readonly moved: (() => void)[];
}

export function createConnections(deps: ConnectionsDeps): Connections {
  const all = new Set<Open>();
  const bridges = createAccountBridges();
  const tell = (which: Event, whom: (open: Open) => boolean) => {
    for (const open of [...all].filter(whom)) for (const listener of open[which]) listener();
  };
  return {
    open(name, account) {
      const server = foundServer(deps.servers, name, account);
      const open: Open = {
        accountKey: server.id,
        byDefault: account === undefined && server.account.isDefault,
        host: 'app',
        signedIn: [],
        removed: [],
        moved: [],
      };
      all.add(open);
      deps.onChange();
      const bridge = bridges.join(server.id);
      return connection(server, open, deps, bridge, () => {
        all.delete(open);
        bridge.leave();
        deps.onChange();
      });
    },
    hostsOf: (accountKey) => [...all].filter((open) => open.accountKey === accountKey).map((open) => open.host),
    signedIn: (accountKey) => tell('signedIn', (open) => open.accountKey === accountKey),
    tryNow: (accountKey) => bridges.wake(accountKey),
    removed: (accountKey) => tell('removed', (open) => open.accountKey === accountKey),
    defaultChanged: () =>
      tell('moved', (open) => open.byDefault && deps.servers.find(open.accountKey)?.account.isDefault !== true),
  };
}

/** Throws E_SERVER_UNKNOWN, E_ACCOUNT_UNKNOWN; E_CONFIG_CHANGED, E_CONFIG_ENTRY for one that is set aside. */
export function foundServer(
  servers: Pick<Servers, 'find' | 'setAside'>,
  name: string,
  account: string | undefined,
): Server {
  const server = servers.find(name, account);
  if (server) return server;
  if (servers.find(name))
    throw new AppError(
      'E_ACCOUNT_UNKNOWN',
      `${sanitizeExternalText(name)} has no account named "${sanitizeExternalText(account)}".`,
      { server: name },
    );
  const aside = servers.setAside.find((one) => one.name === name || one.key === name);
  if (aside) throw aside.error;
  throw new AppError('E_SERVER_UNKNOWN', `There is no server named "${sanitizeExternalText(name)}".`);
}

function connection(
  server: Server,
  open: Open,
  deps: ConnectionsDeps,
  bridge: AccountBridge,
  closed: () => void,
): Connection {
  const letGo = deps.tokens.keepFresh(server.id);
  let keeping = false;
  return {
    server,
    http: deps.httpOf(server.id),
    setHost(name) {
      open.host = sanitizeExternalText(name) || 'app';
      deps.onChange();
    },
    found: (network) => void keepNetwork(deps, server.id, network),
    accessToken: (options) => deps.tokens.accessToken(server.id, options),
    async challenged(status, challenge, call = { operation: 'call', waitMs: 0 }) {
      if (status === 403)
        return (await deps.stepUps.ask(server, open.host, challenge ?? {}, call)) === 'granted' ? 'retry' : 'refused';
      await learn(deps, server.id, challenge);
      if (!deps.autoSignIn) return 'refused';
      // The 401 may be older than a sign-in that has ended since: that one counts, and no second page opens.
      const now = await deps.tokens.accessToken(server.id);
      if (now.kind === 'token' || now.kind === 'unavailable') return 'retry';
      deps.log('sign_in_started_by_call', { server: server.name, status });
      return deps.signIn(server.id).then(
        () => 'retry' as const,
        () => 'refused' as const,
      );
    },
    answered() {
      if (
        keeping ||
        deps.servers.find(server.id)?.openSeenAt !== undefined ||
        deps.tokens.state(server.id).kind !== 'none'
      )
        return;
      keeping = true;
      keepSeen(deps.servers, server, 'open', deps.clock.now()).then(deps.onChange, (error: unknown) =>
        deps.log('open_not_kept', { code: asAppError(error).code }),
      );
    },
    setAway: (away) => bridge.setAway(away),
    served(token) {
      bridge.served();
      if (token) deps.tokens.accepted(server.id, token);
    },
    newTokenPauseMs: (token) => deps.tokens.newTokenPauseMs(server.id, token),
    doubtToken: (token, said) => deps.tokens.doubt(server.id, token, said),
    onWake: (listener) => bridge.onWake(listener),
    onSignedIn: (listener) => void open.signedIn.push(listener),
    onRemoved: (listener) => void open.removed.push(listener),
    onMoved: (listener) => void open.moved.push(listener),
    close() {
      letGo();
      closed();
    },
  };
}

/** Remembers what the challenge says, so that the next sign-in asks for it. */
async function learn(deps: ConnectionsDeps, accountKey: string, challenge: Challenge | undefined): Promise<void> {
  if (challenge) deps.notes.set(accountKey, { challenge });
  if (deps.servers.find(accountKey)?.signInRequired === false)
    await deps.servers.update(accountKey, { signInRequired: true });
  deps.onChange();
}
