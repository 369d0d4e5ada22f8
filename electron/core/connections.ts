import { AppError, foreign } from './errors.ts';
import type { Http } from './http/client.ts';
import type { Challenge } from './oauth/discovery.ts';
import type { TokenAnswer, TokenKeeper } from './oauth/tokens.ts';
import type { Log } from './log.ts';
import type { Secret } from './secret.ts';
import type { ServerNotes } from './server-notes.ts';
import type { Server, Servers } from './servers/servers.ts';
import type { RefusedCall, StepUps } from './step-up.ts';

/** What one bridge connection needs from the core. */
export interface Connection {
  readonly server: Server;
  /** The client with this server's certificates; absent: the one for all. */
  readonly http?: Http;
  /** The host's own name for itself, from `initialize`; shown in the status. */
  setHost(name: string): void;
  accessToken(options?: { readonly rejected?: Secret; readonly signal?: AbortSignal }): Promise<TokenAnswer>;
  /**
   * The server answered 401 to a call without a token, or 403 to one whose token lacks scopes, which is then held until
   * the user decides. 'retry': a sign-in took place meanwhile, call again; 'refused': tell the host.
   */
  challenged(status: 401 | 403, challenge: Challenge | undefined, call?: RefusedCall): Promise<'retry' | 'refused'>;
  /** Calls the listener each time a sign-in to this server has been completed. */
  onSignedIn(listener: () => void): void;
  /** Calls the listener when the server is removed from the list. */
  onRemoved(listener: () => void): void;
  close(): void;
}

export interface Connections {
  /** Throws E_SERVER_UNKNOWN. */
  open(server: string): Connection;
  /** Names of the hosts connected to a server now. */
  hostsOf(serverId: string): readonly string[];
  signedIn(serverId: string): void;
  removed(serverId: string): void;
}

export interface ConnectionsDeps {
  readonly servers: Servers;
  readonly tokens: TokenKeeper;
  readonly httpOf: (serverId: string) => Http;
  readonly signIn: (serverId: string) => Promise<void>;
  readonly notes: ServerNotes;
  readonly stepUps: StepUps;
  readonly log: Log;
  /** A call that needs a sign-in may start one in the browser by itself (headless, off by default). */
  readonly autoSignIn: boolean;
  readonly onChange: () => void;
}

interface Open {
  readonly serverId: string;
  host: string;
  readonly signedIn: (() => void)[];
  readonly removed: (() => void)[];
}

/** The id under which the vault keeps the one account of a server. */
export const credentialIdOf = (serverId: string): string => `${serverId}:default`;

/** The server that a credential is for. */
export const serverIdOf = (credentialId: string): string => credentialId.slice(0, credentialId.indexOf(':'));

export function createConnections(deps: ConnectionsDeps): Connections {
  const all = new Set<Open>();
  const tell = (serverId: string, which: 'signedIn' | 'removed') => {
    for (const open of all) if (open.serverId === serverId) for (const listener of open[which]) listener();
  };
  return {
    open(name) {
      const server = deps.servers.find(name);
      if (!server) throw new AppError('E_SERVER_UNKNOWN', `There is no server named "${foreign(name)}".`);
      const open: Open = { serverId: server.id, host: 'app', signedIn: [], removed: [] };
      all.add(open);
      deps.onChange();
      return connection(server, open, deps, () => {
        all.delete(open);
        deps.onChange();
      });
    },
    hostsOf: (serverId) => [...all].filter((open) => open.serverId === serverId).map((open) => open.host),
    signedIn: (serverId) => tell(serverId, 'signedIn'),
    removed: (serverId) => tell(serverId, 'removed'),
  };
}

function connection(server: Server, open: Open, deps: ConnectionsDeps, closed: () => void): Connection {
  const credentialId = credentialIdOf(server.id);
  const letGo = deps.tokens.hold(credentialId);
  return {
    server,
    http: deps.httpOf(server.id),
    setHost(name) {
      open.host = foreign(name) || 'app';
      deps.onChange();
    },
    accessToken: (options) => deps.tokens.accessToken(credentialId, options),
    async challenged(status, challenge, call = { operation: 'call', waitMs: 0 }) {
      if (status === 403) return (await deps.stepUps.ask(server, open.host, challenge ?? {}, call)) === 'granted' ? 'retry' : 'refused';
      await learn(deps, server.id, challenge);
      if (!deps.autoSignIn) return 'refused';
      // The 401 may be older than a sign-in that has ended since: that one counts, and no second page opens.
      const now = await deps.tokens.accessToken(credentialId);
      if (now.kind === 'token' || now.kind === 'unavailable') return 'retry';
      deps.log('sign_in_started_by_call', { server: server.name, status });
      return deps.signIn(server.id).then(
        () => 'retry' as const,
        () => 'refused' as const,
      );
    },
    onSignedIn: (listener) => void open.signedIn.push(listener),
    onRemoved: (listener) => void open.removed.push(listener),
    close() {
      letGo();
      closed();
    },
  };
}

/** Remembers what the challenge says, so that the next sign-in asks for it. */
async function learn(deps: ConnectionsDeps, serverId: string, challenge: Challenge | undefined): Promise<void> {
  if (challenge) deps.notes.set(serverId, { challenge });
  if (deps.servers.find(serverId)?.signInRequired === false) await deps.servers.update(serverId, { signInRequired: true });
  deps.onChange();
}
