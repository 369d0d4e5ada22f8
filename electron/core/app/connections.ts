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
export interface Connection extends Pick<AccountBridge, 'setUnavailable' | 'onWake'> {
  /** Records that the server accepted a request with this token. Called for each response, so it must be cheap. */
  served(token: Secret | undefined): void;
  /**
   * After a 401: how long to wait, in ms, before this token is sent again, because the server may not know a new token
   * yet. Undefined if it should not be sent again.
   */
  newTokenPauseMs(token: Secret): number | undefined;
  /** Records a refusal that may be due to this token. `said`: the response named the token as the reason. */
  doubtToken(token: Secret, said: boolean): void;
  readonly server: Server;
  /** The client with this server's certificates. Defaults to the shared client. */
  readonly http?: Http;
  /** Sets the name that the host gave in `initialize`; shown in the status. */
  setHost(name: string): void;
  /** Stores in which network the server was found. */
  found(network: ServerNetwork): void;
  accessToken(options?: {
    readonly rejected?: Secret;
    readonly signal?: AbortSignal;
    readonly waitMs?: number;
  }): Promise<TokenResult>;
  /**
   * Handles a 401 to a call without a token, or a 403 to a token that lacks scopes; a 403 is held until the user
   * decides. Resolves to 'retry' after a sign-in, or to 'refused' if the host must get the error.
   */
  challenged(status: 401 | 403, challenge: Challenge | undefined, call?: RefusedCall): Promise<'retry' | 'refused'>;
  /** Records that the server responded to an MCP request. If nobody is signed in, it requires no sign-in. */
  answered(): void;
  /** Calls the listener each time a sign-in to this server has been completed. */
  onSignedIn(listener: () => void): void;
  /** Calls the listener when the server or its account is removed. */
  onRemoved(listener: () => void): void;
  /** Calls the listener when this connection uses the default account, and another account becomes the default. */
  onMoved(listener: () => void): void;
  close(): void;
}

export interface Connections {
  /** Throws E_SERVER_UNKNOWN, E_ACCOUNT_UNKNOWN. */
  open(server: string, account?: string): Connection;
  /** The names of the hosts that are connected to an account. */
  hostsOf(accountKey: string): readonly string[];
  /** Tells connections to a default account that another account is the default now. */
  defaultChanged(): void;
  signedIn(accountKey: string): void;
  /** Makes the bridges of this account retry now instead of waiting, at the user's request. */
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
  /** Whether a call that needs a sign-in may start one in the browser (headless only). */
  readonly autoSignIn: boolean;
  readonly onChange: () => void;
}

type Event = 'signedIn' | 'removed' | 'moved';

interface Open {
  readonly accountKey: string;
  /** Whether the host named no account, and so uses the default one. */
  readonly byDefault: boolean;
  host: string;
  readonly signedIn: (() => void)[];
  readonly removed: (() => void)[];
  readonly moved: (() => void)[];
}

export function createConnections(deps: ConnectionsDeps): Connections {
  const all = new Set<Open>();
  const bridges = createAccountBridges();
  const notify = (event: Event, matches: (open: Open) => boolean) => {
    for (const open of [...all].filter(matches)) for (const listener of open[event]) listener();
  };
  return {
    open(name, account) {
      const server = requireServer(deps.servers, name, account);
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
    signedIn: (accountKey) => notify('signedIn', (open) => open.accountKey === accountKey),
    tryNow: (accountKey) => bridges.wake(accountKey),
    removed: (accountKey) => notify('removed', (open) => open.accountKey === accountKey),
    defaultChanged: () =>
      notify('moved', (open) => open.byDefault && deps.servers.find(open.accountKey)?.account.isDefault !== true),
  };
}

/**
 * Returns the server with this name or id, as this account or the default one. Throws E_SERVER_UNKNOWN,
 * E_ACCOUNT_UNKNOWN, and E_CONFIG_CHANGED or E_CONFIG_ENTRY for an entry that is set aside.
 */
export function requireServer(
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
  const release = deps.tokens.keepFresh(server.id);
  let storing = false;
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
      await rememberChallenge(deps, server.id, challenge);
      if (!deps.autoSignIn) return 'refused';
      // A sign-in may have finished after the request was sent: use its token instead of opening a second page.
      const current = await deps.tokens.accessToken(server.id);
      if (current.kind === 'token' || current.kind === 'unavailable') return 'retry';
      deps.log('sign_in_started_by_call', { server: server.name, status });
      return deps.signIn(server.id).then(
        () => 'retry' as const,
        () => 'refused' as const,
      );
    },
    answered() {
      if (
        storing ||
        deps.servers.find(server.id)?.openSeenAt !== undefined ||
        deps.tokens.state(server.id).kind !== 'none'
      )
        return;
      storing = true;
      keepSeen(deps.servers, server, 'open', deps.clock.now()).then(deps.onChange, (error: unknown) =>
        deps.log('open_not_kept', { code: asAppError(error).code }),
      );
    },
    setUnavailable: (unavailable) => bridge.setUnavailable(unavailable),
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
      release();
      closed();
    },
  };
}

/** Stores the challenge for the next sign-in, and that the server requires a sign-in. */
async function rememberChallenge(
  deps: ConnectionsDeps,
  accountKey: string,
  challenge: Challenge | undefined,
): Promise<void> {
  if (challenge) deps.notes.set(accountKey, { challenge });
  if (deps.servers.find(accountKey)?.signInRequired === false)
    await deps.servers.update(accountKey, { signInRequired: true });
  deps.onChange();
}
